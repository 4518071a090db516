"""Write baselines: a run that is accepted, or what a calibration measured of one that stands."""

import errno
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

from keras_repro.errors import UnreadableError
from keras_repro.numbers.comparison import matching
from keras_repro.numbers.tolerances import Tolerances
from keras_repro.recorder import contract
from keras_repro.recorder.contract import CONDITIONS
from keras_repro.runs.baselines import FACTS, OWN_ENTRIES, Baseline, edited_message
from keras_repro.runs.calibration import CalibrationFacts, calibration_sha256
from keras_repro.runs.chain import HistoryEntry, Link, linked, written
from keras_repro.runs.documents import MAX_FACTS_BYTES, read_bytes
from keras_repro.runs.ensemble import FILE, EnsembleFacts, content_sha256, document
from keras_repro.runs.ensemble import written as written_ensemble
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.npz import join
from keras_repro.runs.replace_folder import replace_folder
from keras_repro.runs.run import ArrayFacts, Origin, Run, open_arrays
from keras_repro.runs.summaries import SummaryFacts, summaries_sha256


def write_baseline(
    folder: Path,
    run: Run,
    workload: str,
    tolerances: dict[str, Tolerances],
    history: list[HistoryEntry],
    kept: Baseline | None = None,
    only: tuple[str, ...] = (),
    calibration: CalibrationFacts | None = None,
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

    def fill(staging: Path) -> None:
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
        kept_facts = {*Origin.model_fields, *(c.name for c in CONDITIONS if c.is_fact)}
        origin = conditions.model_dump(mode="json", include=kept_facts)
        unknown = {"numeric_class"} if conditions.numeric_class is None else set()
        link = Link(
            arrays_sha256=digest,
            summaries_sha256=summaries_sha256(summaries, samples_sha256),
            calibration_sha256=calibration_sha256(calibration),
        )
        facts = {
            **{name: value for name, value in origin.items() if name not in unknown},
            "schema_version": contract.SUMMARIES_SCHEMA if summaries else contract.SCHEMA_VERSION,
            "workload": workload,
            "tolerances": {name: value.model_dump() for name, value in tolerances.items()},
            "arrays": {name: value.model_dump(mode="json") for name, value in arrays.items()},
            "arrays_sha256": digest,
            **({} if run.trail.sha256 is None else {"trail_sha256": run.trail.sha256}),
            **_history(history, link),
        }
        if summaries:
            facts["summaries"] = {name: one.model_dump() for name, one in summaries.items()}
            facts["samples_sha256"] = samples_sha256
        if calibration is not None:
            facts["calibration"] = calibration.model_dump(mode="json")
        _write_facts(facts, staging)

    try:
        return replace_folder(folder, "baseline", OWN_ENTRIES, fill)
    except zipfile.BadZipFile as error:
        raise UnreadableError(f"an array of {folder} or its run is damaged: {error}") from None


def write_calibration(
    baseline: Baseline, calibration: CalibrationFacts, history: list[HistoryEntry]
) -> str:
    """Write what was measured into a baseline that stands, in one step; under its lock.

    The last entry of ``history`` says why. All else stays. Returns as write_baseline does.

    Raises:
        CannotWriteError: the folder cannot be written.
        UnreadableError: its files are not those that were accepted.
        What was there stands as it was.
    """
    facts, folder = baseline.facts, baseline.folder

    def fill(staging: Path) -> None:
        document = json.loads(read_bytes(folder / FACTS, MAX_FACTS_BYTES))
        for name in OWN_ENTRIES:
            if name != FACTS and (folder / name).is_file():
                shutil.copyfile(folder / name, staging / name)
        if file_sha256(staging / contract.ARRAYS) != facts.arrays_sha256:
            raise UnreadableError(edited_message(baseline))
        link = Link(
            arrays_sha256=facts.arrays_sha256,
            summaries_sha256=summaries_sha256(facts.summaries, facts.samples_sha256),
            calibration_sha256=calibration_sha256(calibration),
        )
        calibrated = {"calibration": calibration.model_dump(mode="json")}
        _write_facts({**document, **_history(history, link), **calibrated}, staging)

    return replace_folder(folder, "baseline", OWN_ENTRIES, fill)


def write_ensemble(folder: Path, facts: EnsembleFacts, history: list[HistoryEntry]) -> str:
    """Put an ensemble beside the baseline in ``folder``, in one step; under its lock.

    The last entry of ``history`` says why. All else stays; there need be no baseline. Returns as
    write_baseline does.

    Raises:
        CannotWriteError: the folder cannot be written. What was there stands as it was.
    """
    link = Link(arrays_sha256=content_sha256(facts))

    def fill(staging: Path) -> None:
        (staging / FILE).write_bytes(
            written_ensemble({**document(facts), **_history(history, link)})
        )

    return replace_folder(folder, "baseline", (FILE,), fill)


def _history(history: list[HistoryEntry], link: Link) -> dict[str, Any]:
    last = history[-1]
    return {
        "reason": last.reason,
        "accepted": last.accepted,
        "history": [written(entry) for entry in linked(history, link)],
    }


def _write_facts(facts: dict[str, Any], staging: Path) -> None:
    document = json.dumps(facts, indent=2, sort_keys=True, allow_nan=False) + "\n"
    (staging / FACTS).write_text(document, encoding="utf-8")


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
