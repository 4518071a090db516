"""Make runs the new baselines, on purpose: what would change, then the change itself."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.errors import (
    DriftError,
    KerasReproError,
    MissingError,
    RunFailedError,
    UnreadableError,
    UsageError,
)
from keras_repro.numbers.comparison import Comparison, Verdict, matching
from keras_repro.numbers.tolerances import Tolerances
from keras_repro.recorder import contract
from keras_repro.runs import by_class
from keras_repro.runs.array_verdict import array_verdict
from keras_repro.runs.baselines import (
    Baseline,
    BaselineFacts,
    edited_message,
    environment,
    past,
    read_baseline,
    read_facts,
)
from keras_repro.runs.causes import Cause, likely_causes
from keras_repro.runs.chain import HistoryEntry
from keras_repro.runs.costs import final_cost, first_bad_cost
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.locks import locked_folder
from keras_repro.runs.repeated import not_repeated
from keras_repro.runs.run import Run
from keras_repro.runs.write_baseline import write_baseline
from keras_repro.studies.check import Place, compare_stored, good_run, no_match


@dataclass(frozen=True)
class Proposal:
    """A run that may become a baseline, and what that would change.

    ``before`` is None where no baseline stands, or one whose arrays cannot be read: there is
    nothing to compare. ``facts`` are the old baseline's, None where there is none. ``folder`` is
    where the new one goes: the plain one, or that of the run's numeric class.
    """

    backend: Backend
    run: Run
    folder: Path
    before: Baseline | None
    facts: BaselineFacts | None
    comparisons: list[Comparison]
    causes: list[Cause]
    only: tuple[str, ...] = ()
    stale: bool = False  # the script was changed since
    parted: str | None = None  # the array in which another run of the same seed parts from it


def check_asked(reason: str) -> None:
    """Raise UsageError where a reason is missing, or no person is at work."""
    if not reason.strip():
        raise UsageError('nothing was accepted: say why with --reason "..."')
    try:
        reason.encode()
    except UnicodeEncodeError:  # what the terminal sent; no document could be read that has it
        raise UsageError("nothing was accepted: the reason is no text; write it anew") from None
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        raise UsageError("nothing was accepted: CI is set, and only a person may accept baselines")


@contextmanager
def alone(folders: list[Path], on_wait: Callable[[Path], None]) -> Iterator[None]:
    """Keep these baselines from every other accept: what was compared is what is replaced.

    ``on_wait`` is called with a folder that another accept holds, before waiting for it.

    Raises:
        CannotWriteError: one of the folders cannot be locked.
    """
    with ExitStack() as held:
        # Always in the same order: two that want the same ones do not wait for each other.
        for folder in sorted({folder.resolve(): folder for folder in folders}.items()):
            held.enter_context(locked_folder(folder[1], lambda: on_wait(folder[1])))  # noqa: B023
        yield


def propose(
    place: Place,
    backend: Backend,
    only: tuple[str, ...] = (),
    unrepeatable: bool = False,
    for_this_class: bool = False,
) -> Proposal:
    """Return what accepting the last run would change. ``only`` limits it to some arrays.

    ``unrepeatable`` lets through a run from which another of the same seed parted. The run becomes
    the baseline of its numeric class where there is one, or where ``for_this_class`` asks for one;
    else the plain one.

    Raises:
        MissingError, UnreadableError: there is no run, or it or its trail cannot be read, or the
            facts of the baseline cannot, with the history and the tolerances in them.
        RunFailedError: it failed, or its costs are not numbers.
        UsageError: ``only`` matches no array, or there is no baseline to keep the others of; or the
            numeric class of the run is not known, and was asked for.
        DriftError: an array that ``only`` leaves out is not close to its baseline; or another run
            of the same seed parted from this one.
    """
    run = good_run(place, backend)
    if (parted := not_repeated(run.folder)) is not None and not unrepeatable:
        raise DriftError(
            f"nothing was accepted: {backend.name} did not repeat: two runs of the same seed "
            f"differ in {parted}; find out why ({place.command('train', backend, '--repeat 3')}), "
            "or accept these numbers all the same with --unrepeatable"
        )
    run.trail.trail  # noqa: B018 - it becomes the baseline's, if it can be read
    if (bad := first_bad_cost(run.arrays)) is not None:
        raise RunFailedError(
            f"{bad[0]} of {backend.name} is not finite and cannot be a baseline; train again"
        )
    stale = run.facts.script_sha256 != file_sha256(place.of.script_path)
    folder = _folder(place.baseline(backend), run, for_this_class)
    try:
        facts = read_facts(folder)
    except MissingError as error:
        if only:
            raise UsageError(f"{error}; accept all arrays first, without --only") from None
        return Proposal(backend, run, folder, None, None, [], [], stale=stale, parted=parted)
    causes = likely_causes(run.facts, facts)
    try:
        before = read_baseline(folder)
    except UnreadableError:
        if only:
            raise
        return Proposal(backend, run, folder, None, facts, [], causes, stale=stale, parted=parted)
    if only and before.edited:
        raise UnreadableError(
            f"--only would keep a part of this baseline, and {edited_message(before)}"
        )
    comparisons = compare_stored(run.all_arrays, before.all_arrays, place.tolerance_of(before))
    if only:
        comparisons = _those_of(comparisons, only, backend)
    return Proposal(
        backend, run, folder, before, before.facts, comparisons, causes, only, stale, parted
    )


def _folder(plain: Path, run: Run, for_this_class: bool) -> Path:
    """Return where the run's baseline goes. Raises UsageError."""
    if for_this_class:
        return by_class.folder_of_class(plain, run.facts)
    choice = by_class.choose(plain, run.facts)
    return choice.folder if choice.is_own else plain


def accept(place: Place, proposal: Proposal, reason: str) -> str:
    """Make the proposed run the baseline of its backend, with the reason why.

    The tolerances of the old baseline stay; a first one takes the backend's, or the first of a
    numeric class those of the plain one. The configuration's go before both. Returns what is to be
    said of the old baseline where it could not be removed.

    Raises:
        CannotWriteError: it cannot be written; what stood there is untouched.
        UnreadableError: the run is not the one that was written.
    """
    before, run = proposal.before, proposal.run
    changes = [c for c in proposal.comparisons if c.verdict is not Verdict.IDENTICAL]
    costs_of_the_run = bool(matching([contract.TRAIN_COSTS], proposal.only))
    entry = HistoryEntry(
        accepted=datetime.now(UTC).isoformat(timespec="seconds"),
        reason=reason.strip(),
        environment=environment(run.facts),
        only=list(proposal.only),
        final_cost=final_cost(run.arrays if costs_of_the_run or before is None else before.arrays),
        changed_facts=[str(cause) for cause in proposal.causes],
        changes=None if before is None else [array_verdict(change) for change in changes],
    )
    return write_baseline(
        proposal.folder,
        run,
        place.workload,
        # The configuration's first: of several patterns that match, the first holds.
        place.of.tolerances | _tolerances(place, proposal),
        [*([] if proposal.facts is None else past(proposal.facts, before)), entry],
        before,
        proposal.only,
        None if (known := _known(place, proposal)) is None else known.calibration,
    )


def _tolerances(place: Place, proposal: Proposal) -> dict[str, Tolerances]:
    known = _known(place, proposal)
    return proposal.backend.tolerances if known is None else known.tolerances


def _known(place: Place, proposal: Proposal) -> BaselineFacts | None:
    """Return the facts whose tolerances the new baseline keeps: the old's, or the plain one's."""
    plain = place.baseline(proposal.backend)
    if proposal.facts is None and proposal.folder != plain:
        with suppress(KerasReproError):
            return read_facts(plain)
    return proposal.facts


def _those_of(
    comparisons: list[Comparison], only: tuple[str, ...], backend: Backend
) -> list[Comparison]:
    names = [comparison.name for comparison in comparisons]
    chosen = set(matching(names, only))
    if not chosen:
        raise no_match(only, names)
    others = [c for c in comparisons if c.name not in chosen and not c.verdict.passes]
    if others:
        names = [f"{comparison.name} ({comparison.verdict})" for comparison in others]
        raise DriftError(
            f"nothing was accepted: --only leaves out arrays of {backend.name} that changed too: "
            f"{', '.join(names)}; look at them (keras-repro check), or accept them as well"
        )
    return [comparison for comparison in comparisons if comparison.name in chosen]
