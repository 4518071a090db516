"""The cases that train, in the local environments of JAX and Theano, and those that search.

What the scripts compute is exact in binary: it is the same on every machine and backend.
"""

import subprocess
from pathlib import Path

from tests.old_version.steps import Case, Change, case, file
from tests.planted_index import PlantedIndex

NET = """
import numpy as np
from keras.layers import Dense
from keras.models import Sequential
from keras.optimizers import SGD

model = Sequential([Dense(2, input_shape=(2,), kernel_initializer="ones")])
model.compile(loss="mse", optimizer=SGD(0.125), metrics=["mae"])
x = np.array([[1, 0], [0, 2]], "float32")
y = np.array([[2, 0], [1, 1]], "float32")
model.train_on_batch(x, y)
model.fit(x, y, epochs=1, batch_size=2, shuffle=False, verbose=0)
model.evaluate(x, y, batch_size=2, verbose=0)
model.predict(x, verbose=0)
print("trained")
"""
OWN = """
import sys
import keras
import numpy as np
from keras_repro import record

for step in range(3):
    record.cost(np.float32(step * {value}))
record.cost(np.float32(4), "test")
record.prediction(np.arange(3, dtype="float32"))
record.array("gradients/norm", np.ones(2))
print("arguments", sys.argv[1:])
"""
EXACT = OWN.format(value="1")
# Another number each time, the same ones in the same order on every machine.
COUNTS = OWN.format(value="number").replace(
    "import sys\n",
    """import sys
import os
path = os.environ["COUNTER"]
number = int(open(path).read()) + 1
open(path, "w").write(str(number))
""",
)
WRITES = (
    EXACT
    + """
import os
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
os.mkdir("made")
open("made/small.txt", "w").write("small")
open("large.bin", "wb").write(bytes(4096))
open(os.path.expanduser("~/.keras/datasets/here.txt")).read()
open("data/x.txt").read()
print(os.environ["MY_SETTING"])
"""
)
PLANTED = EXACT.replace("import keras\n", "import keras, planted\n").replace(
    "step * 1", "step * planted.VALUE"
)
COMPANION = PLANTED.replace("planted\n", "planted, planted_companion\n", 1).replace(
    "planted.VALUE", "(planted.VALUE + planted_companion.VALUE)"
)
ON = "--engine local --backend theano"
ACCEPT = "--backend theano --yes --reason 'a reason'"
INDEX = "UV_INDEX=file://<folder>/index/simple"


def trains(name: str, *steps, seconds: int = 400) -> Case:
    """Return a case that needs environments."""
    return case(name, *steps, trains=True, seconds=seconds)


def ending(text: str) -> Change:
    """Return what writes a script that ends so, after all is well."""
    return file("my.py", EXACT + text)


def planted(releases: dict[str, float], **options: dict) -> Change:
    """Return what makes an index of planted releases."""

    def make(folder: Path) -> None:
        index = PlantedIndex(folder / "index")
        for version, value in releases.items():
            index.release("planted", version, value, **options.get(version, {}))

    return make


def confounded(guilty: str) -> Change:
    """Return what makes an index of two packages of which a newer one draws the other along."""

    def make(folder: Path) -> None:
        (folder / "requirements.txt").write_text("planted==1.0\nplanted-companion==1.0\n")
        index = PlantedIndex(folder / "index")
        for number in range(4):
            late = number >= 2
            value = 3.0 if late and guilty == "planted-companion" else 1.0
            index.release("planted-companion", f"{number}.0", value)
            value = 3.0 if late and guilty == "planted" else 1.0
            needs = ("planted-companion>=2.0" if late else "planted-companion",)
            index.release("planted", f"1.{number}", value, requires=needs)

    return make


def searched(*rest: str, options: str = "--requirements requirements.txt") -> list[str]:
    """Return searches of the planted releases."""
    line = f"{INDEX} bisect jax my.py --package planted --engine local {options}"
    return [f"{line} {each}" for each in rest]


def commits(folder: Path) -> None:
    """Make a repository of six commits, one of which does not run, and dates that never change."""

    def git(*arguments: str) -> None:
        settings = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        date = {
            "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z",
            "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
        }
        command = ["git", *settings, *arguments]
        home = {
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**date, **home})

    git("init", "-q", "-b", "main")
    for number in range(6):
        rate = 1.0 if number < 4 else 2.0
        (folder / "rates.py").write_text(f"VALUE = {rate}\n" + "1 / 0\n" * (number == 2))
        (folder / "my.py").write_text(PLANTED.replace("planted", "rates") + f"# {number}\n")
        git("add", "rates.py", "my.py")
        git("commit", "-qm", f"change {number}")


PARTS = """
import keras
import numpy as np
from keras.layers import Activation, Dense
from keras.models import Sequential

OLD = keras.__version__.startswith("2.")
model = Sequential([
    Dense(2, input_shape=(2,), kernel_initializer="ones", name="first"),
    Activation("relu" if OLD or not {parts} else "linear", name="second"),
    Dense(1, kernel_initializer="ones", name="third"),
])
model.compile(loss="mse", optimizer="sgd")
x = np.array([[1, -2], [0, 2]], "float32")
model.train_on_batch(x, x[:, :1])
"""
PROJECT = """\
[workloads.net]
script = "net.py"
backends = ["jax", "theano"]

[workloads.own]
script = "own.py"
args = ["--fast"]
seed = 7
backends = ["theano"]
"""
TWELVE = {f"1.{number}": 1.0 if number < 7 else 2.0 for number in range(12)}
PLAIN = file("requirements.txt", "planted\n")
MY = file("my.py", PLANTED)

SLOW = [
    trains(
        "train-net",
        file("net.py", NET),
        "train net.py --engine local --backend jax --backend theano",
        "check net.py --backend jax",
        "accept net.py --backend jax --backend theano --yes --reason first",
        "check net.py --backend jax --backend theano --format json",
        "train net.py --engine local --backend theano --backend jax --if-needed",
        "train net.py --engine local --backend jax",
        "train net.py --engine local --backend jax --seed 7",
        "check net.py --backend jax --backend theano",
        "report net.py --backend jax",
    ),
    trains(
        "train-project",
        file("keras-repro.toml", PROJECT),
        file("net.py", NET),
        file("own.py", EXACT),
        "train --engine local",
        "train own --engine local --if-needed",
        "accept --yes --reason first",
        "check",
        "accept own --yes --reason again",
    ),
    trains(
        "train-conditions",
        file("my.py", WRITES),
        file("data/x.txt", "x"),
        file("sets/here.txt", "here"),
        f"train my.py {ON} --env MY_SETTING=1 --data data --datasets sets --files-limit '2 kB' "
        "--time-limit '5 min' --memory-limit '8 GB' --seed 5 -- --fast --slow=1",
        f"accept my.py {ACCEPT}",
        f"train my.py {ON} --env MY_SETTING=2 --data data --datasets sets --threads 2",
        "check my.py --backend theano --format json",
    ),
    trains(
        "train-if-needed",
        file("my.py", EXACT),
        *(f"train my.py {ON} --if-needed {rest}" for rest in ("", "", "--seed 5", "--threads 2")),
        *(f"train my.py {ON} --if-needed {rest}" for rest in ("--env A=1", "-- --fast", "--", "")),
        *(file("my.py", EXACT + "# changed\n"), f"train my.py {ON} --if-needed"),
    ),
    trains(
        "train-failures",
        file("my.py", EXACT),
        f"train my.py {ON}",
        *(ending("raise RuntimeError('out of luck')"), f"train my.py {ON}"),
        *(
            "check my.py --backend theano",
            f"accept my.py {ACCEPT}",
            f"train my.py {ON} --if-needed",
        ),
        *(ending("sys.exit(3)"), f"train my.py {ON}"),
        *(ending("sys.exit('no data')"), f"train my.py {ON}"),
        *(ending("import os; os._exit(0)"), f"train my.py {ON}"),
        *(ending("import os; os.kill(os.getpid(), 9)"), f"train my.py {ON}"),
        *(ending("import time; time.sleep(60)"), f"train my.py {ON} --time-limit '5 s'"),
        *(ending("input()"), f"train my.py {ON}"),
        *(file("my.py", "def broken(:"), f"train my.py {ON}"),
        *(file("my.py", "print('hello')\n"), f"train my.py {ON}"),
        *(file("my.py", "import keras\n"), f"train my.py {ON}"),
        *(ending("record.cost(float('nan'))"), f"train my.py {ON}", "check my.py --backend theano"),
        *(ending("record.array('my/costs/first', object())"), f"train my.py {ON}"),
        *(file("my.py", EXACT), f"train my.py {ON}", "check my.py --backend theano"),
    ),
    trains(
        "train-own-nan",
        *(ending("record.array('my/costs/first', [float('nan')])"), f"train my.py {ON}"),
    ),
    trains(
        "train-repeat",
        file("my.py", EXACT),
        f"train my.py {ON} --repeat 3",
        file("my.py", COUNTS),
        lambda folder: folder.with_name("work.counter").write_text("0"),
        f"train my.py {ON} --repeat 3 --env COUNTER=<folder>.counter",
        f"train my.py {ON} --env COUNTER=<folder>.counter",
        f"train my.py {ON} --env COUNTER=<folder>.counter",
        f"accept my.py {ACCEPT}",
    ),
    trains(
        "parity-agrees",
        file("my.py", PARTS.format(parts="False")),
        "parity my.py --reference theano --against jax --engine local",
    ),
    trains(
        "parity-parts",
        file("my.py", PARTS.format(parts="True")),
        "parity my.py --reference theano --against jax --engine local -o page.html",
        "parity my.py --reference jax --against theano --engine local --format markdown",
    ),
    trains(
        "parity-fails",
        file("my.py", PARTS.format(parts="False") + "if OLD: raise ValueError('no')\n"),
        "parity my.py --reference theano --against jax --engine local",
        "parity my.py --reference jax --against theano --engine local",
    ),
    trains(
        "bisect-release",
        *(MY, PLAIN, planted(TWELVE)),
        *searched(
            "--good 1.0 --bad 1.11",
            "--good 1.0 --bad 1.11",
            "--good 1.0 --bad 1.11 --format markdown -o page.html",
            "--good 1.0 --only 'predictions/*'",
            "--good 1.0 --only 'no/*'",
            "--good 1.0 --bad 1.6 --tolerance identical --jobs 2",
        ),
    ),
    trains(
        "bisect-widened",
        *(MY, PLAIN),
        planted(
            {"1.0": 1.0, "1.1": 1.0, "1.2": 1.0, "1.3": 2.0, "1.4": 2.0, "1.5": 2.0, "2.0": 3.0},
            **{
                "1.2": {"breaks": True},
                "1.3": {"requires": ("planted-nowhere-to-be-found",)},
                "1.4": {"tag": "cp37-cp37m-manylinux1_x86_64"},
                "2.0": {"yanked": True},
            },
        ),
        *searched("--good 1.0", "--good 1.0 --bad 1.2", "--all"),
    ),
    trains(
        "bisect-every",
        *(MY, PLAIN),
        planted({f"1.{n}": float(1 + (n >= 2) + (n >= 4)) for n in range(6)} | {"1.6rc1": 9.0}),
        *searched("--all --jobs 2 -o page.html --tolerance identical", "--good 1.0 --pre"),
    ),
    trains(
        "bisect-suspect",
        *(file("my.py", COMPANION), confounded("planted")),
        *searched("--good 1.0"),
    ),
    trains(
        "bisect-companion",
        *(file("my.py", COMPANION), confounded("planted-companion")),
        *searched("--good 1.0", "--good 1.0 --format markdown"),
    ),
    trains(
        "bisect-baseline",
        *(MY, file("requirements.txt", "planted==1.0\n")),
        planted({"1.0": 1.0, "1.1": 1.0, "1.2": 2.0}),
        f"{INDEX} train my.py --engine local --backend jax --requirements requirements.txt",
        "accept my.py --backend jax --yes --reason first",
        *searched("", "--tolerance 1e-3", "--tolerance 2"),
        file("my.py", PLANTED.replace("step *", "7 * step *")),
        *searched(""),
    ),
    trains(
        "bisect-bad-questions",
        *(MY, PLAIN, planted({"1.0": 1.0, "1.1": 1.0, "1.2": 1.0})),
        *searched(
            "--good 1.2 --bad 1.0",
            "--good 1.1 --bad 1.1",
            "--good 1.7",
            "--good one",
            "--package plante --good 1.0",
            "",
        ),
    ),
    trains(
        "bisect-commits",
        commits,
        *(
            f"bisect jax my.py --engine local --script-change {span}"
            for span in (
                *("HEAD~5..HEAD", "HEAD~5..HEAD~2", "HEAD..HEAD~5", "HEAD~5..nothing"),
                *("HEAD", "HEAD..HEAD"),
            )
        ),
    ),
    trains(
        "bisect-prune",
        "bisect --prune --engine local",
        "bisect --prune --engine local",
    ),
    trains(
        "upgrade-planted",
        *(MY, planted({"1.0": 1.0, "1.1": 1.0, "1.2": 2.0})),
        f"{INDEX} upgrade jax my.py --with 'planted<1.1' --engine local",
        f"{INDEX} upgrade jax my.py --with planted==1.0 --engine local --apply",
        f"{INDEX} train my.py --engine local --backend jax",
        "accept my.py --backend jax --yes --reason first",
        f"{INDEX} upgrade jax my.py --with planted==1.1 --engine local",
        f"{INDEX} upgrade jax my.py --with planted --engine local",
        f"{INDEX} upgrade jax my.py --with planted==1.0 --engine local",
        f"{INDEX} upgrade jax my.py --with planted==3.0 --engine local",
        f"{INDEX} upgrade jax my.py --with plonted-nowhere --engine local",
        f"{INDEX} upgrade jax my.py --with planted==1.2 --engine local --apply",
    ),
]
assert len({each.name for each in SLOW}) == len(SLOW)
