"""Runs in processes forked from one that has imported: as those of a process of their own."""

import json
import re

import pytest

from keras_repro.recorder import contract
from tests.conftest import BACKENDS

# What a script may do that imports leave a mark on: draw before them and after, set variables,
# import late and from beside it, read where it is, and say how it ends.
SCRIPT = """\
import atexit, os, random, sys
import numpy as np
os.environ["MADE_BY_SCRIPT"] = "1"
before = [random.random(), np.random.rand()]
import keras
from keras.layers import Dense, Dropout
import matplotlib.pyplot as plt
import beside
after = [random.random(), np.random.rand()]
assert sorted(n for n in sys.modules if n == "beside" or n == "tabnanny") == ["beside"]
x = np.random.normal(size=(32, 4)).astype("float32")
y = x.sum(1, keepdims=True)
model = keras.models.Sequential([Dense(5, activation="tanh", input_shape=(4,)), Dropout(0.5),
                                 Dense(1)])
model.compile("adam", "mse")
model.fit(x, y, epochs=3, batch_size=8, verbose=0)
model.evaluate(x, y, verbose=0)
model.predict(x, verbose=0)
import tabnanny
plt.plot(before + after)
plt.show()
there = sorted(name for name in os.listdir(".") if name[0] != "_")
with open("written.txt", "w") as file:
    file.write(repr([before, after, os.getcwd(), hash("a"), there]))
print(before, after, beside.NUMBER, sys.argv, __name__)
atexit.register(lambda: print("the end"))
"""
BESIDE = "import numpy as np\nNUMBER = float(np.random.rand())\n"
OF_ITS_OWN = ("started", "durations", "forked")


@pytest.fixture
def script(scripts):
    (scripts.folder / "beside.py").write_text(BESIDE)
    return scripts.write(SCRIPT)


def record_of(run):
    """Return all that a run kept but times."""
    facts = {name: fact for name, fact in run.facts.items() if name not in OF_ITS_OWN}
    trail = json.loads((run.out / contract.TRAIL).read_text())
    files = {
        str(path.relative_to(run.out)): path.read_bytes()
        for path in sorted(run.out.rglob("*"))
        if path.is_file() and path.parent != run.out and path.suffix != ".png"
    }
    written = re.sub(rb"keras-repro-\w+", b"", b"".join(files.values()))
    bits = {name: (a.dtype, a.shape, a.tobytes()) for name, a in run.arrays.items()}
    return facts, trail, sorted(files), written, bits


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fork_keeps_what_a_process_of_its_own_does(scripts, script, backend):
    asked = [(1337, True), (1338, True), (1338, False), (1337, False), (1339, False), (1339, True)]
    runs, said = scripts.serve(backend, script, asked)
    assert [run.status for run in runs] == [0] * 6, said
    assert [run.facts.get("forked", False) for run in runs] == [not alone for _, alone in asked]
    one, other, other_fork, one_fork, third_fork, third = runs
    for alone, fork in ((one, one_fork), (other, other_fork), (third, third_fork)):
        for of_alone, of_fork in zip(record_of(alone), record_of(fork), strict=True):
            assert of_fork == of_alone
        assert fork.log.splitlines()[-2:] == alone.log.splitlines()[-2:]
        assert fork.log.splitlines()[-1] == "the end"
        assert (fork.out / "figures/01.png").stat().st_size > 1000
    assert record_of(one)[-1] != record_of(other)[-1]


def test_seeds_that_the_script_gives_itself(scripts, a_backend):
    text = "import numpy as np\nnp.random.seed(5)\nfirst = np.random.rand()\nimport keras\n"
    text += "np.random.seed(6)\nfrom keras_repro import record\n"
    text += "record.array('own', [first, np.random.rand()])\n"
    path = scripts.write(text)
    asked = [(1, True), (2, True), (1, False), (2, False)]
    runs, said = scripts.serve(a_backend, path, asked, "--vary-own-seeds")
    assert [run.status for run in runs] == [0] * 4, said
    drawn = [run.arrays["own"].tolist() for run in runs]
    assert drawn[0] == drawn[2] != drawn[1] == drawn[3]


FAILING = {
    "raises": ("raise ValueError('no')", "exit status 1: ValueError: no"),
    "leaves at once": ("import os; os._exit(3)", "exit status 3"),
    "is killed": ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
    "exits": ("import sys; sys.exit('why')", "exit status 1: why"),
}
AFTER = "import keras, random\nseed_1 = random.getstate()[1][:3] == %r\nif seed_1:\n    %s\n"
GOOD = "from keras_repro import record; record.array('own', [1.0])\n"


@pytest.mark.parametrize("how", FAILING)
def test_one_that_fails_fails_alone(scripts, a_backend, how):
    import random

    code, reason = FAILING[how]
    first = random.Random(1).getstate()[1][:3]
    text = f"import random\nfirst = random.getstate()[1][:3] == {first!r}\nimport keras\n"
    path = scripts.write(f"{text}if first:\n    {code}\n{GOOD}")
    runs, said = scripts.serve(a_backend, path, [(2, True), (1, False), (3, False)])
    assert [run.status for run in runs] == [0, contract.EXIT_FAILED, 0], said
    assert runs[1].facts["reason"].startswith(reason)
    assert runs[1].facts["forked"]


def test_variables_that_differ_from_seed_to_seed_before_the_imports(scripts, a_backend):
    path = scripts.write(
        "import os, random\nos.environ['HOW'] = str(random.random())\nimport keras\n" + GOOD
    )
    runs, said = scripts.serve(a_backend, path, [(2, True), (2, False), (3, False), (3, True)])
    assert [run.status for run in runs] == [0, 0, contract.EXIT_NOT_FORKED, 0]
    assert "script.py: it sets HOW otherwise before it imports" in said
    assert not runs[2].out.exists()


def test_threads_of_an_import(scripts, a_backend):
    path = scripts.write("import keras\n" + GOOD)
    runs, said = scripts.serve(a_backend, path, [(2, True), (2, False)], "--threads", "2")
    if runs[1].status:
        assert runs[1].status == contract.EXIT_NOT_FORKED
        assert "starts a thread" in said


def test_what_a_run_leaves_is_gone_before_the_next(scripts, a_backend):
    path = scripts.write(
        "import keras, subprocess, sys, os\n"
        "left = [n for n in os.listdir('/proc') if n.isdigit() and n != str(os.getpid())]\n"
        "lines = [open('/proc/%s/cmdline' % n).read() for n in left]\n"
        "assert not any('sleep(987)' in line for line in lines)\n"
        "subprocess.Popen([sys.executable, '-c', 'import os,time; os.setsid(); time.sleep(987)'])\n"
        "assert not os.path.exists('mine.txt')\n"
        "open('mine.txt', 'w').write('1')\n" + GOOD
    )
    asked = [(1, True), (1, False), (2, False), (3, False)]
    runs, said = scripts.serve(a_backend, path, asked)
    assert [run.status for run in runs] == [0] * 4, said


HELD_OPEN = """\
import keras
from keras_repro import record
class Late:
    def __del__(self):
        open("late.txt", "w").write("late")
late = Late()
late.itself = late
text = open("text.txt", "w")
text.write("not closed")
record.array('own', [1.0])
"""


def test_files_that_are_never_closed(scripts, a_backend):
    path = scripts.write(HELD_OPEN)
    runs, said = scripts.serve(a_backend, path, [(1, True), (1, False)])
    assert [run.status for run in runs] == [0, 0], said
    for run in runs:
        assert (run.out / "files/text.txt").read_text() == "not closed"
        assert (run.out / "files/late.txt").read_text() == "late"


def test_what_an_atexit_function_raises(scripts, a_backend):
    text = "import atexit, sys, keras\natexit.register(lambda: sys.exit(3))\n"
    runs, said = scripts.serve(a_backend, scripts.write(text + GOOD), [(1, True), (1, False)])
    assert [run.status for run in runs] == [0, 0], said
    assert "forking.py" not in runs[1].log


BEFORE = """\
import csv, importlib.util
import matplotlib.pyplot as plt
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
where = importlib.util.find_spec("keras")
import keras
print(where.origin == keras.__file__, list(where.submodule_search_locations) == keras.__path__)
from keras_repro import record
record.array('own', [1.0])
"""


def test_variables_that_are_set_after_other_imports(scripts, a_backend):
    runs, said = scripts.serve(a_backend, scripts.write(BEFORE), [(1, True), (1, False)])
    assert [run.status for run in runs] == [0, 0], said
    assert runs[1].facts["forked"]
    assert "True True" in runs[0].log
    assert runs[1].log.splitlines()[-1] == runs[0].log.splitlines()[-1]


def test_what_imports_print_is_in_the_log(scripts, a_backend):
    runs, _ = scripts.serve(
        a_backend, scripts.write("import keras\n" + GOOD), [(1, True), (1, False)]
    )
    assert runs[1].log == runs[0].log


def test_a_variable_that_is_too_long_to_be_told(scripts, a_backend):
    text = "import os\nos.environ['LONG'] = 'a' * 5000\nimport keras\n" + GOOD
    runs, said = scripts.serve(a_backend, scripts.write(text), [(1, True), (1, False)])
    assert [run.status for run in runs] == [0, contract.EXIT_NOT_FORKED], said


SHARED = """\
import keras, os, random
from keras_repro import record
number = random.random()
for folder in ("/tmp", "/dev/shm"):
    path = folder + "/keras-repro-tests-left"
    if os.path.exists(path):
        number = float(open(path).read())
    open(path, "w").write(repr(number))
    os.makedirs(folder + "/of-a-script/inner", exist_ok=True)
    if not os.path.islink(folder + "/link-of-a-script"):
        os.symlink("/", folder + "/link-of-a-script")
record.array("own", [number])
"""


@pytest.mark.docker
def test_no_seed_finds_what_another_left_in_the_container(scripts):
    if scripts.engine != "docker":
        pytest.skip("outside of a container /tmp is anybody's")
    asked = [(1, True), (2, False), (3, False), (3, True), (2, True)]
    runs, said = scripts.serve("jax", scripts.write(SHARED), asked)
    assert [run.status for run in runs] == [0] * 5, said
    first, two, three, three_alone, two_alone = (run.arrays["own"][0] for run in runs)
    assert len({first, two, three}) == 3
    assert (two, three) == (two_alone, three_alone)


HOSTILE = {
    "ends it": "os.kill(number, 9)",
    "stops it": "os.kill(number, 19)",
    "looks into it": "open('/proc/%d/mem' % number, 'r+b')",
    "opens its files": "os.listdir('/proc/%d/fd' % number)",
}


@pytest.mark.docker
@pytest.mark.parametrize("how", HOSTILE)
def test_a_script_that_goes_for_the_process_that_forks(scripts, how):
    if scripts.engine != "docker":
        pytest.skip("the local engine is no jail")
    path = scripts.write(
        "import keras, os\n"
        "for name in filter(str.isdigit, os.listdir('/proc')):\n"
        "    number = int(name)\n"
        "    try:\n"
        "        command = open('/proc/%d/cmdline' % number).read()\n"
        "    except OSError:\n"
        "        continue\n"
        "    if 'recorder.forking' in command and number != os.getpid():\n"
        "        print('found')\n"
        "        try:\n"
        f"            {HOSTILE[how]}\n"
        "        except OSError:\n"
        "            print('refused')\n" + GOOD
    )
    runs, said = scripts.serve("jax", path, [(1, True), (1, False), (2, False), (2, True)])
    assert [run.status for run in (runs[0], runs[1], runs[3])] == [0, 0, 0], said
    assert "found" in runs[1].log
    if how in ("looks into it", "opens its files"):
        assert "refused" in runs[1].log
        assert runs[2].status == 0
    else:
        assert runs[2].status == contract.EXIT_NOT_FORKED
