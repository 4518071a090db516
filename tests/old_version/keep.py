"""Run the cases on a version, the old one say, and keep what became of them.

    python -m tests.old_version.keep PYTHON [quick|slow] [CASE...]

PYTHON is that of an environment in which the version is installed. What is kept lies in kept/, one
file for each command.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.old_version.cases import QUICK
from tests.old_version.outcome import Version
from tests.old_version.slow import SLOW
from tests.old_version.steps import Case

KNOWN = {case.name for case in (*QUICK, *SLOW)}
ENVIRONMENTS = ("keras-repro", "environments")
KEPT = Path(__file__).with_name("kept")


@contextmanager
def one_version(python: str) -> Iterator[Version]:
    """Give a version that has environments, and nothing kept of any search."""
    with tempfile.TemporaryDirectory(prefix="old-") as cache:
        link_environments(Path(cache))
        with Version(python, Path(cache)) as version:
            yield version


def of_all(python: str, cases: list[Case], side_by_side: int = 2) -> dict[str, Any]:
    """Return what became of each case on a version."""
    with tempfile.TemporaryDirectory(prefix="old-") as cache:

        def share(number: int) -> dict[str, Any]:
            with Version(python, Path(cache)) as version:
                return {case.name: version.outcome(case) for case in cases[number::side_by_side]}

        with ThreadPoolExecutor(side_by_side) as pool:
            found: dict[str, Any] = {}
            for part in pool.map(share, range(side_by_side)):
                found |= part
    return found


def link_environments(cache: Path) -> None:
    """Give a cache the environments that this machine has, by links: building takes minutes."""
    source = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), *ENVIRONMENTS)
    for environment in source.glob("*-*"):
        name = environment.name
        of_use = name.startswith(("jax-", "theano-")) and not name.endswith((".lock", ".partial"))
        if not of_use or (environment / "requirements.txt").exists():
            continue
        target = cache.joinpath(*ENVIRONMENTS, name)
        own = shutil.ignore_patterns("caches", "recorder")
        shutil.copytree(environment, target, symlinks=True, copy_function=os.link, ignore=own)
        shutil.copytree(environment / "caches", target / "caches")


def kept() -> dict[str, Any]:
    """Return what is kept of every case."""
    found: dict[str, Any] = {}
    for path in sorted(KEPT.glob("*.json")):
        found |= json.loads(path.read_text())
    return found


def write(outcomes: dict[str, Any]) -> None:
    """Keep outcomes, beside those that are kept already."""
    KEPT.mkdir(exist_ok=True)
    for group in sorted({name.partition("-")[0] for name in outcomes}):
        path = KEPT / f"{group}.json"
        before = json.loads(path.read_text()) if path.exists() else {}
        mine = {k: v for k, v in outcomes.items() if k.partition("-")[0] == group}
        lines = [
            f"{json.dumps(name)}: {json.dumps(outcome, ensure_ascii=False, separators=(',', ':'))}"
            for name, outcome in sorted({**before, **mine}.items())
            if name in KNOWN
        ]
        path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    python, which, *names = [*sys.argv[1:], "quick"] if len(sys.argv) == 2 else sys.argv[1:]
    cases = SLOW if which == "slow" else QUICK
    chosen = [case for case in cases if not names or case.name in names]
    if which == "quick":
        write(of_all(python, chosen))
    else:
        with one_version(python) as version:
            for case in chosen:  # what takes minutes is kept at once
                write({case.name: version.outcome(case)})
                print(case.name, flush=True)


if __name__ == "__main__":
    main()
