"""What a case is made of: command lines, and changes of the folder that they are run in.

A case is a folder and what is done in it, step by step: a string is a command line of keras-repro,
with NAME=VALUE before it where the environment counts; a function changes the folder. ``answering``
gives a command its input. Those that train are in ``slow.py``.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.old_version import fixed
from tests.old_version.fixed import ARRAYS, RICH, changed

Change = Callable[[Path], object]
# Of every kind of array, but not of every dtype.
KINDS = {name: array for name, array in RICH.items() if not name.startswith("dtypes/")}


@dataclass(frozen=True)
class Command:
    """A command line, what it is given to read, and the program where it is another."""

    arguments: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    reads: str = ""
    program: str = "keras_repro"

    @property
    def line(self) -> str:
        """The command as a person would type it."""
        name = {"keras_repro": "keras-repro"}.get(self.program, f"python -m {self.program}")
        return shlex.join(
            [*(f"{name}={value}" for name, value in self.variables.items()), name, *self.arguments]
        )


@dataclass(frozen=True)
class Case:
    """A folder, and what is done in it. ``trains`` says that runs are really made."""

    name: str
    steps: tuple[Command | Change, ...]
    trains: bool = False
    seconds: int = 60


def command(text: str, reads: str = "", program: str = "keras_repro") -> Command:
    """Return the command that a line is."""
    words, variables = shlex.split(text), {}
    while words and words[0].partition("=")[0].isupper() and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    return Command(tuple(words), variables, reads, program)


def answering(text: str, reads: str) -> Command:
    """Return a command that is given something to read."""
    return command(text, reads)


def case(name: str, *steps: str | Command | Change, **options: object) -> Case:
    """Return a case; a string is a command line."""
    made = (command(step) if isinstance(step, str) else step for step in steps)
    return Case(name, tuple(made), **options)  # type: ignore[arg-type]


def file(name: str, text: str = "") -> Change:
    """Return what writes a file."""

    def write(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def one(
    arrays=None, before=None, *, workload: str = "regression", base=None, **facts: object
) -> Change:
    """Return what writes a run on jax, and its baseline with the facts in ``base``."""

    def write(folder: Path) -> None:
        fixed.run(folder / "artifacts" / workload / "jax", arrays, **facts)
        fixed.baseline(folder / "baselines" / workload / "jax", before, **(base or {}))

    return write


def run_of(backend: str, arrays=None, workload: str = "regression", **facts: object) -> Change:
    """Return what writes a run."""
    return lambda folder: fixed.run(folder / "artifacts" / workload / backend, arrays, **facts)


def baseline_of(backend: str, arrays=None, workload: str = "regression", **facts) -> Change:
    """Return what writes a baseline."""
    return lambda folder: fixed.baseline(folder / "baselines" / workload / backend, arrays, **facts)


def failed_of(backend: str, workload: str = "regression", **facts: object) -> Change:
    """Return what writes a failed run beside a good one."""
    return lambda folder: fixed.failed(folder / "artifacts" / workload / backend, **facts)


def every_verdict(folder: Path) -> None:
    """Write a run and a baseline of each backend, so that every verdict is there."""
    many = {key: value.copy() for key, value in RICH.items()}
    odd = changed("costs/train", 1.01, at=3)
    odd["weights/0.dense.kernel"] = np.array([[np.nan]], np.float32)
    odd["weights/0.dense.bias"] = odd["weights/0.dense.bias"].astype(np.float64)
    odd["predictions/0"] = odd["predictions/0"].reshape(2, 2)
    odd["predictions/1"] = np.ones(2, np.float32)
    del odd["costs/test"]
    many["costs/train"][2:] *= np.float32(1 + 1e-6)
    many["costs/train"][4] *= np.float32(1.01)
    runs = {
        "jax": (ARRAYS, ARRAYS, {}),
        "tensorflow": (odd, ARRAYS, {"seed": 7}),
        "tensorflow1": (
            changed("weights/0.dense.kernel", 1 + 1e-6),
            ARRAYS,
            {"packages": {"keras": "3.2", "numpy": "1.18.4", "absl-py": "2"}, "image": "sha256:12"},
        ),
        "theano": (many, RICH, {"threads": 2}),
        "torch": (ARRAYS, ARRAYS, {}),
    }
    for backend, (arrays, before, facts) in runs.items():
        fixed.run(folder / "artifacts" / "regression" / backend, arrays, **facts)
        fixed.baseline(folder / "baselines" / "regression" / backend, before)
    fixed.failed(folder / "artifacts" / "regression" / "torch")


def rich(name: str, factor: float = 1.01, **facts: object) -> Change:
    """Return what writes runs of arrays of every kind, of which one array differs."""
    return one(changed(name, factor, KINDS), KINDS, **facts)


def nan_in(name: str, of=KINDS) -> Change:
    """Return what writes a run of which one array is no number."""
    arrays = {key: array.copy() for key, array in of.items()}
    arrays[name].reshape(-1)[0] = np.nan
    return one(arrays, of)


PROJECT = """\
artifacts = "made/runs"
baselines = "kept"

[workloads.small]
script = "small.py"
args = ["--epochs", "3"]
backends = ["jax", "torch"]

[workloads.large]
script = "scripts/large.py"
seed = 7
threads = 2
time_limit = "10 min"
memory_limit = "2 GB"
backends = ["jax"]

[workloads.large.environment]
MY_SETTING = "1"

[workloads.large.tolerances]
"weights/*" = { rtol = 1e-2 }
"""


def project(folder: Path) -> None:
    """Write a project of two workloads: one is as it was, of the other one backend drifts."""
    file("keras-repro.toml", PROJECT)(folder)
    file("small.py", "import keras\n")(folder)
    file("scripts/large.py", "import keras\n")(folder)
    drift = changed("costs/train", 1.5, at=0)
    for backend, arrays in (("jax", ARRAYS), ("torch", drift)):
        fixed.run(folder / "made/runs/small" / backend, arrays, script="small.py")
        fixed.baseline(folder / "kept/small" / backend, script="small.py")
    near = changed("weights/0.dense.kernel", 1.001)
    fixed.run(folder / "made/runs/large/jax", near, script="scripts/large.py", seed=7)
    fixed.baseline(folder / "kept/large/jax", script="scripts/large.py", seed=7)


def edited(path: str, **facts: object) -> Change:
    """Return what replaces values of a document."""
    return lambda folder: fixed.edit(folder / path, **facts)


def arrays_at(path: str, arrays) -> Change:
    """Return what puts other arrays in the place of those that were written."""
    return lambda folder: fixed.write_arrays(folder / path, arrays)


def cut(path: str, size: int = 60) -> Change:
    """Return what cuts a file off."""
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:size])


def flip(path: str, content: bytes) -> Change:
    """Return what changes a bit in the middle of a file."""

    def write(folder: Path) -> None:
        data = bytearray((folder / path).read_bytes())
        data[data.index(content)] ^= 1
        (folder / path).write_bytes(data)

    return write


def removed(path: str) -> Change:
    """Return what removes a file."""
    return lambda folder: (folder / path).unlink()


def pair(arrays=None, **facts: object) -> Change:
    """Return what writes two runs to compare: a, and b that has these arrays and facts."""

    def write(folder: Path) -> None:
        fixed.run(folder / "a")
        fixed.run(folder / "b", arrays, **{"backend": "a", **facts})

    return write


RUN = "artifacts/regression/jax"
BASELINE = "baselines/regression/jax"
ODD = changed("weights/0.dense.kernel", 1.001)
NEAR = changed("weights/0.dense.kernel", 1 + 1e-6)
ACCEPT = "accept --backend jax --reason 'a good reason'"
HISTORY = [
    {
        "accepted": "2001-01-01T00:00:00+00:00",
        "reason": "the first one",
        "environment": {"engine": "docker", "python": "3.11.7", "keras": "3.0"},
        "final_cost": 2.0,
    },
    {
        "accepted": "2001-02-03T04:05:06+00:00",
        "reason": "another [learning] rate",
        "only": ["weights/*"],
        "final_cost": 1.0,
        "changed_facts": ["keras 3.0 -> 3.1", "seed 1 -> 1337"],
        "changes": [
            {
                "name": "weights/0.dense.kernel",
                "verdict": "drift",
                "rtol": 1e-5,
                "atol": 1e-7,
                "elements": 1,
                "differing": 1,
                "outside": 1,
                "max_absolute": 0.5,
                "max_relative": 1.0,
                "max_ulps": 8388608,
                "first": [0, 0],
                "first_outside": [0, 0],
                "first_step": None,
                "first_step_outside": None,
                "worst": [0, 0],
                "obtained": 1.0,
                "expected": 0.5,
                "note": "",
            }
        ],
    },
]
FORMS = ("", " --format json", " --format markdown")
FORM_NAMES = ("text", "json", "markdown")


def in_every_form(name: str, change: Change, line: str) -> list[Case]:
    """Return a case for each form of an answer."""
    return [
        case(f"{name}-{form}", change, line + option)
        for form, option in zip(FORM_NAMES, FORMS, strict=True)
    ]


def together(*changes: Change) -> Change:
    """Return what makes several changes, one after the other."""

    def write(folder: Path) -> None:
        for change in changes:
            change(folder)

    return write


def bare_baseline(folder: Path) -> None:
    """Take out of a baseline what the first versions did not write."""
    names = ["modules", "data", "datasets", "recorder_sha256", "engine", "image", "libc"]
    nothing = dict.fromkeys([*names, "determinism", "history"])
    fixed.edit(folder / BASELINE / "baseline.json", **nothing)
