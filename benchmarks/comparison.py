"""Comparing two runs of 1 GB of float32 weights each: time and memory, as ratios from one run.

Each measurement is made in a process of its own, so that its peak memory is its own. The peers
read the very same files or their arrays.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from keras_repro.recorder import contract
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.facts import file_sha256

NAME = "weights/0.dense.kernel"

TIMED = """
import json, sys, time
{setup}
times = []
for _ in range({rounds}):
    started = time.perf_counter()
    {statement}
    times.append(time.perf_counter() - started)
# Not getrusage's ru_maxrss, which begins with what the parent process had.
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(json.dumps([min(times), int(peak) / 1024]))
"""
COMPARE = """
from pathlib import Path
from keras_repro.studies.compare_folders import compare_folders
"""
MEMMAP = f"""
import numpy as np
from pathlib import Path
from keras_repro.runs.npz import Npz
def mapped(folder):
    stored = Npz(Path(folder) / "arrays.npz")[{NAME!r}]
    return np.memmap(Path(folder) / "arrays.npz", stored.dtype, "r",
                     stored._piece.elements, stored.shape)
"""
ACCEPT = """
from pathlib import Path
from keras_repro.runs.chain import HistoryEntry
from keras_repro.runs.run import read_run
from keras_repro.runs.write_baseline import write_baseline
run = read_run(Path(sys.argv[1]))
entry = HistoryEntry(accepted="", reason="a benchmark")
"""
WRITE = """
import numpy as np
from keras_repro.recorder.arrays import ArrayWriter
values = np.memmap(sys.argv[1] + "/arrays.npz", np.float32, "r", 0, (int(sys.argv[2]),))
def write():
    writer = ArrayWriter(sys.argv[3])
    writer.write("weights/0", values)
    writer.close()
"""
REGRESSIONS = f"""
import time
import numpy as np
from pathlib import Path
def test_it(ndarrays_regression, pytestconfig):
    with np.load({{first!r}}) as archive:
        obtained = archive[{NAME!r}]
    expected = Path({{second!r}})
    started = time.perf_counter()
    ndarrays_regression.check(
        {{{{{NAME!r}: obtained}}}}, fullpath=expected, default_tolerance=dict(rtol=1e-5, atol=1e-7)
    )
    Path({{out!r}}).write_text(str(time.perf_counter() - started))
"""


def make_run(folder: Path, array: np.ndarray) -> Path:
    """Write a run of one array."""
    folder.mkdir()
    writer = ArrayWriter(str(folder / contract.ARRAYS))
    writer.write(NAME, array)
    writer.close()
    facts = {
        "schema_version": contract.SCHEMA_VERSION,
        "outcome": contract.COMPLETED,
        "script": "a.py",
        "script_sha256": None,
        "seed": 0,
        "started": "",
        "durations": {},
        "arrays": writer.index,
        "arrays_sha256": file_sha256(str(folder / contract.ARRAYS)),
    }
    (folder / contract.FACTS).write_text(json.dumps(facts))
    return folder


def timed(setup: str, statement: str, *arguments: object, rounds: int = 3) -> tuple[float, float]:
    """Return the least seconds and the peak memory, in MB, of a statement in its own process."""
    code = TIMED.format(setup=setup, statement=statement, rounds=rounds)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    seconds, peak = json.loads(done.stdout)
    return seconds, peak


def pytest_regressions(work: Path, first: Path, second: Path) -> float:
    """Return the seconds of ``ndarrays_regression.check`` on the arrays of two runs."""
    test, out = work / "test_it.py", work / "seconds"
    places = {"first": str(first / contract.ARRAYS), "second": str(second / contract.ARRAYS)}
    test.write_text(REGRESSIONS.format(**places, out=str(out)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", test]
    subprocess.run(command, cwd=work, check=True, stdout=subprocess.DEVNULL)
    (second / "arrays.obtained.npz").unlink(missing_ok=True)
    return float(out.read_text())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=1000, help="of each run")
    elements = parser.parse_args().megabytes * 1_000_000 // 4
    console = Console()
    table = Table("what", "against", "s", "s", "ratio", "limit", "peak MB", box=None)

    def row(what: str, against: str, mine: float, theirs: float, limit: str, peak: float) -> None:
        ratio = mine / theirs
        shown = f"{ratio:.2f}" if ratio >= 0.1 else f"1/{theirs / mine:.0f}"
        table.add_row(what, against, f"{mine:.2f}", f"{theirs:.2f}", shown, limit, f"{peak:.0f}")

    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder, console.status("…"):
        work = Path(folder)
        values = np.random.default_rng(0).standard_normal(elements, dtype=np.float32)
        first = make_run(work / "first", values)
        same = make_run(work / "same", values)
        values[elements // 2] *= np.float32(1.001)
        one = make_run(work / "one", values)
        values *= np.float32(1 + 1e-6)
        noise = make_run(work / "noise", values)
        del values
        statement = "compare_folders(Path(sys.argv[1]), Path(sys.argv[2]))"
        peer = "np.array_equal(mapped(sys.argv[1]), mapped(sys.argv[2]))"
        equal, _ = timed(MEMMAP, peer, first, same)
        plugin = pytest_regressions(work, same, first)
        for what, other in (("nothing", same), ("1 element", one), ("everything", noise)):
            mine, peak = timed(COMPARE, statement, first, other)
            limit = "" if other is noise else "3"
            row(f"{what} differs", "np.array_equal", mine, equal, limit, peak)
            row("", "ndarrays_regression", mine, plugin, "1/100", peak)
        copy, _ = timed(
            "import shutil",
            "shutil.copyfile(sys.argv[1], sys.argv[2])",
            first / contract.ARRAYS,
            work / "copy",
        )
        mine, peak = timed(
            ACCEPT,
            "write_baseline(Path(sys.argv[2]), run, 'w', {}, [entry])",
            *(first, work / "baseline"),
        )
        row("accept", "copying the file", mine, copy, "", peak)
        mine, peak = timed(WRITE, "write()", first, elements, work / "written.npz")
        beside = peak - elements * 4 / (1 << 20)  # the array itself is the script's
        row("the recorder's writing", "copying the file", mine, copy, "", beside)
    size = 2 * elements * 4 / 1e9
    console.print(f"two runs, together {size:.1f} GB of float32; peak memory: limit 300 MB")
    console.print(table)


if __name__ == "__main__":
    main()
