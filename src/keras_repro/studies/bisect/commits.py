"""The user's own commits, as something to search."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from keras_repro.backends import Backend
from keras_repro.errors import CannotWriteError, UsageError
from keras_repro.packages import extra
from keras_repro.project.workload import Workload
from keras_repro.studies.bisect.explanation import Differs, Explanation
from keras_repro.studies.bisect.searchable import NothingThereError, Point, Range, Unit
from keras_repro.studies.check import Place

SHORT = 10  # characters of a commit's name


class _GitError(Exception):
    """git failed; the message is what it said."""


@dataclass
class Commits:
    """Commits, each in a worktree of its own; the user's checkout is not touched."""

    range: Range
    root: Path

    @contextmanager
    def at(self, point: Point) -> Iterator[tuple[Workload, Backend]]:
        """Return the workload as it is in a commit, and its environment."""
        workload = self.range.place.of
        files, inline = workload.requirement_files, workload.requirements
        backend = extra.with_extra(self.range.backend, files, inline)
        with _worktree(self.root, point.label) as tree:
            # Data that lie in the repository stay the user's.
            there = replace(
                workload, folder=tree / workload.folder.resolve().relative_to(self.root)
            )
            if not there.script_path.is_file():
                raise NothingThereError(f"there is no {workload.script} in it")
            yield there, backend

    def explain(self, good: Backend, bad: Backend, differs: Differs) -> Explanation | None:  # noqa: ARG002 - the protocol's
        """Return None: the commit is the reason."""
        return None


def search_commits(place: Place, backend: Backend, good: str, bad: str) -> Commits:
    """Return the commits that led from one to the other.

    Raises:
        UsageError: one of them does not exist, neither leads to the other, or the script is in no
            git repository.
    """
    root = repository(place.of)
    first, last = _commit(root, good), _commit(root, bad)
    if first == last:
        raise UsageError(f"{good} and {bad} are the same commit; name two")
    if not _leads(root, first, last):
        if _leads(root, last, first):
            raise UsageError(f"{good} comes after {bad}: swap them: --good {bad} --bad {good}")
        raise UsageError(f"{bad} does not come from {good}; name a commit that it comes from")
    # Along the first parents each is the next one's; what a merge brought in is the merge's.
    listed = ["rev-list", "--reverse", "--first-parent", f"{first}..{last}"]
    points = [_point(root, commit) for commit in [first, *_git(root, *listed).split()]]
    return Commits(Range(place, backend, Unit.COMMIT, Unit.COMMIT, points[0].label, points), root)


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


def _point(root: Path, commit: str) -> Point:
    shown = _git(root, "show", "-s", "--format=%cs%x00%s%x00%P", commit).strip("\n")
    when, subject, parents = shown.split("\0")
    merged = f"; {_branch(root, commit)}" if " " in parents else ""
    return Point(commit[:SHORT], f"{when}, {subject}{merged}")


def _branch(root: Path, merge: str) -> str:
    """Return how to search what a merge brought in."""
    try:
        base = _git(root, "merge-base", f"{merge}^1", f"{merge}^2").strip()
    except _GitError:  # the two have nothing in common
        return "a merge of another history"
    good, bad = base[:SHORT], f"{merge[:SHORT]}^2"
    return f"a merge, search its branch too: --good {good} --bad {bad}"


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
