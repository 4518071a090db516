"""Read and accept baselines: runs that somebody accepted, with the reason why."""

import json
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from keras_repro.errors import CannotWriteError, MissingError, UnreadableError
from keras_repro.numbers.comparison import matching
from keras_repro.numbers.differences import Tolerance
from keras_repro.numbers.tolerances import Tolerances, tolerance_of
from keras_repro.recorder import contract
from keras_repro.recorder.contract import CONDITIONS
from keras_repro.runs.causes import COMPUTING
from keras_repro.runs.costs import final_cost
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.npz import Npz, join
from keras_repro.runs.published import ArrayVerdict
from keras_repro.runs.run import ArrayFacts, Origin, Run, open_arrays, read_document

FACTS = "baseline.json"
OWN_ENTRIES = (FACTS, contract.ARRAYS)


class HistoryEntry(BaseModel):
    """One acceptance: when and why, in which environment, and what changed by how much.

    ``only`` holds the patterns of the arrays that were accepted, where not all were.
    ``final_cost`` is the last training cost. ``changes`` is None where nothing stood before.
    """

    model_config = ConfigDict(extra="allow", defer_build=True)

    accepted: str
    reason: str
    environment: dict[str, str] = {}
    only: list[str] = []
    final_cost: float | None = None
    changed_facts: list[str] = []
    changes: list[ArrayVerdict] | None = None


class BaselineFacts(Origin):
    """``baseline.json``. ``history`` begins with the oldest; the last is this baseline's own."""

    schema_version: int
    workload: str
    reason: str
    accepted: str
    tolerances: dict[str, Tolerances]
    arrays: dict[str, ArrayFacts]
    arrays_sha256: str
    history: list[HistoryEntry] = Field(default=[])


@dataclass(frozen=True)
class Baseline:
    """An accepted run. ``edited`` says that its arrays are not those that were accepted."""

    folder: Path
    facts: BaselineFacts
    arrays: Npz
    edited: bool

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
        UnreadableError: it is damaged, or of a newer schema than this keras-repro reads.
    """
    facts = read_facts(folder)
    arrays = open_arrays(folder / contract.ARRAYS, facts.arrays, _remedy(folder))
    edited = file_sha256(folder / contract.ARRAYS) != facts.arrays_sha256
    return Baseline(folder, facts, arrays, edited)


def environment(facts: Origin) -> dict[str, str]:
    """Return in a few words where numbers come from, for the history."""
    known = {"engine": facts.engine, "python": facts.python, "processor": facts.cpu.model}
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
            final_cost=cost,
        )
    ]


def edited_message(baseline: Baseline) -> str:
    """Return what to say of a baseline that was edited."""
    path = baseline.folder / contract.ARRAYS
    return f"{path} is not the file that was accepted; {_remedy(baseline.folder)}"


def write_baseline(
    folder: Path,
    run: Run,
    workload: str,
    tolerances: dict[str, Tolerances],
    history: list[HistoryEntry],
    kept: Baseline | None = None,
    only: tuple[str, ...] = (),
) -> None:
    """Make a completed run the baseline in ``folder``, in one step.

    The last entry of ``history`` says why. Where ``only`` names patterns, the arrays that match
    none of them are those of ``kept``.

    Raises:
        CannotWriteError: the folder cannot be written.
        UnreadableError: the run's arrays are not those that it wrote.
        What was there stands as it was.
    """
    staging = folder.with_name(f".{folder.name}.partial")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        copy = staging / contract.ARRAYS
        shutil.copyfile(run.folder / contract.ARRAYS, copy)
        digest = file_sha256(copy)
        if digest != run.facts.arrays_sha256:
            raise UnreadableError(
                f"{run.folder / contract.ARRAYS} is not what the run wrote: edited, or replaced by "
                "another training meanwhile; train again, and look before you accept"
            )
        conditions: Origin = run.facts
        index = run.facts.arrays
        if kept is not None and only:
            taken = matching(list(run.arrays), only)
            left = set(kept.arrays) - set(matching(list(kept.arrays), only))
            mixed = staging / f"{contract.ARRAYS}.mixed"
            join(mixed, [(copy, taken), (kept.folder / contract.ARRAYS, left)])
            mixed.replace(copy)
            digest = file_sha256(copy)
            # Of what it is made of, the older facts: a cause named too often does less harm.
            conditions, index = kept.facts, {**kept.facts.arrays, **run.facts.arrays}
        arrays = {
            name: ArrayFacts(dtype=array.name, shape=list(array.shape))
            for name, array in open_arrays(copy, index).items()
        }
        kept_facts = {*Origin.model_fields, *(c.name for c in CONDITIONS if c.is_fact)}
        facts = {
            **conditions.model_dump(mode="json", include=kept_facts),
            "schema_version": contract.SCHEMA_VERSION,
            "workload": workload,
            "reason": history[-1].reason,
            "accepted": history[-1].accepted,
            "tolerances": {name: value.model_dump() for name, value in tolerances.items()},
            "arrays": {name: value.model_dump(mode="json") for name, value in arrays.items()},
            "arrays_sha256": digest,
            "history": [entry.model_dump(mode="json") for entry in history],
        }
        document = json.dumps(facts, indent=2, sort_keys=True, allow_nan=False) + "\n"
        (staging / FACTS).write_text(document, encoding="utf-8")
        for path in staging.iterdir():
            _to_disk(path)
        _put(staging, folder)
    except zipfile.BadZipFile as error:
        raise UnreadableError(f"an array of {folder} or its run is damaged: {error}") from None
    except OSError as error:
        raise CannotWriteError(
            f"cannot write the baseline {folder}: {error.strerror or error}; "
            "what was there is untouched"
        ) from None
    finally:  # where that fails, the next one does it
        shutil.rmtree(staging, ignore_errors=True)


def _put(staging: Path, folder: Path) -> None:
    """Put a baseline in its place in one last step; what a person added to the old one stays."""
    if not folder.is_dir():
        staging.rename(folder)
        return
    for old in folder.iterdir():
        new = staging / old.name
        if old.name in OWN_ENTRIES:
            continue
        if old.is_dir() and not old.is_symlink():
            shutil.copytree(old, new, symlinks=True, copy_function=_again)
        else:
            _again(old, new)
    contract.exchange(str(staging), str(folder))


def _again(old: str | Path, new: str | Path) -> None:
    """Have a file under another name too: by a link, or where there are none as a copy."""
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError:
        shutil.copy2(old, new, follow_symlinks=False)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
