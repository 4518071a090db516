"""Which packages move only together, since a release of one pins the other."""

from collections.abc import Iterable

from packaging.version import Version

from keras_repro import backends
from keras_repro.backends import Backend
from keras_repro.packages import resolve
from keras_repro.packages.resolve import DoesNotInstallError, Move


def pins(backend: Backend, moved: Iterable[Move]) -> dict[str, list[str]]:
    """Return {package: those that its release pins}, of the packages that moved to a backend.

    A release pins a package that it requires itself where neither of the two is to be had without
    the other, and where it takes no other minor release of it: jax 0.6.1 takes jaxlib 0.6.1 alone,
    and tensorflow 2.17.0 any tensorboard 2.17. The resolver is asked what goes with what, so that
    a range counts for the releases that there are in it.

    Raises:
        UnavailableError: the index cannot be reached.
    """
    there = {m.package: m for m in moved if m.before is not None and m.after is not None}
    asking = _asking(backend) if len(there) > 1 else {}
    found: dict[str, list[str]] = {}
    for package, move in there.items():
        for head in sorted(asking.get(package, set()) & set(there)):
            if _pins(backend, there[head], move):
                found.setdefault(head, []).append(package)
    return found


def _pins(backend: Backend, head: Move, pinned: Move) -> bool:
    version = Version(pinned.after or "")
    line = f"{version.major}.{version.minor}"
    above = f"{version.major}.{version.minor + 1}"
    new = f"{head.package}=={head.after}"
    return not (
        _go_together(backend, new, f"{pinned.package}=={pinned.before}")
        or _go_together(
            backend, f"{head.package}=={head.before}", f"{pinned.package}=={pinned.after}"
        )
        or _go_together(backend, new, f"{pinned.package}<{line}")
        or _go_together(backend, new, f"{pinned.package}>={above}")
    )


def _go_together(backend: Backend, *requirements: str) -> bool:
    try:
        resolve.compiled(backend, requirements)
    except DoesNotInstallError:
        return False
    return True


def _asking(backend: Backend) -> dict[str, set[str]]:
    """Return {package: those that require it} of an environment."""
    lines = [f"{name}=={version}" for name, version in resolve.whole(backend).items()]
    lock = resolve.compiled(backend, lines, annotate=True)
    return {name: _named_in(entry) for name, entry in backends.entries(lock).items()}


def _named_in(entry: str) -> set[str]:
    """Return the packages that uv's comment in a lock's entry names: "# via jax", say."""
    comments = [line.partition("#")[2].split() for line in entry.splitlines() if "#" in line]
    words = [word for comment in comments for word in comment if comment[0] != "-r"]
    return set(words) - {"via"}
