"""Read and accept baselines: runs that somebody accepted, with the reason why."""

import errno
import json
import os
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from keras_repro.errors import CannotWriteError, MissingError, UnreadableError
from keras_repro.numbers.comparison import matching
from keras_repro.numbers.differences import Tolerance
from keras_repro.numbers.summaries import Summary
from keras_repro.numbers.tolerances import Tolerances, tolerance_of
from keras_repro.recorder import contract
from keras_repro.recorder.contract import CONDITIONS
from keras_repro.runs.causes import COMPUTING
from keras_repro.runs.chain import HistoryEntry, linked, written
from keras_repro.runs.costs import final_cost
from keras_repro.runs.documents import read_document
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.npz import Npz, join
from keras_repro.runs.regular_file import Held
from keras_repro.runs.run import SAMPLES, ArrayFacts, Origin, Run, open_arrays
from keras_repro.runs.summaries import (
    SUMMARIES,
    Kept,
    SummaryFacts,
    open_summaries,
    summaries_sha256,
)
from keras_repro.runs.together import together
from keras_repro.runs.trail import TrailFile, read_trail

FACTS = "baseline.json"
OWN_ENTRIES = (FACTS, contract.ARRAYS, contract.SAMPLES, contract.TRAIL)
TRAIL = "the SHA-256 of trail.json in hexadecimal; null where the run that was accepted had none"
PARTIAL = ".partial"  # what the name of a folder ends with in which a baseline is made


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
        """Return the tolerance of the first pattern that matches; none means exact."""
        return tolerance_of(name, self.facts.tolerances)


def baseline_folder(baselines: Path, workload: str, backend: str) -> Path:
    """Return where the baseline of a workload on a backend lies."""
    return baselines / workload / backend


def read_facts(folder: Path) -> BaselineFacts:
    """Return the facts of the baseline in ``folder``.

    Raises:
        MissingError: there is none.
        UnreadableError: they are damaged, or of a newer schema than this keras-repro reads.
    """
    return together(folder, lambda: _facts(folder), lambda: _is_aside(folder))


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

    file, samples, facts, trail = together(folder, read, lambda: _is_aside(folder))
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


def write_baseline(
    folder: Path,
    run: Run,
    workload: str,
    tolerances: dict[str, Tolerances],
    history: list[HistoryEntry],
    kept: Baseline | None = None,
    only: tuple[str, ...] = (),
) -> str:
    """Make a completed run the baseline in ``folder``, in one step; to be called under its lock.

    The last entry of ``history`` says why. Where ``only`` names patterns, the arrays that match
    none of them are those of ``kept``. What a person added to the old baseline is kept. The trail
    is always the run's own: also where not all arrays are, they are close to its.

    Returns what could not be tidied up once the new baseline stood, in a sentence; mostly nothing.

    Raises:
        CannotWriteError: the folder cannot be written.
        UnreadableError: the run's arrays are not those that it wrote, or its trail is damaged.
        What was there stands as it was.
    """
    place = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        place = Path(tempfile.mkdtemp(PARTIAL, f".{folder.name}.", folder.parent))
        staging = place / folder.name
        staging.mkdir()
        digest = _copied(run, contract.ARRAYS, run.facts.arrays_sha256, staging)
        if run.facts.summaries:
            _copied(run, contract.SAMPLES, run.facts.samples_sha256, staging)
        if run.trail.trail is not None and run.trail.content is not None:
            (staging / contract.TRAIL).write_bytes(run.trail.content)
        conditions: Origin = run.facts
        index, summaries = run.facts.arrays, run.facts.summaries
        if kept is not None and only:
            summaries = _mix(staging, run, kept, only)
            digest = file_sha256(staging / contract.ARRAYS)
            # Of what it is made of, the older facts: a cause named too often does less harm.
            conditions, index = kept.facts, {**kept.facts.arrays, **run.facts.arrays}
        arrays = {
            name: ArrayFacts(dtype=array.name, shape=list(array.shape))
            for name, array in open_arrays(staging / contract.ARRAYS, index).items()
        }
        if digest is None:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), staging / contract.ARRAYS)
        samples_sha256 = file_sha256(staging / contract.SAMPLES)
        known = summaries_sha256(summaries, samples_sha256)
        kept_facts = {*Origin.model_fields, *(c.name for c in CONDITIONS if c.is_fact)}
        origin = conditions.model_dump(mode="json", include=kept_facts)
        unknown = {"numeric_class"} if conditions.numeric_class is None else set()
        facts = {
            **{name: value for name, value in origin.items() if name not in unknown},
            "schema_version": contract.SUMMARIES_SCHEMA if summaries else contract.SCHEMA_VERSION,
            "workload": workload,
            "reason": history[-1].reason,
            "accepted": history[-1].accepted,
            "tolerances": {name: value.model_dump() for name, value in tolerances.items()},
            "arrays": {name: value.model_dump(mode="json") for name, value in arrays.items()},
            "arrays_sha256": digest,
            **({} if run.trail.sha256 is None else {"trail_sha256": run.trail.sha256}),
            "history": [written(entry) for entry in linked(history, digest, known)],
        }
        if summaries:
            facts["summaries"] = {name: one.model_dump() for name, one in summaries.items()}
            facts["samples_sha256"] = samples_sha256
        document = json.dumps(facts, indent=2, sort_keys=True, allow_nan=False) + "\n"
        (staging / FACTS).write_text(document, encoding="utf-8")
        _copy_added(folder, staging)
        written_ones = [name for name in OWN_ENTRIES if (staging / name).exists()]
        for name in (*written_ones, "."):
            _to_disk(staging / name)
        _put(staging, folder)
        return _tidied(place, folder)
    except zipfile.BadZipFile as error:
        raise UnreadableError(f"an array of {folder} or its run is damaged: {error}") from None
    except OSError as error:
        raise CannotWriteError(
            f"cannot write the baseline {folder}: {error.strerror or error}; "
            "what was there is untouched"
        ) from None
    finally:
        # Not the old baseline, where it could not be put back: the next one does that.
        if place is not None and not os.path.isdir(contract.aside(str(place / folder.name))):
            shutil.rmtree(place, ignore_errors=True)


def _copied(run: Run, name: str, expected: str | None, staging: Path) -> str | None:
    """Copy a file of a run into ``staging``; return its SHA-256.

    Raises:
        OSError: it cannot be copied.
        UnreadableError: it is not what the run wrote.
    """
    copy = staging / name
    shutil.copyfile(run.folder / name, copy)
    digest = file_sha256(copy)
    if expected is None:
        what = name.partition(".")[0]
        raise UnreadableError(
            f"{run.folder / contract.FACTS} has no SHA-256 of the {what}; train again"
        )
    if digest != expected:
        raise UnreadableError(
            f"{run.folder / name} is not what the run wrote: edited, or replaced by "
            "another training meanwhile; train again, and look before you accept"
        )
    return digest


def _mix(staging: Path, run: Run, kept: Baseline, only: tuple[str, ...]) -> dict[str, SummaryFacts]:
    """Let the files in ``staging`` have the run's arrays that match ``only``, else the old ones.

    Returns the summaries among them. Raises OSError and BadZipFile.
    """
    for name, mine, theirs in (
        (contract.ARRAYS, list(run.arrays), list(kept.arrays)),
        (contract.SAMPLES, list(run.facts.summaries), list(kept.summaries)),
    ):
        taken, left = matching(mine, only), set(theirs) - set(matching(theirs, only))
        sources = [(staging / name, taken), (kept.folder / name, left)]
        mixed = staging / f"{name}.mixed"
        join(mixed, [(path, names) for path, names in sources if names])
        mixed.replace(staging / name)
        if name == contract.SAMPLES and not taken and not left:
            (staging / name).unlink()
    return {
        name: facts
        for facts_of, wanted in ((kept.facts.summaries, False), (run.facts.summaries, True))
        for name, facts in facts_of.items()
        if bool(matching([name], only)) is wanted
    }


def _sweep(folder: Path) -> None:
    """Remove what killed ones left beside ``folder``, as far as that goes."""
    for path in _partial(folder):
        _put_back(Path(contract.aside(str(path / folder.name))), folder)
        shutil.rmtree(path, ignore_errors=True)


def _is_aside(folder: Path) -> bool:
    """Whether accept has moved the baseline in ``folder`` aside, to put another in its place."""
    try:
        places = _partial(folder)
    except OSError:  # where nothing lies, nothing is aside
        return False
    return any(os.path.isdir(contract.aside(str(path / folder.name))) for path in places)


def _partial(folder: Path) -> list[Path]:
    """Return the folders beside ``folder`` in which its next one is written. Raises OSError."""
    named = re.compile(rf"\.{re.escape(folder.name)}(\.[a-z0-9_]+)?{re.escape(PARTIAL)}")
    # Of something else, rmtree would wait for a pipe's writer.
    return [x for x in folder.parent.iterdir() if named.fullmatch(x.name) and x.is_dir()]


def _put_back(aside: Path, folder: Path) -> None:
    if aside.is_dir() and not os.path.lexists(folder):
        aside.rename(folder)


def _copy_added(folder: Path, staging: Path) -> None:
    """Copy what a person added to the old baseline: before the exchange all of it can fail."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in OWN_ENTRIES:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, staging / path.name, symlinks=True)
        else:
            shutil.copy2(path, staging / path.name, follow_symlinks=False)


def _put(staging: Path, folder: Path) -> None:
    """Put a baseline in its place, and the old one in the place of ``staging``.

    Raises:
        OSError: the old one stands.
    """
    new = staging.stat()
    try:
        if folder.is_dir():
            contract.exchange(str(staging), str(folder))
        else:
            staging.rename(folder)
    except OSError:
        # Where two folders cannot be swapped in one step, either may stand, or none.
        if folder.is_dir() and os.path.samestat(folder.stat(), new):
            return
        _put_back(Path(contract.aside(str(staging))), folder)
        raise


def _tidied(place: Path, folder: Path) -> str:
    """Remove the old baseline; return what is to be said where that is not possible."""
    try:
        _to_disk(folder.parent)
        shutil.rmtree(place)
    except OSError as error:
        return (
            f"the new baseline stands in {folder}, but the old one could not be removed: "
            f"{error.strerror or error}; remove {place}"
        )
    return ""


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
