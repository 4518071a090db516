"""Read baselines: runs that somebody accepted, with the reason why."""

from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from keras_repro.errors import MissingError
from keras_repro.numbers.differences import Tolerance
from keras_repro.numbers.summaries import Summary
from keras_repro.numbers.tolerances import Tolerances, tolerance_of
from keras_repro.recorder import contract
from keras_repro.runs.calibration import CalibrationFacts
from keras_repro.runs.causes import COMPUTING
from keras_repro.runs.chain import HistoryEntry
from keras_repro.runs.costs import final_cost
from keras_repro.runs.documents import read_document
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.npz import Npz
from keras_repro.runs.regular_file import Held
from keras_repro.runs.replace_folder import is_aside
from keras_repro.runs.run import SAMPLES, ArrayFacts, Origin, open_arrays
from keras_repro.runs.summaries import SUMMARIES, Kept, SummaryFacts, open_summaries
from keras_repro.runs.together import together
from keras_repro.runs.trail import TrailFile, read_trail

FACTS = "baseline.json"
OWN_ENTRIES = (FACTS, contract.ARRAYS, contract.SAMPLES, contract.TRAIL)
TRAIL = "the SHA-256 of trail.json in hexadecimal; null where the run that was accepted had none"
CALIBRATION = "what was measured of how far arrays may be off; null where nobody did"


class BaselineFacts(Origin):
    """``baseline.json``. ``history`` begins with the oldest; the last is this baseline's own."""

    schema_version: int
    workload: str
    reason: str
    accepted: str
    tolerances: dict[str, Tolerances]
    arrays: dict[str, ArrayFacts]
    arrays_sha256: str
    summaries: dict[str, SummaryFacts] = Field(default={}, description=SUMMARIES)
    samples_sha256: str | None = Field(default=None, description=SAMPLES)
    trail_sha256: str | None = Field(default=None, description=TRAIL)
    history: list[HistoryEntry] = Field(default=[])
    calibration: CalibrationFacts | None = Field(default=None, description=CALIBRATION)


@dataclass(frozen=True)
class Baseline:
    """An accepted run. ``edited_file`` is one of arrays that is not what was accepted, or ""."""

    folder: Path
    facts: BaselineFacts
    arrays: Npz
    edited_file: str
    trail: TrailFile
    summaries: dict[str, Summary]

    @property
    def all_arrays(self) -> dict[str, Kept]:
        """The arrays, and the summaries of those that are not kept."""
        return {**self.summaries, **self.arrays}

    def with_calibration(self, calibration: CalibrationFacts) -> "Baseline":
        """Return it as if this had been measured of it."""
        facts = self.facts.model_copy(update={"calibration": calibration})
        return replace(self, facts=facts)

    @property
    def edited(self) -> bool:
        """Whether its arrays are not those that were accepted."""
        return bool(self.edited_file)

    @property
    def trail_edited(self) -> bool:
        """Whether its trail is not the one that was accepted: another one, or gone."""
        return bool(self.trail.problem) or self.trail.sha256 != self.facts.trail_sha256

    @property
    def mixed(self) -> bool:
        """Whether its arrays come from several runs: some were accepted without the others."""
        return bool(self.facts.history) and bool(self.facts.history[-1].only)

    def tolerance_of(self, name: str) -> Tolerance:
        """Return what a calibration measured, else the tolerance of the first pattern that matches.

        None of either means exact.
        """
        known = self.facts.calibration and self.facts.calibration.envelopes.get(name)
        measured = known.as_envelope() if known else None
        return measured or tolerance_of(name, self.facts.tolerances)


def baseline_folder(baselines: Path, workload: str, backend: str) -> Path:
    """Return where the baseline of a workload on a backend lies."""
    return baselines / workload / backend


def read_facts(folder: Path) -> BaselineFacts:
    """Return the facts of the baseline in ``folder``.

    Raises:
        MissingError: there is none.
        UnreadableError: they are damaged, or of a newer schema than this keras-repro reads.
    """
    return together(folder, lambda: _facts(folder), lambda: is_aside(folder))


def _facts(folder: Path) -> BaselineFacts:
    path = folder / FACTS
    if not path.is_file():
        raise MissingError(f"no baseline in {folder}")
    return read_document(path, BaselineFacts, _remedy(folder))


def _remedy(folder: Path) -> str:
    return f"restore it (git checkout -- {folder})"


def read_baseline(folder: Path) -> Baseline:
    """Return the baseline in ``folder``.

    Raises:
        MissingError: there is none.
        UnreadableError: it is damaged, cannot be read, or is of a newer schema than this
            keras-repro reads.
    """

    def read() -> tuple[Held, Held, BaselineFacts, TrailFile]:
        file, samples = Held(folder / contract.ARRAYS), Held(folder / contract.SAMPLES)
        return file, samples, _facts(folder), read_trail(folder, _remedy(folder))

    file, samples, facts, trail = together(folder, read, lambda: is_aside(folder))
    arrays = open_arrays(file, facts.arrays, _remedy(folder))
    summaries = open_summaries(samples, facts.summaries, _remedy(folder))
    edited = ""
    if summaries and file_sha256(samples) != facts.samples_sha256:
        edited = contract.SAMPLES
    if file_sha256(file) != facts.arrays_sha256:
        edited = contract.ARRAYS
    return Baseline(folder, facts, arrays, edited, trail, summaries)


def environment(facts: Origin) -> dict[str, str]:
    """Return in a few words where numbers come from, for the history."""
    known = {"engine": facts.engine, "python": facts.python, "processor": facts.processor_in_words}
    known |= {name: facts.packages.get(name) for name in COMPUTING}
    return {name: value for name, value in known.items() if value}


def past(facts: BaselineFacts, baseline: Baseline | None) -> list[HistoryEntry]:
    """Return a baseline's history. One that was accepted before there was any has one entry.

    ``baseline`` tells that one's final cost, where its arrays can be read.
    """
    if facts.history:
        return facts.history
    cost = None if baseline is None else final_cost(baseline.arrays)
    return [
        HistoryEntry(
            accepted=facts.accepted,
            reason=facts.reason,
            environment=environment(facts),
            only=[],
            final_cost=cost,
            changed_facts=[],
            changes=None,
        )
    ]


def edited_message(baseline: Baseline, name: str = "") -> str:
    """Return what to say of a baseline that was edited; ``name`` is the file, else its arrays'."""
    path = baseline.folder / (name or baseline.edited_file or contract.ARRAYS)
    return f"{path} is not the file that was accepted; {_remedy(baseline.folder)}"
