"""Preview an upgrade: which packages move and why, and what becomes of the numbers."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import ExitCode, KerasReproError, UsageError, gravest
from keras_repro.packages import extra, releases, resolve
from keras_repro.packages.extra import with_extra
from keras_repro.packages.resolve import DoesNotInstallError, Move
from keras_repro.project.workload import Workload
from keras_repro.studies.check import AS_STORED, Checked, Options, Place, check_run
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import try_in


@dataclass(frozen=True)
class Upgrade:
    """A backend with some packages changed. ``why`` says of a package why it moves.

    ``own`` are those wanted that are no packages of the backend's, but of the scripts' own
    requirements.
    """

    before: Backend
    after: Backend
    wanted: list[Requirement]
    moves: list[Move]
    why: dict[str, str] = field(default_factory=dict)
    own: list[Requirement] = field(default_factory=list)

    def environment(self, workload: Workload) -> Backend:
        """Return the environment of a workload, with what it needs besides.

        Raises:
            UsageError: its own requirements conflict with what is wanted.
            UnavailableError: the index cannot be read.
        """
        files, inline = workload.requirement_files, workload.requirements
        if not self.own:
            return with_extra(self.after, files, inline)
        asked = [one for _, one in extra.read(files, inline)]
        return resolve.changed(with_extra(self.before, files, inline), self.wanted, asked)


@dataclass(frozen=True)
class Previewed:
    """What becomes of a workload's numbers; ``checked`` is against its baseline."""

    place: Place
    checked: Checked


def plan(backend: Backend, wanted: list[Requirement], workloads: list[Workload]) -> Upgrade:
    """Return the upgrade, resolved.

    Raises:
        UsageError: a release does not exist, does not install, or conflicts with the backend's
            own requirements.
        UnavailableError: the index cannot be read.
    """
    only_binary = [one.name for one in wanted if _check_release(one, backend)]
    of_scripts = {
        canonicalize_name(one.name)
        for workload in workloads
        for _, one in extra.read(workload.requirement_files, workload.requirements)
    }
    own = [
        one
        for one in wanted
        if (name := canonicalize_name(one.name)) in of_scripts and name not in backend.locked
    ]
    try:
        others = [one for one in wanted if one not in own]
        after = resolve.changed(backend, others, only_binary=only_binary) if others else backend
        moves = resolve.moves(backend, after)
        why = resolve.reasons(backend, after, others, moves)
        upgrade = Upgrade(backend, after, wanted, moves, why, own)
        if not own:
            return upgrade
        whole = upgrade.environment(workloads[0])
    except DoesNotInstallError as error:
        raise UsageError(
            f"{', '.join(map(str, wanted))} does not install on {backend.name}: {error}"
        ) from None
    files, inline = workloads[0].requirement_files, workloads[0].requirements
    moves = resolve.moves(with_extra(backend, files, inline), whole)
    names = {canonicalize_name(one.name) for one in wanted}
    why = {move.package: "asked for" for move in moves if move.package in names} | why
    return replace(upgrade, moves=moves, why=why)


def _check_release(wanted: Requirement, backend: Backend) -> bool:
    """Return whether the releases that are wanted have wheels; raise where none is for us."""
    found = [
        release
        for release in releases.releases(wanted.name, backend, pre=True)
        if wanted.specifier.contains(release.version, prereleases=True)
    ]
    if not found:
        raise UsageError(f"the package index in use has no release {wanted}, or it was yanked")
    if all(release.problem for release in found):
        latest = found[-1]
        raise UsageError(
            f"{wanted.name} {latest.version} does not install on {backend.name}: {latest.problem}"
        )
    return any(release.wheels for release in found)


def preview(
    upgrade: Upgrade,
    places: list[Place],
    engine: Engine,
    on_start: Callable[[list[Progress]], None],
    options: Options = AS_STORED,
) -> list[Previewed]:
    """Train each workload in the new environment, and compare it with its baseline.

    One's failure does not stop the others. ``on_start`` is given the progress of each, which goes
    on changing. KeyboardInterrupt ends the run at once and is raised again.
    """
    entries = [Progress(place.workload, upgrade.after) for place in places]
    on_start(entries)
    found = []
    for place, progress in zip(places, entries, strict=True):
        found.append(Previewed(place, _preview(upgrade, place, engine, progress, options)))
        progress.done = True
    return found


def _preview(
    upgrade: Upgrade, place: Place, engine: Engine, progress: Progress, options: Options
) -> Checked:
    backend = upgrade.after
    try:
        found = try_in(place.of, upgrade.environment(place.of), engine, progress)
        if found.run is None:
            return Checked(backend, ExitCode.RUN_FAILED, found.problem)
        return check_run(place, backend, found.run, options)
    except KerasReproError as error:
        return Checked(backend, error.exit_code, str(error))
    except BaseException:
        engine.stop()
        raise


def check_appliable(upgrade: Upgrade) -> None:
    """Raise UsageError where a lock cannot hold what is wanted: the scripts' own requirements."""
    if upgrade.own:
        own = ", ".join(map(str, upgrade.own))
        raise UsageError(f"{own} is one of the script's own requirements; change it there")


def why_not_applied(upgrade: Upgrade, previews: list[Previewed]) -> str:
    """Return why the new lock is not to be written; nothing where it is."""
    if not upgrade.moves:
        return "nothing moves"
    if exit_code(previews) not in (ExitCode.OK, ExitCode.DRIFT, ExitCode.MISSING):
        return "the scripts do not run with these packages"
    return ""


def exit_code(previews: list[Previewed]) -> ExitCode:
    """Return the gravest of the previews'."""
    return gravest([one.checked.exit_code for one in previews])
