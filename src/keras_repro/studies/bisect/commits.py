"""Find the commit of the user's own after which a workload's numbers differ."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import CannotWriteError, UsageError
from keras_repro.project.workload import Workload
from keras_repro.studies.bisect.releases import (
    Bisection,
    Span,
    baseline_of,
    check_ends,
    first_changes,
    judge_of,
    with_extra,
)
from keras_repro.studies.bisect.search import Point, Search, search
from keras_repro.studies.check import Place
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Probe, probe

SHORT = 10  # characters of a commit's name


class _GitError(Exception):
    """git failed; the message is what it said."""


def start(
    place: Place,
    backend: Backend,
    span: str,
    tolerance: str | float,
    only: tuple[str, ...],
    jobs: int,
) -> Search:
    """Return the commits to search, from ``GOOD..BAD``: those that led from one to the other.

    Raises:
        UsageError: there is no such range, or the script is in no git repository.
    """
    good, dots, bad = span.partition("..")
    if not dots or not good or not bad or bad.startswith("."):
        raise UsageError(f"--script-change {span!r} is no range; write it as in v1.0..main")
    root = repository(place.of)
    first, last = _commit(root, good), _commit(root, bad)
    if first == last:
        raise UsageError(f"{good} and {bad} are the same commit; name two")
    if not _leads(root, first, last):
        if _leads(root, last, first):
            raise UsageError(f"{good} comes after {bad}: swap them: --script-change {bad}..{good}")
        raise UsageError(f"{bad} does not come from {good}; name a commit that it comes from")
    # Along the first parents each is the next one's; what a merge brought in is the merge's.
    listed = ["rev-list", "--reverse", "--first-parent", f"{first}..{last}"]
    commits = [first, *_git(root, *listed).split()]
    points = [_point(root, commit) for commit in commits]
    judge = judge_of(place, backend, tolerance, only, baseline_of(place, backend))
    return Search(points, judge, jobs=jobs)


def finish(place: Place, backend: Backend, state: Search, engine: Engine) -> Bisection:
    """Search the commits, each in a worktree of its own; the user's checkout is not touched.

    Raises as bisect.finish does.
    """
    workload = place.of
    root = repository(workload)
    backend = with_extra(backend, workload)

    def try_point(at: int, progress: Progress) -> Probe:
        label = state.points[at].label
        with _worktree(root, label) as tree:
            there = _in(tree, root, workload)
            if not there.script_path.is_file():
                return Probe(backend, None, f"there is no {workload.script} in it")
            return probe(there, backend, engine, progress)

    search(state, try_point, backend, engine)
    good = state.points[0].label
    check_ends(state, Span.COMMITS, good)
    changes = first_changes(state)
    return Bisection(place, backend, Span.COMMITS, Span.COMMITS, state, changes, good)


def repository(workload: Workload) -> Path:
    """Return the top of the git repository that a workload's script is in. Raises UsageError."""
    script = workload.script_path
    try:
        root = Path(_git(script.parent, "rev-parse", "--show-toplevel").strip()).resolve()
    except (_GitError, OSError):
        root = None
    if root is None or workload.is_builtin:
        raise UsageError(
            f"{script.name} is in no git repository of yours, so it has no history to search; "
            "name a script that is"
        )
    if not workload.folder.resolve().is_relative_to(root):
        raise UsageError(f"{script.name} runs in {workload.folder}; go into {root} to search it")
    return root


def _in(tree: Path, root: Path, workload: Workload) -> Workload:
    """Return a workload as it is in a worktree; data that lie in the repository stay the user's."""
    inside = workload.folder.resolve().relative_to(root)
    return replace(workload, folder=tree / inside)


def _point(root: Path, commit: str) -> Point:
    shown = _git(root, "show", "-s", "--format=%cs%x00%s%x00%P", commit).strip("\n")
    when, subject, parents = shown.split("\0")
    merge = f"; a merge, search its branch too: {commit[:SHORT]}^..{commit[:SHORT]}^2"
    return Point(commit[:SHORT], f"{when}, {subject}{merge if ' ' in parents else ''}")


@contextmanager
def _worktree(root: Path, commit: str) -> Iterator[Path]:
    """Check a commit out in a folder of our own, always the same for it, while entered."""
    name = sha256(str(root).encode()).hexdigest()[:16]
    tree = user_cache_path("keras-repro") / "worktrees" / name / commit
    tree.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{tree}.lock"):  # another search may want it too
        yield from _checked_out(root, commit, tree)


def _checked_out(root: Path, commit: str, tree: Path) -> Iterator[Path]:
    try:
        if not (tree / ".git").exists():
            _git(root, "worktree", "prune")
            _git(root, "worktree", "add", "--force", "--detach", str(tree), commit)
        yield tree
    except _GitError as error:
        raise CannotWriteError(f"cannot check {commit} out in {tree}: {error}") from None
    finally:
        subprocess.run(
            ["git", "-C", str(root), "worktree", "remove", "--force", str(tree)],
            capture_output=True,
            check=False,
        )


def _commit(root: Path, name: str) -> str:
    try:
        return _git(root, "rev-parse", "--verify", "--end-of-options", f"{name}^{{commit}}").strip()
    except _GitError:
        raise UsageError(f"there is no commit {name!r} in {root}") from None


def _leads(root: Path, first: str, last: str) -> bool:
    command = ["git", "-C", str(root), "merge-base", "--is-ancestor", first, last]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise _GitError(" ".join(done.stderr.split())[:300])
    return done.stdout
