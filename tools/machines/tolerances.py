"""How good measured tolerances are, beside fixed ones: false alarms, and what they let through."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.engines.select import select
from keras_repro.numbers.cores import cores
from keras_repro.numbers.differences import Tolerance
from keras_repro.project import configuration, selection
from keras_repro.recorder.contract import PLANTS
from keras_repro.runs.baselines import read_baseline
from keras_repro.runs.run import read_run
from keras_repro.runs.summaries import Kept
from keras_repro.studies.accept import accept, propose
from keras_repro.studies.calibrate.calibrate import calibrate
from keras_repro.studies.calibrate.planted import Caught, smallest_caught
from keras_repro.studies.check import Place, compare_stored
from keras_repro.studies.train.plan import Plan
from keras_repro.studies.train.train import train
from keras_repro.studies.vary.variations import Variation
from keras_repro.studies.vary.vary import Vary
from tools.machines.runs import CONFIG, EMULATED, PLACE, PROCESSORS

BASELINES = PLACE / "baselines"
QUICK = ("isa*", "onednn*", "threads*", "ulps*")
ROUNDING = 20
MEASURED = "measured"
# What torch.testing.assert_close allows where nothing is said: (rtol, atol) of each dtype.
# https://docs.pytorch.org/docs/stable/testing.html
OF_TORCH = {
    "float16": (1e-3, 1e-5),
    "bfloat16": (1.6e-2, 1e-5),
    "float32": (1.3e-6, 1e-5),
    "float64": (1e-7, 1e-7),
}
HEAD = """
## Measured tolerances beside fixed ones

Each workload was [calibrated](guides/calibrate.md) on each backend{emulated}. A false alarm is a
variation that rounds otherwise, and nothing else, which the tolerances do not let pass; of
measured ones it was held out of what they were measured by. Then changes were planted, multiplied
by 1 + x: the smallest x of each kind that is caught, the median over all; in brackets of how many
not even x = 1 is.
"""

Allowed = Callable[[str], Tolerance]


@dataclass
class Score:
    """What was counted of one kind of tolerance."""

    runs: int = 0
    alarms: int = 0
    caught: list[Caught] = field(default_factory=list)

    def row(self) -> str:
        """Return it as the cells of a row."""
        cells = [f"{self.alarms} of {self.runs}"]
        for plant in PLANTS:
            sizes = [found[plant] for found in self.caught if plant in found]
            known = [size for size in sizes if size is not None]
            text = f"{median(known):.0e}" if known else "–"
            missed = len(sizes) - len(known)
            cells.append(f"{text} ({missed})" if missed else text)
        return " | ".join(cells)


def sections(
    backends: Sequence[Backend], workloads: Sequence[str], engine: str, emulated: bool
) -> Iterator[str]:
    """Yield the lines of this part of the page, making the runs that are missing."""
    chosen, _ = select(engine)
    on = f", on {len(PROCESSORS)} emulated processors too where the table above has these"
    yield HEAD.format(emulated=on if emulated else "")
    scores: dict[str, Score] = {}
    rows = []
    for backend in backends:
        for workload in workloads:
            found = _measured(workload, backend, chosen, emulated and workload in EMULATED)
            for name, score in found.items():
                whole = scores.setdefault(name, Score())
                whole.runs += score.runs
                whole.alarms += score.alarms
                whole.caught += score.caught
            rows.append(f"| {backend.name} | {workload} | {found[MEASURED].row()} |")
    titles = " | ".join(PLANTS)
    yield f"| tolerances | false alarms | {titles} |"
    yield "|---" * (len(PLANTS) + 2) + "|"
    yield from (f"| {name} | {score.row()} |" for name, score in scores.items())
    yield "\nThe measured ones, each by itself:\n"
    yield f"| backend | workload | false alarms | {titles} |"
    yield "|---" * (len(PLANTS) + 3) + "|"
    yield from rows


def _measured(name: str, backend: Backend, engine: Engine, emulated: bool) -> dict[str, Score]:
    """Return {tolerances: what is counted of them} for a workload on a backend."""
    workload = selection.one_workload(configuration.load(CONFIG), name, None, "calibrate")
    place = Place(workload, PLACE.absolute(), BASELINES.absolute())
    only = (*QUICK, *(f"processor={each}" for each in PROCESSORS)) if emulated else QUICK
    asked = Vary(place, backend, only, ROUNDING, cores(), emulated, rounds_alone=True)
    _accept(place, backend, engine)
    facts = calibrate(asked, engine).facts
    expected = read_baseline(place.baseline(backend)).all_arrays
    found = {MEASURED: Score(len(facts.variations), len(facts.false_alarms), [facts.caught])}
    for title, allowed in _fixed(expected).items():
        score = Score(len(facts.variations))
        for variation in asked.asked:
            if variation.name in facts.variations:
                score.alarms += not _passes(asked, variation, expected, allowed)
        score.caught.append(smallest_caught(asked, expected, allowed, engine))
        found[title] = score
    return found


def _accept(place: Place, backend: Backend, engine: Engine) -> None:
    """Make a run of this machine the baseline, where there is none yet."""
    if place.baseline(backend).exists():
        return
    [[trained]] = train(
        [Plan(place.of, [backend], place.artifacts, if_needed=True)], engine, lambda progress: None
    )
    if trained.run is None or trained.exit_code:
        raise SystemExit(f"{place.workload} on {backend.name}: {trained.problem}")
    accept(place, propose(place, backend), "to measure by")


def _passes(
    asked: Vary, variation: Variation, expected: Mapping[str, Kept], allowed: Allowed
) -> bool:
    run = read_run(asked.plan(variation).out(asked.backend))
    found = compare_stored(run.all_arrays, expected, allowed)
    moved = variation.changes.get("ulps")
    return all(
        one.verdict.passes or (moved and one.name.partition("initial_weights/")[1]) for one in found
    )


def _fixed(expected: Mapping[str, Kept]) -> dict[str, Allowed]:
    """Return what each kind of fixed tolerance allows of an array."""

    def relative(rtol: float) -> Allowed:
        return lambda name: Tolerance(rtol, 0.0)

    def torch(name: str) -> Tolerance:
        known = expected.get(name)
        return Tolerance(*OF_TORCH.get(known.name if known else "", (0.0, 0.0)))

    return {
        "rtol 1e-7 (`numpy.testing`)": relative(1e-7),
        "rtol 1e-5": relative(1e-5),
        "rtol 1e-3": relative(1e-3),
        "`torch.testing`": torch,
    }
