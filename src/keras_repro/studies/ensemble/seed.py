"""Train a workload from one seed, and say what became of it."""

from dataclasses import dataclass

from keras_repro.engines import Engine
from keras_repro.errors import BY_CODE, ExitCode
from keras_repro.recorder.contract import OVER_LIMIT
from keras_repro.runs.run import Run
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import try_in
from keras_repro.studies.vary.variations import Variation
from keras_repro.studies.vary.vary import Vary, train_under, under

# How what is no doing of the script's ends: it ends all, and not one seed's run alone.
ENDS = frozenset(BY_CODE) - {ExitCode.DRIFT, ExitCode.RUN_FAILED}


@dataclass(frozen=True)
class Seed:
    """What became of one seed. ``problem`` says how its script failed; ``known``: not run anew."""

    seed: int
    run: Run | None = None
    problem: str = ""
    exit_code: ExitCode = ExitCode.OK
    seconds: float = 0.0
    known: bool = False

    @property
    def good(self) -> bool:
        """Whether there is a run to take numbers from; that they are finite is another matter."""
        return self.run is not None and self.run.facts.completed

    @property
    def numeric_class(self) -> str:
        """The digest of the numeric class of the machine that made the run; empty if not known."""
        found = None if self.run is None else self.run.facts.numeric_class
        return (found.digest or "") if found is not None else ""

    @property
    def counts(self) -> bool:
        """Whether its end is the script's doing: not where a limit or the machine ended its run.

        It is one without numbers all the same: that seeds hang may be what differs.
        """
        reason = "" if self.run is None else self.run.facts.reason or ""
        return self.run is not None and OVER_LIMIT not in reason


def beside_the_last(of: Vary, variation: Variation, seed: int, engine: Engine) -> Seed:
    """Return what becomes of a seed; its run is kept beside the last one, and taken from there.

    Raises:
        KerasReproError: it ended with what is no doing of the script's, see ENDS.
    """
    trained = train_under(of, variation, engine)
    run = trained.run
    if trained.exit_code in ENDS:
        raise BY_CODE[trained.exit_code](f"seed {seed}: {trained.problem}")
    if run is not None and run.facts.completed:
        return _of_run(seed, run, trained.skipped)
    problem = trained.problem or "it left no run"
    return Seed(seed, run, problem, trained.exit_code or ExitCode.RUN_FAILED)


def as_trial(of: Vary, variation: Variation, seed: int, engine: Engine) -> Seed:
    """Return what becomes of a seed; its run is kept among what was tried, under its environment.

    Raises:
        KerasReproError: as try_in does.
    """
    progress = Progress(variation.name, of.backend)
    of.running[variation.name] = progress
    try:
        workload = under(of.place.of, variation)
        trial = try_in(workload, of.backend, engine, progress, among=of.place.of)
    finally:
        of.running.pop(variation.name, None)
    if trial.run is None:
        return Seed(seed, None, trial.problem, ExitCode.RUN_FAILED)
    return _of_run(seed, trial.run, trial.cached)


def _of_run(seed: int, run: Run, known: bool) -> Seed:
    run.all_arrays  # noqa: B018 - opened now: what replaces it later is not this run
    return Seed(seed, run, seconds=run.facts.durations.get("total", 0.0), known=known)
