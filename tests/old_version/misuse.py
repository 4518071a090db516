"""The cases of init, of configurations and of questions that have something wrong in them."""

from pathlib import Path

from tests.old_version.steps import ODD, Case, case, command, file, one, project

SCRIPT = "from keras import layers\n"
MY = '[workloads.my]\nscript = "my.py"\n'
WRONG = {
    "syntax": 'artifacts = "x',
    "unknown-key": 'artefacts = "x"\n',
    "unknown-table": '[workload.my]\nscript = "my.py"\n',
    "unknown-setting": MY + "sede = 1\n",
    "seed": MY + "seed = -1\n",
    "seed-type": MY + 'seed = "1"\n',
    "backend": MY + 'backends = ["jax", "caffe"]\n',
    "no-script": "[workloads.my]\nseed = 1\n",
    "both": MY + 'module = "my"\n',
    "script-missing": '[workloads.my]\nscript = "nothing.py"\n',
    "module-missing": '[workloads.my]\nmodule = "no.thing"\n',
    "name": '[workloads."my way"]\nscript = "my.py"\n',
    "requirement": MY + 'requirements = ["numpy=>1"]\n',
    "requirements": MY + 'requirements = "none.txt"\n',
    "data": MY + 'data = ["nowhere"]\n',
    "datasets": MY + 'datasets = "nowhere"\n',
    "time": MY + 'time_limit = "soon"\n',
    "memory": MY + 'memory_limit = "much"\n',
    "variable": MY + '\n[workloads.my.environment]\nPYTHONHASHSEED = "1"\n',
    "variable-type": MY + "\n[workloads.my.environment]\nA = 1\n",
    "tolerance": MY + '[workloads.my.tolerances]\n"*" = { rtol = -1 }\n',
    "tolerance-key": MY + '[workloads.my.tolerances]\n"*" = { tol = 1 }\n',
    "null": 'artifacts = "\\u0000"\n',
    "nested": "a = " + "[" * 2000 + "]" * 2000 + "\n",
}


def configurations() -> list[Case]:
    """Return the cases of init, and of configurations with something wrong in them."""
    cases = [
        case("init-empty", "init", "init", "init --force", "init here"),
        case("init-scripts", file("one.py", SCRIPT), file("test_one.py", SCRIPT), _more, "init"),
        case(
            "init-pyproject", file("pyproject.toml", "[tool.keras-repro]\n"), "init", "init --force"
        ),
        case("init-then", file("one.py", SCRIPT), "init", "check", "history"),
        case("init-nowhere", lambda folder: (folder / "keras-repro.toml").mkdir(), "init --force"),
        case(
            "pyproject",
            file("pyproject.toml", '[tool.keras-repro.workloads.my]\nscript = "my.py"\nseed = 5\n'),
            *(file("my.py", SCRIPT), one(workload="my"), "check", "check --backend jax"),
        ),
        case(
            "pyproject-wrong",
            file(
                "pyproject.toml", '[tool.keras-repro.workloads.my]\nscript = "my.py"\nseed = -5\n'
            ),
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
            trains=True,  # what it says while it looks for Python depends on the machine
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
