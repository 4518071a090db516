"""Whether it matters that numbers are others with other packages, or on other backends."""

from collections.abc import Sequence
from functools import partial

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import ExitCode
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.answer import Answer, Follow, answer, expected_side, made_side
from keras_repro.studies.ensemble.ensemble import Asked
from keras_repro.studies.ensemble.equivalent import Compared, Side, equivalent
from keras_repro.studies.upgrade import Previewed, Upgrade

# Of a preview: numbers that are others, or that no baseline says anything about.
WANTS_SEEDS = (ExitCode.DRIFT, ExitCode.MISSING)


def after_upgrade(
    upgrade: Upgrade, previews: Sequence[Previewed], count: int, engine: Engine, follow: Follow
) -> dict[str, Answer]:
    """Return what seeds say of each workload whose numbers an upgrade changes: {workload: answer}.

    Those of the new packages are compared with the accepted ensemble, and where there is none with
    one that is made of the present packages.
    """
    return {
        one.place.workload: _after(upgrade, one.place, count, engine, follow)
        for one in previews
        if one.checked.run is not None and one.checked.exit_code in WANTS_SEEDS
    }


def _after(upgrade: Upgrade, place: Place, count: int, engine: Engine, follow: Follow) -> Answer:
    moved = ", ".join(f"{one.package} {one.after}" for one in upgrade.moves if one.after)

    def compare() -> Compared:
        expected = expected_side(_asked(place, upgrade.before, count, engine), engine, follow)
        environment = upgrade.environment(place.of)
        asked = _asked(place, environment, count, engine, as_trials=True)
        return equivalent(expected, made_side(asked, engine, follow, f"with {moved}"), {})

    return answer(place.workload, upgrade.before.name, compare)


def on_backends(
    place: Place,
    reference: Backend,
    against: Sequence[Backend],
    count: int,
    engine: Engine,
    follow: Follow,
) -> list[Answer]:
    """Return what seeds say of each backend against those of the reference."""
    sides: list[Side] = []  # the reference's, once it was needed

    def compare(backend: Backend) -> Compared:
        if not sides:
            sides.append(made_side(_asked(place, reference, count, engine), engine, follow))
        obtained = made_side(_asked(place, backend, count, engine), engine, follow)
        return equivalent(sides[0], obtained, {})

    return [answer(place.workload, backend.name, partial(compare, backend)) for backend in against]


def _asked(
    place: Place, backend: Backend, count: int, engine: Engine, *, as_trials: bool = False
) -> Asked:
    of = place.of
    return Asked(place, backend, count, engine.slots, of.primary, of.margins, as_trials)
