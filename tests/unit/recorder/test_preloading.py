"""What was imported beforehand comes back as by an import: each in a Python of its own."""

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

# A framework that draws while it is imported, also through what it imports, and sets a variable.
PACKAGES = {
    "theano/__init__.py": (
        "import os, random, numpy\n"
        "numpy.random.rand(3)\n"
        "import jax\n"
        "random.random()\n"
        "os.environ['SET_BY_THEANO'] = '1'\n"
        "import sys; sys.path.append('/added')\n"
    ),
    "theano/later.py": "import random\nrandom.getrandbits(64)\nVALUE = 7\n",
    "theano/inner.py": "VALUE = 1\n",
    "jax.py": (
        "import numpy, random\n"
        "from numpy.random import normal\n"
        "numpy.random.randint(0, 10, 5); normal(); random.shuffle(list(range(9)))\n"
        "random.gauss(0, 1)\n"
    ),
    "plain.py": "VALUE = 2\n",
    "broken.py": "import theano\nraise ImportError('no')\n",
}
USES = """\
random.seed(3); numpy.random.seed(3)
import theano, plain
from theano import later
import theano.inner
found = [random.random(), numpy.random.rand(), os.environ["SET_BY_THEANO"], later.VALUE]
found += [theano.inner.VALUE, plain.VALUE, sorted(n for n in sys.modules if "theano" in n)]
found += ["jax" in sys.modules, sys.path[-1], told, vars(theano)["later"] is later]
print(json.dumps(found))
"""
HEAD = "import json, os, random, sys, numpy\ntold = []\n"
HOOKS = """\
from keras_repro.recorder import import_hooks
begins = {n: (lambda n=n: told.append("begins " + n)) for n in ("theano", "jax")}
ends = {n: (lambda m: told.append("ends " + m.__name__)) for n in ("theano", "jax")}
import_hooks.install([ends], [begins])
"""
PRELOADED = """\
from keras_repro.recorder import import_hooks
from keras_repro.recorder.preloading import CannotForkError, Hidden, Preloading
preloading = Preloading()
names = ("theano", "jax")
begin = {n: (lambda n=n: preloading.begins(n)) for n in names}
end = {n: (lambda m: preloading.ends(m.__name__, False)) for n in names}
import_hooks.install([end], [begin])
try:
    preloading.preload(%r)
except CannotForkError as error:
    sys.exit("cannot: %%s" %% error)
class Told:
    def begins(self, name): told.append("begins " + name)
    def ends(self, name, module): told.append("ends " + module.__name__)
hidden = Hidden(preloading.roots, %r)
assert not {"theano", "jax", "plain"} & set(sys.modules)
assert "/added" not in sys.path
os.environ.pop("SET_BY_THEANO", None)
hidden.begin(Told(), lambda reason: sys.exit("given up: " + reason))
"""
NAMES = ["theano", "theano.later", "theano.inner", "plain"]


@pytest.fixture
def python(tmp_path):
    for name, text in PACKAGES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def run(*parts):
        paths = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
        return subprocess.run(
            [sys.executable, "-c", HEAD + "".join(parts)],
            env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_it_is_as_a_first_import(python):
    alone, hidden = python(HOOKS, USES), python(PRELOADED % (NAMES, {}), USES)
    assert hidden.returncode == 0, hidden.stderr
    assert json.loads(hidden.stdout) == json.loads(alone.stdout)
    assert json.loads(alone.stdout)[-2][:2] == ["begins theano", "begins jax"]


def test_what_is_not_imported_again_is_not_there(python):
    uses = "import plain\nassert 'theano' not in sys.modules\nprint(random.random())\n"
    seeded = "random.seed(3)\n"
    alone, hidden = (
        python(seeded, uses),
        python(PRELOADED % (NAMES, {}), seeded, uses),
    )
    assert hidden.stdout == alone.stdout


def test_what_cannot_be_imported_is_left_to_the_script(python):
    done = python(PRELOADED % (["broken", *NAMES], {}), "import theano\nimport broken\n")
    assert "ImportError: no" in done.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import numpy\nnumpy.random.seed()\n", "what importing odd draws is not known"),
        ("import random\nrandom._inst.random()\n", "what importing odd draws is not known"),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True)"
         ".start()\n", "importing odd starts a thread"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_again_is_said(python, tmp_path, text, why):
    (tmp_path / "odd.py").write_text(text)
    done = python(PRELOADED % (["odd", "theano"], {}))
    assert done.returncode == 1
    assert why in done.stderr


def test_variables_that_the_script_sets_before_it_imports(python):
    told = {"HOW": "quickly", "NOT_THERE": None}
    head = "os.environ['NOT_THERE'] = '1'\n" + PRELOADED % (NAMES, told)
    same = (
        "os.environ['HOW'] = 'quickly'\ndel os.environ['NOT_THERE']\nimport theano\nprint('ok')\n"
    )
    done = python(head, same)
    assert done.stdout == "ok\n", done.stderr
    for other in (
        same.replace("quickly", "slowly"),
        same.replace("del os", "os"),
        "import theano\n",
    ):
        done = python(head, other)
        assert "given up: it sets" in done.stderr
    done = python(head, "os.environ['MORE'] = '1'\n" + same)
    assert "given up: it sets MORE otherwise before it imports" in done.stderr
