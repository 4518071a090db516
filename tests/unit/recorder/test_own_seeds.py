"""A script's own seeds are replaced, and nobody else's."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.recorder.own_seeds import another

pytestmark = pytest.mark.long

SRC = Path(contract.__file__).parents[2]
# Stands for the recorder's own process; it seeds first, as that does.
PROBE = """
import json, sys
sys.path[:0] = [{src!r}, {packages!r}]
from keras_repro.recorder import import_hooks, own_seeds, seeding
from keras_repro.recorder.trail.generators import Imports
from keras_repro.recorder.trail.trail import Trail
if {seed} is not None:
    hooks = own_seeds.install({seed})
    import_hooks.install([{{"torch": lambda module: module.manual_seed({seed})}}, hooks])
seeding.seed_python_and_numpy({seed} or 1337)
Imports(Trail(True)).script_begins()
names = {{"__name__": "__main__"}}
exec(compile(open({script!r}).read(), {script!r}, "exec"), names)
print(json.dumps(names["found"]))
"""
LIBRARY = """
import numpy
given = []
def manual_seed(seed):
    given.append(seed)
    return "a generator"
def shuffled():
    numpy.random.seed(5)
    return numpy.random.rand()
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "torch.py").write_text(LIBRARY)

    def run(lines, seed=None):
        script = tmp_path / "script.py"
        script.write_text(f"import random, numpy\nfound = []\n{lines}\n")
        code = PROBE.format(
            src=str(SRC), packages=str(tmp_path / "site-packages"), script=str(script), seed=seed
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    "lines",
    [
        "random.seed(1); found.append(random.random())",
        "random.seed(a='text'); found.append(random.random())",
        "numpy.random.seed(1); found.append(numpy.random.rand())",
        "numpy.random.seed(seed=1); found.append(numpy.random.rand())",
        "numpy.random.seed(numpy.arange(3)); found.append(numpy.random.rand())",
        "found.append(numpy.random.default_rng([1, 2]).random())",
        "from numpy.random import default_rng as made; found.append(made(1).random())",
    ],
)
def test_what_the_script_seeds_depends_on_the_runs_seed(run, lines):
    plain, one, same, two = run(lines), run(lines, 1), run(lines, 1), run(lines, 2)
    assert one == same
    assert len({*plain, *one, *two}) == 3
    for value in ("1", "text", "arange(3"):
        lines = lines.replace(value, f"{value}9" if value[-1].isdigit() else f"other{value}")
    lines = lines.replace("otherarange(3", "arange(4")
    assert run(lines, 1) != one  # and on what was given


def test_what_a_library_seeds_is_its_own(run):
    lines = "import torch; found.append(torch.shuffled())"
    assert run(lines) == run(lines, 1) == run(lines, 2)


def test_what_the_recorder_seeds_is_the_runs_seed(run):
    lines = "import torch; torch.manual_seed(7); found.extend(torch.given)"
    first, given = run(lines, 1)
    assert first == 1
    assert given == another(1, 7)
    lines = "found.append(numpy.random.rand())"
    assert run(lines, 1) == [np.random.RandomState(1).rand()]


def test_a_function_goes_on_returning_what_it_did(run):
    assert run("import torch; found.append(torch.manual_seed(7))", 1) == ["a generator"]
    assert run("found.append(random.seed.__name__)", 1) == ["seed"]


@pytest.mark.parametrize("given", [None, 1.5, "text", b"text", 0, np.int64(3), [1, 2], (1,), True])
def test_seeds(given):
    found = another(1337, given)
    if given is None:
        assert found is None
    else:
        assert 0 <= found < 2**31
        assert found != another(1338, given)
        assert found == another(1337, given)


@pytest.mark.parametrize("given", [[], [1.5], object, random.Random(1), np.ones(2), [1] * 2000])
def test_what_is_no_seed_stays(given):
    assert another(1337, given) is given
