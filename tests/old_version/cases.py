"""The command lines that are run on both versions, and the folders that they are run in.

A case is a folder and what is done in it, step by step: a string is a command line of keras-repro,
with NAME=VALUE before it where the environment counts; a function changes the folder. ``answering``
gives a command its input. Those that train are in ``slow.py``.
"""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from tests.old_version import fixed
from tests.old_version.fixed import ARRAYS, BACKENDS, RICH, changed, without

Change = Callable[[Path], object]


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
    """Return what writes rich runs of which one array differs."""
    return one(changed(name, factor, RICH), RICH, **facts)


def nan_in(name: str, of=RICH) -> Change:
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


def checks() -> list[Case]:
    """Return the cases of check."""
    jax = "check --backend jax"
    told = [
        ("every-verdict", every_verdict, "check"),
        ("every-verdict-only-costs", every_verdict, "check --only 'costs/*'"),
        ("two-backends", every_verdict, "check --backend tensorflow --backend jax"),
        ("identical", one(), jax),
        ("identical-other-facts", one(seed=7, threads=2, python="3.12.1"), jax),
        ("close-same-place", one(NEAR), jax),
        ("close-elsewhere", one(NEAR, requirements_sha256="2" * 64), jax),
        ("close-exact", one(NEAR), f"{jax} --exact"),
        ("drift", one(ODD), jax),
        ("nan-in-costs", nan_in("costs/train", ARRAYS), jax),
        ("rich-identical", one(RICH, RICH), jax),
        ("rich-all-drift", one({k: v for k, v in _all_changed().items()}, RICH), jax),
        ("own-array-drifts", rich("gradients/norm"), jax),
        ("own-array-nan", nan_in("my/costs/first"), jax),
        ("metric-drifts", rich("metrics/train.accuracy", 2.0), jax),
        ("history-drifts", rich("history/loss"), jax),
        ("second-model-drifts", rich("model2/costs/train"), jax),
        ("failed", together(one(), failed_of("jax")), jax),
        ("failed-first", together(baseline_of("jax"), run_of("jax", outcome="failed")), jax),
        ("nothing", file("x"), "check"),
        ("no-run", baseline_of("jax"), jax),
        ("no-baseline", run_of("jax"), jax),
        ("edited-baseline", together(one(), arrays_at(f"{BASELINE}/arrays.npz", ODD)), jax),
        ("edited-run", together(one(), arrays_at(f"{RUN}/arrays.npz", ODD)), jax),
        ("newer-run", one(schema_version=2), jax),
        ("newer-baseline", one(base={"schema_version": 99}), jax),
        ("project", project, "check"),
        ("project-one", project, "check small"),
        ("mixed-baseline", one(NEAR, base={"history": HISTORY}), jax),
    ]
    cases = [made for name, change, line in told for made in in_every_form(name, change, line)]
    for number, (option, arrays) in enumerate(
        [
            ("--exact", ARRAYS),
            ("--exact --rtol 0.1", ODD),
            ("--rtol 0.01", ODD),
            ("--atol 0.01", ODD),
            ("--rtol 0 --atol 0", NEAR),
            ("--only 'costs/*' --only predictions/0", ODD),
            ("--only nothing", ODD),
            ("--rtol -1", ODD),
            ("--rtol x", ODD),
            ("--atol nan", ODD),
            ("--format yaml", ODD),
            ("--backend caffe", ODD),
            ("--artifacts elsewhere", ODD),
            ("--baselines elsewhere", ODD),
            ("--sede 1", ODD),
        ]
    ):
        cases.append(case(f"option-{number:02}", one(arrays), f"{jax} {option}"))
    causes = {
        "variable": {"environment": {"PYTHONHASHSEED": "1337", "TF_ENABLE_ONEDNN_OPTS": "0"}},
        "script": {"script_sha256": "9" * 64, "script_args": ["--fast"]},
        "module": {"modules": {"helper.py": "8" * 64}},
        "packages": {"packages": {"keras": "3.1", "numpy": "2.0.0", "jax": "1.0", "zipp": "3"}},
        "keras": {"keras": {"version": "3.1", "backend": "jax", "floatx": "float64"}},
        "lock": {"requirements_sha256": "3" * 64, "extra_requirements_sha256": "4" * 64},
        "processor": {"cpu": {"model": "another", "instruction_sets": ["avx"], "cores": 8}},
        "place": {"engine": "docker", "os": "Ubuntu", "libc": "musl", "machine": "arm64"},
        "image": {"image": "sha256:" + "a" * 64, "recorder_sha256": "b" * 64},
        "seed": {"seed": 7, "threads": 4, "python": "3.12.1"},
        "determinism": {"determinism": {"jax.enable_x64": True}},
    }
    for name, facts in causes.items():
        for how, arrays in (("near", NEAR), ("odd", ODD)):
            base = {"image": "sha256:" + "c" * 64} if name == "image" else {}
            change = one(arrays, base=base, **facts)
            cases.append(case(f"cause-{name}-{how}", change, f"{jax} --format json", jax))
    damage = {
        "cut-arrays": cut(f"{RUN}/arrays.npz"),
        "cut-facts": cut(f"{RUN}/run.json"),
        "no-arrays": removed(f"{RUN}/arrays.npz"),
        "no-facts": removed(f"{RUN}/run.json"),
        "flipped": together(one(ODD), flip(f"{RUN}/arrays.npz", np.float32(0.5005).tobytes())),
        "odd-facts": edited(f"{RUN}/run.json", seed="many"),
        "missing-fact": edited(f"{RUN}/run.json", started=None),
        "cut-baseline": cut(f"{BASELINE}/baseline.json"),
        "cut-baseline-arrays": cut(f"{BASELINE}/arrays.npz"),
        "no-baseline-arrays": removed(f"{BASELINE}/arrays.npz"),
        "odd-baseline": edited(f"{BASELINE}/baseline.json", tolerances=3),
        "no-arrays-at-all": one({}, {}),
    }
    for name, change in damage.items():
        cases.append(case(f"damaged-{name}", one(), change, jax, f"{jax} --format json"))
    cases += [
        case("hostile-text", one(ODD, seed=3, os="\x1b[31mred\x1b[0m", python="3 `x` <b>"), jax),
        case("failed-hostile", one(), failed_of("jax", reason="no \x1b[31mluck\nat all"), jax),
        case("script-missing", "check nothing.py", "check scripts", "check ."),
        case("script", file("my.py", "import keras\n"), one(workload="my"), "check my.py"),
        case("module", file("pack/age.py"), one(workload="pack.age"), f"{jax} -m pack.age"),
        case("module-missing", "check -m no.such", "check -m no-name"),
        case("builtin", one(workload="classifier"), "check classifier --backend jax"),
        case("stored-tolerance", one(ODD, base={"tolerances": {"weights/*": {"rtol": 0.01}}}), jax),
        case("config-elsewhere", project, file("x/y"), "--config keras-repro.toml check large"),
        case("config-missing", "--config nothing.toml check"),
        case("narrow", every_verdict, f"COLUMNS=80 {jax}", "COLUMNS=80 check"),
        case("project-only", project, "check --only 'weights/*'", "check --only nothing"),
        case("project-unknown", project, "check medium", "check --backend theano"),
        case("old-baseline", one(), edited(f"{BASELINE}/baseline.json", history=None), jax),
        case("bare-baseline", one(), _bare_baseline, jax, f"{jax} --format json"),
    ]
    return [Case(f"check-{c.name}", c.steps) for c in cases]


def _bare_baseline(folder: Path) -> None:
    """Take out of a baseline what the first versions did not write."""
    names = ("modules data datasets recorder_sha256 engine image libc determinism history").split()
    fixed.edit(folder / BASELINE / "baseline.json", **dict.fromkeys(names))


def _all_changed():
    """Return the rich arrays, each of which differs from what it was."""
    odd = {}
    for name, array in RICH.items():
        other = array.copy()
        if array.dtype.kind == "b":
            other = ~array
        elif array.dtype.kind in "UV":
            other = array[::-1].copy()
        elif array.size:
            other = (array * array.dtype.type(2)).astype(array.dtype)
        odd[name] = other
    return odd


def comparisons() -> list[Case]:
    """Return the cases of compare."""
    seven = {"seed": 7}
    told = [
        ("seeds", pair(ODD, **seven), "compare a b"),
        ("same", pair(), "compare a b"),
        ("same-bits-other-facts", pair(packages={"numpy": "1.2"}), "compare a b"),
        ("every-kind", together(every_verdict, _two), "compare theano tensorflow"),
        ("rich", together(every_verdict, _two), "compare theano torch"),
        ("baseline", together(pair(ODD), baseline_of("jax")), f"compare {BASELINE} b"),
        ("nan", pair(_nan_costs()), "compare a b"),
    ]
    cases = [made for name, change, line in told for made in in_every_form(name, change, line)]
    for number, rest in enumerate(
        (
            "--rtol 0.01",
            "--atol 0.01",
            "--only 'costs/*'",
            "--only 'costs/*' --only '*kernel'",
            "--only biases",
            "--rtol -1",
            "--rtol inf",
            "--atol x",
            "--format xml",
        )
    ):
        cases.append(case(f"option-{number}", pair(ODD), f"compare a b {rest}"))
    cases += [
        case("missing", pair(), "compare a nothing", "compare a", "compare nothing b"),
        case("failed", pair(outcome="failed", reason="no \x1b[31mluck\nat all"), "compare a b"),
        case("damaged", pair(), file("b/run.json", "{}"), "compare a b"),
        case("checksum", pair(ODD), flip("b/arrays.npz", np.float32(0.5005).tobytes()), _AB),
        case("newer", pair(schema_version=2), "compare a b"),
        case("edited", pair(), arrays_at("b/arrays.npz", ODD), "compare a b"),
        case(
            "edited-baseline",
            *(pair(), baseline_of("jax"), arrays_at(f"{BASELINE}/arrays.npz", ODD)),
            f"compare {BASELINE} b",
        ),
        case("markup", _markup, "compare a b", "compare a b --format markdown"),
        case("baseline-second", pair(ODD), baseline_of("jax"), f"compare b {BASELINE}"),
    ]
    return [Case(f"compare-{c.name}", c.steps) for c in cases]


_AB = "compare a b"


def _nan_costs():
    arrays = changed("costs/train", 1)
    arrays["costs/train"][2] = np.inf
    return arrays


def _two(folder: Path) -> None:
    for name in ("tensorflow", "theano", "torch"):
        (folder / "artifacts" / "regression" / name).rename(folder / name)


def _markup(folder: Path) -> None:
    for name in ("a", "b"):
        fixed.run(folder / name, {"weights/[bold]:smile:[/x]": np.zeros(1)}, seed=len(name))


def acceptances() -> list[Case]:
    """Return the cases of accept, with what check and history say afterwards."""
    after = ("check --backend jax", "history --backend jax")
    some = {**changed("weights/0.dense.kernel", 2), "predictions/1": np.ones(2, np.float32)}
    some["costs/test"] = some["costs/test"] * np.float32(1 + 1e-6)
    two = changed("weights/0.dense.kernel", 2)
    two["costs/test"] *= 2
    only = f"{ACCEPT} --yes --only"
    cases = [
        case("first", run_of("jax"), f"{ACCEPT} --yes", *after),
        case("same", one(), f"{ACCEPT} --yes", *after),
        case("change", one(ODD, seed=7), f"{ACCEPT} --yes", *after),
        case("rich", rich("gradients/norm"), f"{ACCEPT} --yes", *after),
        case("asked-yes", one(ODD), answering(ACCEPT, "y\n"), *after),
        case("asked-no", one(ODD), answering(ACCEPT, "n\n"), *after),
        case("asked-end", one(ODD), ACCEPT, *after),
        case("ci", run_of("jax"), f"CI=true {ACCEPT} --yes", f"CI=0 {ACCEPT} --yes"),
        case("no-reason", run_of("jax"), "accept --yes", "accept --backend jax --yes --reason ' '"),
        case("some", one(some), f"{only} 'weights/*' --only predictions/1", *after),
        case("some-costs", one(some), f"{only} 'costs/*' --only 'w*' --only 'p*'", *after),
        case("some-others-drift", one(two), f"{only} 'weights/*'", *after),
        case("some-nothing", one(two), f"{only} nothing"),
        case("some-first", run_of("jax"), f"{only} 'weights/*'"),
        case(
            "some-of-edited",
            *(one(two), arrays_at(f"{BASELINE}/arrays.npz", ODD)),
            f"{only} 'weights/*'",
        ),
        case("over-edited", one(), arrays_at(f"{BASELINE}/arrays.npz", ODD), f"{ACCEPT} --yes"),
        case("over-cut-arrays", one(), cut(f"{BASELINE}/arrays.npz"), f"{ACCEPT} --yes", *after),
        case("over-cut-facts", one(), cut(f"{BASELINE}/baseline.json"), f"{ACCEPT} --yes"),
        case("nan", nan_in("costs/train", ARRAYS), f"{ACCEPT} --yes", *after),
        case("own-nan", nan_in("my/costs/first"), f"{ACCEPT} --yes", *after),
        case("second-model-nan", nan_in("model2/costs/train"), f"{ACCEPT} --yes"),
        case("failed", one(), failed_of("jax"), f"{ACCEPT} --yes"),
        case("edited-run", one(), arrays_at(f"{RUN}/arrays.npz", ODD), f"{ACCEPT} --yes"),
        case("no-run", "accept --reason x --yes", "accept --reason x --yes --backend caffe"),
        case("one-of-five", run_of("jax"), "accept --reason 'all of them' --yes"),
        case("all", every_verdict, _without_failed, "accept --reason all --yes", "history"),
        case("project", project, "accept --reason 'both of them' --yes", "history", "check"),
        case("project-one", project, "accept small --reason x --yes", "check", "history small"),
        case(
            "script-changed",
            *(file("my.py", "one\n"), _run_of_my, "accept my.py --backend jax --reason x --yes"),
            *(file("my.py", "two\n"), "accept my.py --backend jax --reason y --yes"),
        ),
        case(
            "tolerances",
            *(one(ODD, base={"tolerances": {"weights/*": {"rtol": 0.5, "atol": 0.0}}}),),
            *(f"{ACCEPT} --yes", "check --backend jax --format json"),
        ),
        case(
            "again",
            *(one(ODD), f"{ACCEPT} --yes", run_of("jax"), f"{ACCEPT} --yes", *after),
        ),
        case("cannot-write", one(ODD), _read_only, f"{ACCEPT} --yes --baselines /proc/nowhere"),
        case("old-baseline", one(ODD), _bare_baseline, f"{ACCEPT} --yes", *after),
    ]
    return [Case(f"accept-{c.name}", c.steps) for c in cases]


def _without_failed(folder: Path) -> None:
    for path in (folder / "artifacts/regression/torch.failed").iterdir():
        path.unlink()
    (folder / "artifacts/regression/torch.failed").rmdir()


def _read_only(folder: Path) -> None:
    (folder / "x").touch()


def _run_of_my(folder: Path) -> None:
    digest = fixed.sha256(folder / "my.py")
    run_of("jax", workload="my", script="my.py", script_sha256=digest)(folder)


def histories() -> list[Case]:
    """Return the cases of history and of report."""
    drawn = "history --backend jax --plot"
    long = baseline_of("jax", history=HISTORY)
    cases = [
        case("history-one", baseline_of("jax"), "history --backend jax"),
        case("history-long", long, "history --backend jax", "COLUMNS=80 history --backend jax"),
        case("history-plot", long, *(f"{drawn} costs.{e}" for e in ("svg", "png", "pdf", "doc"))),
        case("history-plot-nowhere", long, f"{drawn} /proc/x/costs.png", f"{drawn} /proc/x.svg"),
        case("history-nothing", "history", "history nothing.py", "history --backend caffe"),
        case("history-all", every_verdict, "history"),
        case("history-project", project, "history", "history large", "history --plot x.svg"),
        case("history-damaged", baseline_of("jax"), cut(f"{BASELINE}/baseline.json"), "history"),
        case("history-old", baseline_of("jax"), _bare_baseline, "history --backend jax"),
        case("report-all", every_verdict, "report"),
        case("report-output", every_verdict, "report -o page.html --backend jax"),
        case("report-project", project, "report -o two.html", "report small --output one.html"),
        case("report-nothing", "report", "report nothing.py", "report --backend caffe"),
        case("report-nowhere", every_verdict, "report -o /proc/x/report.html", "report -o ."),
        case("report-damaged", one(), cut(f"{RUN}/arrays.npz"), "report --backend jax"),
        case("report-rich", rich("gradients/norm"), "report --backend jax"),
    ]
    return cases


SCRIPT = "from keras import layers\n"
WRONG = {
    "syntax": 'artifacts = "x',
    "unknown-key": 'artefacts = "x"\n',
    "unknown-table": '[workload.my]\nscript = "my.py"\n',
    "unknown-setting": '[workloads.my]\nscript = "my.py"\nsede = 1\n',
    "seed": '[workloads.my]\nscript = "my.py"\nseed = -1\n',
    "seed-type": '[workloads.my]\nscript = "my.py"\nseed = "1"\n',
    "backend": '[workloads.my]\nscript = "my.py"\nbackends = ["jax", "caffe"]\n',
    "no-script": "[workloads.my]\nseed = 1\n",
    "both": '[workloads.my]\nscript = "my.py"\nmodule = "my"\n',
    "script-missing": '[workloads.my]\nscript = "nothing.py"\n',
    "module-missing": '[workloads.my]\nmodule = "no.thing"\n',
    "name": '[workloads."my way"]\nscript = "my.py"\n',
    "requirement": '[workloads.my]\nscript = "my.py"\nrequirements = ["numpy=>1"]\n',
    "requirements": '[workloads.my]\nscript = "my.py"\nrequirements = "none.txt"\n',
    "data": '[workloads.my]\nscript = "my.py"\ndata = ["nowhere"]\n',
    "datasets": '[workloads.my]\nscript = "my.py"\ndatasets = "nowhere"\n',
    "time": '[workloads.my]\nscript = "my.py"\ntime_limit = "soon"\n',
    "memory": '[workloads.my]\nscript = "my.py"\nmemory_limit = "much"\n',
    "variable": '[workloads.my]\nscript = "my.py"\n\n[workloads.my.environment]\nPYTHONHASHSEED = "1"\n',
    "variable-type": '[workloads.my]\nscript = "my.py"\n\n[workloads.my.environment]\nA = 1\n',
    "tolerance": '[workloads.my]\nscript = "my.py"\n[workloads.my.tolerances]\n"*" = { rtol = -1 }\n',
    "tolerance-key": '[workloads.my]\nscript = "my.py"\n[workloads.my.tolerances]\n"*" = { tol = 1 }\n',
    "null": 'artifacts = "\\u0000"\n',
    "nested": "a = " + "[" * 2000 + "]" * 2000 + "\n",
}


def configurations() -> list[Case]:
    """Return the cases of init, and of configurations with something wrong in them."""
    cases = [
        case("init-empty", "init", "init", "init --force", "init here"),
        case("init-scripts", file("one.py", SCRIPT), file("test_one.py", SCRIPT), _more, "init"),
        case("init-pyproject", file("pyproject.toml", "[tool.keras-repro]\n"), "init", "init --force"),
        case("init-then", file("one.py", SCRIPT), "init", "check", "history"),
        case("init-nowhere", lambda folder: (folder / "keras-repro.toml").mkdir(), "init --force"),
        case(
            "pyproject",
            file("pyproject.toml", '[tool.keras-repro.workloads.my]\nscript = "my.py"\nseed = 5\n'),
            *(file("my.py", SCRIPT), one(workload="my"), "check", "check --backend jax"),
        ),
        case(
            "pyproject-wrong",
            file("pyproject.toml", '[tool.keras-repro.workloads.my]\nscript = "my.py"\nseed = -5\n'),
            *(file("my.py", SCRIPT), "check"),
        ),
    ]
    long = '[workloads.{0}]\nscript = "my.py"\n'
    many = "\n".join(long.format(f"w{number}") for number in range(40)) + 'tolerances = "no"\n'
    cases.append(case("config-long", file("my.py"), file("keras-repro.toml", many), "check"))
    for name, text in WRONG.items():
        steps = (file("my.py", SCRIPT), file("keras-repro.toml", text), "check")
        cases.append(case(f"config-{name}", *steps))
    return cases


def _more(folder: Path) -> None:
    file("two.py", "import keras\n")(folder)
    file("three.py", "import numpy\n")(folder)
    file("odd name.py", "import keras.layers\n")(folder)
    file("broken.py", "def (")(folder)


NO_PYTHON = (
    "PATH=/nowhere PYENV_ROOT=/nowhere UV_PYTHON_INSTALL_DIR=/nowhere UV_PYTHON_DOWNLOADS=never"
)
BAD_TRAIN = (
    "--seed -1",
    "--seed 4294967296",
    "--seed 1.5",
    "--threads 0",
    "--threads x",
    "--engine podman",
    "--backend caffe",
    "--repeat 1",
    "--repeat 3 --if-needed",
    "--time-limit soon",
    "--memory-limit much",
    "--files-limit 0",
    "--env A",
    "--env PYTHONHASHSEED=1",
    "--env =1",
    "--data nowhere",
    "--data .",
    "--data /usr",
    "--datasets nowhere",
    "--requirements nowhere.txt",
    "--artifacts my.py",
    "--artifacts /proc/nowhere --engine local",
    "--engine docker",
    "--sede 1",
    "-m no.such",
    "-m no-name",
)
BAD_PARITY = (
    "",
    "my.py",
    "my.py --reference caffe",
    "my.py --reference jax --against jax --engine local",
    "my.py --reference jax --against caffe",
    "my.py --reference jax --against torch theano",
    "my.py --reference jax --rtol x",
    "my.py --reference jax --atol -1",
    "my.py --reference jax --format json",
    "nothing.py --reference jax",
    "my.py --reference jax --engine docker",
)
BAD_BISECT = (
    "",
    "jax",
    "caffe --package keras",
    "jax --since 2024-01-01",
    "jax --until 2024-01-01",
    "jax --since yesterday --until 2024-01-01",
    "jax --since 2024-01-02 --until 2024-01-01",
    "jax --since 2024-01-02 --until 9999-12-31",
    "jax --package keras --since 2024-01-01",
    "jax my.py --script-change a..b --good 1",
    "jax my.py --script-change a..b --all",
    "jax regression --script-change a..b",
    "jax my.py --script-change HEAD",
    "jax my.py --package keras --tolerance some",
    "jax my.py --package keras --python 2.7",
    "jax my.py --package keras --jobs 0",
    "jax my.py --package keras --format json",
    "jax my.py --package keras --engine podman",
    "jax nothing.py --package keras",
    "jax my.py --package keras --seed x",
)
BAD_UPGRADE = (
    "",
    "jax",
    "jax --with 'keras>>3'",
    "jax --with 'keras @ file:///x'",
    "caffe --with keras",
    "jax nothing.py --with keras",
    "jax my.py --with keras --engine podman",
)
COMMANDS = (
    *("init", "train", "check", "compare", "parity", "upgrade", "bisect", "accept", "history"),
    *("report", "backends", "lock"),
)
RECORDER = (
    "--out x nothing.py",
    "--out x --seed -1 my.py",
    "--out x --threads 0 my.py",
    "--seed 1",
    "--out x .",
    "--help",
)


def others() -> list[Case]:
    """Return the cases of all the rest that needs no engine."""
    my = file("my.py", SCRIPT)
    cases = [case("help", "--help", "--version", "", "nothing", "--nothing")]
    cases += [case(f"help-{name}", f"{name} --help") for name in COMMANDS]
    for command_, bad in (
        ("train", BAD_TRAIN),
        ("parity", BAD_PARITY),
        ("bisect", BAD_BISECT),
        ("upgrade", BAD_UPGRADE),
    ):
        for number, rest in enumerate(bad):
            script = "my.py " if command_ == "train" else ""
            cases.append(case(f"{command_}-bad-{number:02}", my, f"{command_} {script}{rest}"))
    cases += [
        case("backends-nowhere", f"{NO_PYTHON} backends --engine local", f"{NO_PYTHON} backends"),
        case("backends-bad", "backends --engine podman", "backends --engine docker", "backends x"),
        case(
            "train-no-python",
            my,
            f"{NO_PYTHON} train my.py --engine local --backend tensorflow1 --backend theano",
        ),
        case("lock-bad", "lock --backend caffe", "lock jax", "lock --engine local"),
        case(
            "locks-damaged",
            *(my, file("locks/jax.txt", "numpy==2.0.0\n"), "check my.py --backend jax"),
            *(file("locks/jax.txt", "# none\n"), "train my.py --backend jax"),
        ),
        case("requirements-bad", my, _requirements, "train my.py --requirements bad.txt"),
        case("project-bad", project, "bisect jax --package keras", "parity --reference jax"),
        case(
            "variables",
            *(my, one(ODD), "KERAS_REPRO_CHECK_RTOL=0.1 check --backend jax"),
            "KERAS_REPRO_TRAIN_ENGINE=podman train my.py",
        ),
        case(
            "recorder-bad",
            my,
            *(command(line, program="keras_repro.recorder") for line in RECORDER),
        ),
    ]
    return cases


def _requirements(folder: Path) -> None:
    (folder / "bad.txt").write_text("numpy==1.0\n-e .\nnot a requirement\n")


QUICK = [*checks(), *comparisons(), *acceptances(), *histories(), *configurations(), *others()]
assert len({each.name for each in QUICK}) == len(QUICK)
__all__ = ["BACKENDS", "QUICK", "Case", "Command", "partial"]
