"""`make faults-planted`: the campaign catches faults that are planted in the code.

Each of ``planted/*.patch`` is applied to a copy of ``src``, and a small part of the campaign, which
the patch names, has to fail with it as it does not without it.
"""

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.starts import ROOT

PATCHES = Path(__file__).with_name("planted")
SAMPLE = "sample: "
SEED = "planted"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults-planted", description=__doc__)
    parser.add_argument("--library", type=Path, required=True, help="inject.so")
    parser.add_argument("names", nargs="*", help="only these, without .patch")
    options = parser.parse_args()
    library = options.library.resolve()
    missed = 0
    before: dict[str, set[str]] = {}
    for patch in sorted(PATCHES.glob("*.patch")):
        if options.names and patch.stem not in options.names:
            continue
        what, sample = patch.read_text().splitlines()[:2]
        asked = sample.removeprefix(SAMPLE)
        if asked not in before:
            before[asked] = _failures(_campaign(ROOT / "src", library, asked))
        with tempfile.TemporaryDirectory(prefix="planted-") as folder:
            done = _campaign(_patched(Path(folder), patch), library, asked)
        caught = done.returncode == 1 and _failures(done) - before[asked]
        missed += not caught
        print(f"{'caught' if caught else 'MISSED':8}{patch.stem:26}{what}", flush=True)
        if not caught:
            print(done.stdout + done.stderr, flush=True)
    return int(missed > 0)


def _failures(done: "subprocess.CompletedProcess[str]") -> set[str]:
    """Return the lines of failures, without what is said of each besides."""
    lines = done.stdout.splitlines()
    return {re.split(r" [\[(<]", line)[0] for line in lines if line.startswith("FAILED")}


def _patched(folder: Path, patch: Path) -> Path:
    """Return a copy of src in ``folder`` with a patch applied."""
    subprocess.run(["cp", "-R", ROOT / "src", folder], check=True)
    # Nor the repository that the folder may lie in: git would pass over files outside it.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)}
    command = ["git", "apply", "-C1", patch]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{patch.name} does not apply any more; make it anew: {done.stderr}")
    return folder / "src"


def _campaign(source: Path, library: Path, asked: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tests.faults", "--library", str(library), "--seed", SEED]
    return subprocess.run(
        [*command, *shlex.split(asked)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{source}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
