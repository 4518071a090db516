"""`make fuzz`: hostile run folders and baselines against every command that reads them.

Atheris makes the bytes (https://github.com/google/atheris). Whatever they are, a command ends
with a documented exit code; an exception is a finding, and its input is kept as ``crash-*``.
"""

import contextlib
import io
import json
import os
import shutil
import struct
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keras_repro", "numpy.lib.format", "zipfile"]):
    import numpy as np

    from keras_repro import cli
    from keras_repro.errors import ExitCode
    from keras_repro.recorder import contract
    from keras_repro.recorder.arrays import Limits
    from keras_repro.report.check import page  # noqa: F401 - imported when the command runs
    from keras_repro.runs.ensemble import EnsembleFacts, write_last
    from keras_repro.studies.ensemble.accept import accept_ensemble
    from tests.unit.made import ensemble, make_run
    from tests.unit.trails import links

HERE = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
RUN = HERE / "artifacts" / "regression" / "jax"
BASELINE = HERE / "baselines" / "regression" / "jax"
OTHER = HERE / "other"
LAST = RUN.with_name("jax.ensemble.json")
COMMANDS = (
    ("compare", OTHER, RUN),
    ("compare", BASELINE, RUN, "--format", "json"),
    ("compare", RUN, OTHER, "--format", "markdown"),
    ("equivalent", "--backend", "jax"),
    ("equivalent", LAST, LAST, "--format", "json"),
    ("check", "--backend", "jax"),
    ("check", "--backend", "jax", "--format", "json", "--only", "*"),
    ("check", "--backend", "jax", "--format", "markdown"),
    ("history", "--backend", "jax"),
    ("accept", "--backend", "jax", "--reason", "fuzz", "--yes"),
    ("accept", "--backend", "jax", "--reason", "fuzz", "--yes", "--only", "costs/*"),
    ("report", "--backend", "jax", "-o", HERE / "report.html"),
    ("verify", "--backend", "jax", "--format", "json"),
)
FILES = (
    RUN / contract.ARRAYS,
    RUN / contract.FACTS,
    RUN / contract.INPUTS,
    RUN / contract.LOG,
    RUN / contract.SAMPLES,
    RUN / contract.TRAIL,
    BASELINE / contract.ARRAYS,
    BASELINE / "baseline.json",
    BASELINE / contract.SAMPLES,
    BASELINE / contract.TRAIL,
    BASELINE / "ensemble.json",
    LAST,
)


def run(*arguments: object) -> int:
    """Run a command in this process; return its exit code."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli._guarded(lambda: cli.cli.main(list(map(str, arguments)), standalone_mode=False))
    assert code in set(ExitCode), code
    assert "Traceback" not in said.getvalue()
    return code


def valid() -> dict[Path, bytes]:
    """Return the content of every file of a run, a baseline and another run."""
    arrays = {
        "costs/train": np.linspace(2, 1, 5, dtype=np.float32),
        "weights/0.dense.kernel": np.ones((2, 2), np.float16),
        "weights/bfloat16": np.zeros(2, "V2"),
        "predictions/0": np.arange(4.0).reshape(4, 1),
        "predictions/1": np.array([1 + 2j, 3]),
        "predictions/2": np.array(["one", "two"]),
        "predictions/3": np.array([1, 2], np.int8),
        "predictions/4": np.arange(9_000, dtype=np.float32),
    }
    make_run(RUN, arrays, trail=links(), limits=Limits(30_000, 1 << 30))
    make_run(OTHER, arrays, seed=2, trail=links(2))
    facts = json.loads((RUN / contract.FACTS).read_text())
    facts["arrays"]["weights/bfloat16"]["dtype"] = "bfloat16"
    (RUN / contract.FACTS).write_text(json.dumps(facts))
    given = {
        "predictions/0.x": np.arange(4.0),
        "tests/0.x": np.arange(4.0),
        "tests/0.y": np.ones(4),
    }
    np.savez(RUN / contract.INPUTS, **given)
    (RUN / contract.LOG).write_text("a line\n")
    assert run("accept", "--backend", "jax", "--reason", "x", "--yes") == 0
    assert run("check", "--backend", "jax") == 0
    facts = EnsembleFacts.model_validate(ensemble(costs__test=[1.0, 2.0, 4.0]))
    write_last(LAST, facts)
    accept_ensemble(BASELINE, facts, "x")
    return {path: path.read_bytes() for path in HERE.rglob("*") if path.is_file()}


def npy(data: atheris.FuzzedDataProvider) -> bytes:
    """Return an npy file with a header of any kind."""
    dtypes = [
        "<f4",
        "<f2",
        "<f8",
        "|V2",
        "<c8",
        "|b1",
        "<i8",
        ">f4",
        "<U3",
        "|S4",
        "<M8[s]",
        "<f16",
    ]
    dtype = data.PickValueInList(dtypes) if data.ConsumeBool() else data.ConsumeUnicode(12)
    sides = [data.ConsumeIntInRange(0, 5) for _ in range(data.ConsumeIntInRange(0, 3))]
    header = {"descr": dtype, "fortran_order": data.ConsumeBool(), "shape": tuple(sides)}
    text = repr(header).encode("utf-8", "replace") if data.ConsumeBool() else data.ConsumeBytes(80)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data.ConsumeBytes(200)


def mutated(path: Path, content: bytes, data: atheris.FuzzedDataProvider) -> bytes:
    """Return a file's content, changed."""
    how = data.ConsumeIntInRange(0, 4)
    if how == 0:
        return data.ConsumeBytes(2000)
    if how == 1:
        return content[: data.ConsumeIntInRange(0, len(content))]
    if how == 2 and path.suffix == ".npz":
        buffer = io.BytesIO()
        names = ["costs/train", "weights/0.dense.kernel", "weights/bfloat16", "predictions/0"]
        with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
            warnings.simplefilter("ignore")
            for _ in range(data.ConsumeIntInRange(0, 3)):
                name = data.PickValueInList([*names, "a" + data.ConsumeUnicodeNoSurrogates(9)])
                archive.writestr(f"{name}.npy", npy(data))
        return buffer.getvalue()
    if how == 2 and path.suffix == ".json":
        document = json.loads(content)
        for _ in range(data.ConsumeIntInRange(1, 3)):
            value = data.ConsumeUnicode(40)
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(value)
            document[data.PickValueInList(sorted(document))] = value
        return json.dumps(document).encode()
    changed = bytearray(content)
    for _ in range(data.ConsumeIntInRange(1, 4)):
        if changed:
            changed[data.ConsumeIntInRange(0, len(changed) - 1)] = data.ConsumeIntInRange(0, 255)
    return bytes(changed)


def one_input(content: bytes) -> None:
    """Change some of the files and run one of the commands."""
    data = atheris.FuzzedDataProvider(content)
    for path, good in GOOD.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(good)
    for _ in range(data.ConsumeIntInRange(1, 2)):
        path = data.PickValueInList(list(FILES))
        path.write_bytes(mutated(path, GOOD[path], data))
    number = data.ConsumeIntInRange(0, 10 * len(COMMANDS) - 1)  # the report takes a second
    run(*COMMANDS[number % (len(COMMANDS) - 1) if number < 10 * len(COMMANDS) - 2 else -1])


def main() -> None:
    """Fuzz until libFuzzer's own options say enough."""
    os.chdir(HERE)
    os.environ.pop("CI", None)
    warnings.simplefilter("ignore")
    global GOOD  # noqa: PLW0603 - libFuzzer calls with the input alone
    GOOD = valid()
    atheris.Setup(sys.argv, one_input)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(HERE, ignore_errors=True)


if __name__ == "__main__":
    main()
