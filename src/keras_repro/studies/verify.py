"""Whether a baseline is what was accepted, as far as that can be told."""

import hashlib
import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.errors import ExitCode, KerasReproError, MissingError
from keras_repro.recorder import contract
from keras_repro.runs.baselines import FACTS, OWN_ENTRIES, Baseline, read_baseline, read_facts
from keras_repro.runs.by_class import all_of
from keras_repro.runs.calibration import calibration_sha256
from keras_repro.runs.chain import HistoryEntry, digest
from keras_repro.runs.ensemble import FILE as ENSEMBLE
from keras_repro.runs.ensemble import accepted
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.summaries import summaries_sha256
from keras_repro.studies.check import Place

# What Git LFS commits in place of a large file: https://github.com/git-lfs/git-lfs/blob/main/docs
LFS = re.compile(rb"version https://git-lfs\S*\noid sha256:([0-9a-f]{64})\nsize \d+\n")
LFS_BYTES, BLOCK_BYTES = 1 << 10, 1 << 20


class Result(StrEnum):
    """Whether a part of a baseline is as it was accepted."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Part:
    """What became of one part: ``arrays``, ``trail``, ``history``, ``ensemble`` or ``git``.

    ``says`` is why, in words.
    """

    name: str
    result: Result
    says: str


@dataclass(frozen=True)
class Verified:
    """What became of one baseline. ``problem`` says why it cannot be verified at all.

    ``backend`` has the numeric class behind it where the baseline is of one.
    """

    workload: str
    backend: str
    exit_code: ExitCode
    parts: list[Part] = field(default_factory=list)
    problem: str = ""


def verify(asked: list[tuple[Place, list[Backend]]]) -> list[Verified]:
    """Return what became of the baselines of workloads; backends that have none are left out.

    Raises:
        MissingError: there is none at all.
    """
    found = [
        _verified(place.workload, folder)
        for place, backends in asked
        for backend in backends
        for folder in all_of(place.baseline(backend))
    ]
    if all(one is None for one in found):
        folders = ", ".join(str(place.baselines / place.workload) for place, _ in asked)
        raise MissingError(
            f'no baselines in {folders}; train, then accept one: keras-repro accept --reason "..."'
        )
    return [one for one in found if one is not None]


def _verified(workload: str, folder: Path) -> Verified | None:
    try:
        parts = [*_of_baseline(folder), *_ensemble(folder)]
        if not parts:
            return None
        parts.append(_git(folder, _accepted_files(folder)))
    except KerasReproError as error:
        return Verified(workload, folder.name, error.exit_code, problem=str(error))
    bad = any(part.result is Result.BAD for part in parts)
    return Verified(workload, folder.name, ExitCode.UNREADABLE if bad else ExitCode.OK, parts)


def _of_baseline(folder: Path) -> list[Part]:
    """Return what became of the run that was accepted; nothing where none was."""
    try:
        baseline = read_baseline(folder)
    except MissingError:
        return []
    return [_arrays(baseline), *_trail(baseline), _history(baseline)]


def _ensemble(folder: Path) -> list[Part]:
    """Return whether the ensemble is what was accepted; nothing where there is none."""
    facts = accepted(folder)
    if facts is None:
        return []
    if not facts.history:
        return [Part("ensemble", Result.BAD, f"nobody accepted {ENSEMBLE}: it has no history")]
    last, count = facts.history[-1], len(facts.history)
    linked = all(entry.previous == digest(before) for before, entry in pairwise(facts.history))
    if facts.edited or not linked or facts.history[0].previous is not None:
        return [Part("ensemble", Result.BAD, f"{ENSEMBLE} is not what was accepted")]
    if (last.reason, last.accepted) != (facts.reason, facts.accepted):
        return [Part("ensemble", Result.BAD, f"{ENSEMBLE} is not from its last acceptance")]
    says = f"{len(facts.seeds)} seeds; {count} acceptances, each linked to the one before"
    return [Part("ensemble", Result.GOOD, says)]


def _accepted_files(folder: Path) -> list[str]:
    """Return the names of what was accepted there."""
    found = [ENSEMBLE] if (folder / ENSEMBLE).is_file() else []
    with suppress(MissingError):
        facts = read_facts(folder)
        there = {contract.TRAIL: facts.trail_sha256, contract.SAMPLES: facts.samples_sha256}
        found += [name for name in OWN_ENTRIES if there.get(name, True)]
    return found


def _arrays(baseline: Baseline) -> Part:
    if baseline.edited:
        what = f"{baseline.edited_file} is not the file that was accepted"
        return Part("arrays", Result.BAD, what)
    stored = {name: (array.name, list(array.shape)) for name, array in baseline.arrays.items()}
    listed = {name: (facts.dtype, facts.shape) for name, facts in baseline.facts.arrays.items()}
    if stored != listed:
        [name, *_] = sorted(
            name for name in {*stored, *listed} if stored.get(name) != listed.get(name)
        )
        return Part("arrays", Result.BAD, f"{name} is not as {FACTS} lists it")
    count = len(baseline.all_arrays)
    return Part("arrays", Result.GOOD, f"{count} arrays have the SHA-256 of {FACTS}")


def _trail(baseline: Baseline) -> list[Part]:
    """Return whether the trail is what was accepted; nothing where there never was one."""
    if baseline.trail_edited:
        baseline.trail.check_read()
        what = "is not the file that was accepted"
        if baseline.facts.trail_sha256 is None:
            what = f"was not accepted: {FACTS} says nothing of it"
        elif baseline.trail.content is None:
            what = "is gone"
        return [Part("trail", Result.BAD, f"{contract.TRAIL} {what}")]
    trail = baseline.trail.trail
    if trail is None:
        return []
    says = f"{len(trail.links)} links have the SHA-256 of {FACTS}"
    return [Part("trail", Result.GOOD, says)]


def _history(baseline: Baseline) -> Part:
    facts, entries = baseline.facts, baseline.facts.history
    if not entries:
        return Part("history", Result.UNKNOWN, "it was accepted before baselines had a history")
    last = entries[-1]
    if (last.reason, last.accepted) != (facts.reason, facts.accepted):
        return _edited("the last acceptance is not the one that the baseline says it is from")
    if last.arrays_sha256 not in (None, facts.arrays_sha256):
        return _edited("the last acceptance was of other arrays")
    known = summaries_sha256(facts.summaries, facts.samples_sha256)
    if last.arrays_sha256 is not None and last.summaries_sha256 != known:
        return _edited("the last acceptance was of other summaries of arrays")
    if last.arrays_sha256 is not None and last.calibration_sha256 != calibration_sha256(
        facts.calibration
    ):
        return _edited("the last acceptance was of other measured tolerances")
    if entries[0].previous is not None:
        return _edited("what came before its first acceptance is gone")
    for number, (before, entry) in enumerate(pairwise(entries), 1):
        if entry.previous not in (None, digest(before)):
            return _edited(f"acceptance {number} is not the one that the next one followed")
        if (entry.previous is None) is not (entry.arrays_sha256 is None):
            return _edited(f"acceptance {number + 1} has lost its digests")
    return _as_far_as_it_is_linked(entries)


def _as_far_as_it_is_linked(entries: list[HistoryEntry]) -> Part:
    count = len(entries)
    loose = [number for number in range(2, count + 1) if entries[number - 1].previous is None]
    if count == 1 and entries[0].arrays_sha256 is None:
        loose = [1]
    if not loose:
        return Part("history", Result.GOOD, f"{count} acceptances, each linked to the one before")
    numbers = ", ".join(map(str, loose[:5])) + (", ..." if loose[5:] else "")
    return Part(
        "history",
        Result.UNKNOWN,
        f"{count} acceptances; an older keras-repro made number {numbers}, without a digest of "
        "the one before and of the arrays: whether those changed cannot be checked",
    )


def _edited(what: str) -> Part:
    return Part("history", Result.BAD, f"{what}: {FACTS} was edited")


def _git(folder: Path, names: list[str]) -> Part:
    """Return whether what git has in its present commit is what lies there."""
    try:
        inside = _printed(folder, "rev-parse", "--is-inside-work-tree")
    except OSError:
        return Part("git", Result.UNKNOWN, "git is not installed here")
    if inside != "true":
        return Part("git", Result.UNKNOWN, "it lies in no git repository of yours")
    commit = _printed(folder, "rev-parse", "--short", "--verify", "--quiet", "HEAD^{commit}")
    for name in names:
        committed = _committed_sha256(folder, name)
        if committed is None:
            return Part("git", Result.BAD, f"{name} is not committed; commit {folder}")
        if committed != file_sha256(folder / name):
            return Part("git", Result.BAD, f"{name} is not as it was committed: git diff {folder}")
    return Part("git", Result.GOOD, f"it is as it was committed ({commit})")


def _printed(folder: Path, *arguments: str) -> str:
    """Return what git prints, nothing where it fails."""
    with _git_process(folder, *arguments) as process:
        assert process.stdout is not None
        return process.stdout.read().decode(errors="replace").strip()


def _committed_sha256(folder: Path, name: str) -> str | None:
    """Return the SHA-256 of a file as it is in the present commit, None where it is not there."""
    with _git_process(folder, "cat-file", "blob", f"HEAD:./{name}") as process:
        assert process.stdout is not None
        head = process.stdout.read(LFS_BYTES)
        found = hashlib.sha256(head)
        while block := process.stdout.read(BLOCK_BYTES):
            found.update(block)
    pointer = LFS.fullmatch(head)
    if process.returncode != 0:
        return None
    return pointer[1].decode() if pointer else found.hexdigest()


def _git_process(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    # A hook's variables are about the repository that it runs in.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return subprocess.Popen(
        ["git", "-C", str(folder), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=variables,
    )
