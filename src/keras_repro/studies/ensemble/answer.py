"""Whether a difference matters: what seeds give, against what is expected of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from keras_repro.engines import Engine
from keras_repro.errors import ExitCode, KerasReproError, MissingError, StoppedError
from keras_repro.studies.ensemble.ensemble import Asked, ensemble
from keras_repro.studies.ensemble.equivalent import Compared, Side, accepted_side

Follow = Callable[[str, Asked], AbstractContextManager[object]]
"""Shows seeds under way while entered, under a title."""


class OneRunError(KerasReproError):
    """Every seed is the same run, so that there is no chance to compare by."""

    exit_code = ExitCode.UNDECIDED


@dataclass(frozen=True)
class Answer:
    """What seeds say of a workload on a backend.

    ``compared`` is None where there is nothing to compare, and ``problem`` says why. ``note`` is
    what else is to be known.
    """

    workload: str
    backend: str
    exit_code: ExitCode
    compared: Compared | None = None
    problem: str = ""
    note: str = ""


def answer(workload: str, backend: str, compare: Callable[[], Compared]) -> Answer:
    """Return what ``compare`` finds; a problem with these seeds is a part of it.

    Raises:
        StoppedError: the engine was told to stop.
    """
    try:
        compared = compare()
    except StoppedError:
        raise
    except KerasReproError as error:
        return Answer(workload, backend, error.exit_code, problem=str(error))
    compared.rates  # noqa: B018 - it takes a moment, and is known from here on
    return Answer(workload, backend, compared.exit_code, compared)


def made_side(asked: Asked, engine: Engine, follow: Follow, under: str = "") -> Side:
    """Return the ensemble of the seeds that are asked for, of which no more is kept than the runs.

    Raises:
        OneRunError: they are all the same run.
        KerasReproError: as ensemble does.
    """
    title = f"{asked.place.workload} on {asked.backend.name} {under}".strip()
    with follow(title, asked):
        result = ensemble(asked, engine)
    if result.facts is None:
        raise OneRunError(
            f"{title}: every seed is the same run, bit for bit: the script fixes every generator; "
            "let the seed matter with --vary-own-seeds"
        )
    return Side(None, result.facts, under)


def expected_side(asked: Asked, engine: Engine, follow: Follow) -> Side:
    """Return the ensemble that is accepted, or where there is none that of the present environment.

    Raises:
        UnreadableError: the accepted one is damaged, or nobody accepted it.
        KerasReproError: as made_side does.
    """
    folder = asked.place.baseline(asked.backend)
    try:
        return accepted_side(folder, "")
    except MissingError:
        return made_side(asked, engine, follow)
