"""What in a script's text may make its runs differ, and which array parts first."""

from pathlib import Path

import pytest

from keras_repro.numbers.comparison import EXACT, compare
from keras_repro.studies.train.nondeterminism import first_to_part, suspects
from tests.unit.made import InMemory


def found(tmp_path, text, threads=1):
    (tmp_path / "train.py").write_text(text)
    return [str(one) for one in suspects(tmp_path, [Path("train.py")], threads)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "import numpy as np\nrng = np.random.default_rng()",
            "train.py:2: numpy.random.default_rng()",
        ),
        (
            "from numpy.random import default_rng as d\n\nd()",
            "train.py:3: numpy.random.default_rng()",
        ),
        ("import numpy\nnumpy.random.seed(None)", "train.py:2: numpy.random.seed()"),
        ("from random import Random\nRandom()", "train.py:2: random.Random()"),
        ("import os\nos.urandom(4)", "train.py:2: os.urandom()"),
        ("import time\nseed = int(time.time())", "train.py:2: time.time()"),
        ("from datetime import datetime\ndatetime.now()", "train.py:2: datetime.datetime.now()"),
        ("import os\nfor f in os.listdir('.'): pass", "train.py:2: os.listdir()"),
        ("from pathlib import Path\nfor f in Path('.').glob('*'): pass", "train.py:2: glob()"),
        ("import threading\nthreading.Thread()", "train.py:2: threading.Thread()"),
        ("model.fit(x, workers=4)", "train.py:1: model.fit(workers=...)"),
        ("import uuid\nuuid.uuid4()", "train.py:2: uuid.uuid4()"),
    ],
)
def test_suspects(tmp_path, text, expected):
    [one] = found(tmp_path, text)
    assert one.startswith(expected + ": ")


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\nnp.random.default_rng(3)\nnp.random.default_rng(seed=3)",
        "import numpy as np\nnp.random.seed(0)\nnp.random.rand(3)",
        "import os\nfor f in sorted(os.listdir('.')): pass",
        "from pathlib import Path\nfor f in sorted(Path('.').iterdir()): pass",
        "model.fit(x, workers=1)",
        "def broken(:",
        "",
    ],
)
def test_no_suspects(tmp_path, text):
    assert found(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("import time\ntime.time()", True),
        ("import os\nos.getpid()", True),
        ("import os\nos.listdir()", True),
        ("id(model)", False),  # an address
        ("model.fit(x, workers=4)", False),
    ],
)
def test_which_of_them_a_hermetic_run_holds(tmp_path, text, held):
    (tmp_path / "train.py").write_text(text)
    [one] = suspects(tmp_path, [Path("train.py")], 1)
    assert one.is_held is held


def test_threads_and_files_that_are_not_there(tmp_path):
    assert found(tmp_path, "", threads=2) == ["--threads: 2: threads may add numbers in any order"]
    assert suspects(tmp_path, [Path("nothing.py")], 1) == []


def test_the_first_in_time_is_first():
    def arrays(**changes):
        made = {
            "costs/train": [3.0, 2.0, 1.0],
            "initial_weights/0.dense.kernel": [1.0],
            "model2/costs/train": [3.0, 2.0, 1.0],
            "predictions/0": [1.0],
        }
        return {name: InMemory(changes.get(name, value)) for name, value in made.items()}

    def first(**changes):
        parted = first_to_part(compare(arrays(), arrays(**changes), lambda name: EXACT))
        return parted and parted.name

    assert first() is None
    late, early = {"costs/train": [3.0, 2.0, 9.0]}, {"model2/costs/train": [3.0, 9.0, 1.0]}
    other, weights = {"predictions/0": [9.0]}, {"initial_weights/0.dense.kernel": [9.0]}
    assert first(**other) == "predictions/0"
    assert first(**other, **late) == "costs/train"
    assert first(**other, **late, **early) == "model2/costs/train"
    assert first(**other, **late, **early, **weights) == "initial_weights/0.dense.kernel"
