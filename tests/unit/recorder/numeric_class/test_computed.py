"""The process that computes the class may fail, hang and write anything."""

import os
import time

import pytest

from keras_repro.recorder.numeric_class import computed

pytestmark = pytest.mark.long

SAY = "import os, sys, time; fd = int(sys.argv[3]); say = lambda t: os.write(fd, t + b'\\n')\n"
GOOD = b'{"kernel": "matmul", "digest": "0123456789abcdef"}'
DONE = b'{"done": true}'


@pytest.fixture
def compute(monkeypatch):
    def run(text, limit=20.0):
        monkeypatch.setattr(computed, "LAUNCH", SAY + text)
        return computed.compute("jax", 1, dict(os.environ), limit=limit)

    return run


def test_what_it_computes_is_the_class(compute):
    failed = b'{"kernel": "exp", "problem": "no such thing"}'
    found = compute(f"say({GOOD!r}); say({failed!r}); say({DONE!r}); time.sleep(60)")
    assert found["kernels"] == {"matmul": "0123456789abcdef", "exp": None}
    assert found["problems"] == {"exp": "no such thing"}
    assert found["problem"] is None
    assert found["digest"] == computed.digest_of(found["kernels"])
    assert found["digest"] != computed.digest_of({"matmul": "0123456789abcdef"})


@pytest.mark.parametrize("emulator", [(), ("env", "UNDER=QEMU")])
def test_it_runs_where_its_processor_is(monkeypatch, emulator):
    text = "import json; where = [sys.argv[4], os.environ.get('UNDER')]; "
    text += "say(json.dumps({'kernel': 'exp', 'problem': str(where)}).encode())\n"
    monkeypatch.setattr(computed, "LAUNCH", SAY + text + f"say({DONE!r})")
    found = computed.compute("jax", 1, dict(os.environ), limit=20.0, emulator=emulator)
    expected = "['emulated', 'QEMU']" if emulator else "['native', None]"
    assert found["problems"] == {"exp": expected}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sys.exit(3)", "exit status 3 (starting)"),
        ('say(b\'{"doing": "conv2d"}\'); os.kill(os.getpid(), 4)', "killed by SIGILL (conv2d)"),
        (f"say({DONE!r})", "it computed nothing"),
        (f"say({GOOD!r}); os.close(fd); time.sleep(60)", "it closed its pipe (starting)"),
        (f"os.write(fd, {GOOD!r})", "it wrote half a line (starting)"),
    ],
)
def test_why_there_is_none(compute, text, problem):
    found = compute(text, limit=5.0)
    assert (found["digest"], found["kernels"], found["problem"]) == (None, {}, problem)


def test_it_is_ended_where_it_hangs(compute, tmp_path):
    marker = tmp_path / "alive"
    after = f"time.sleep(3); open({str(marker)!r}, 'w')"
    found = compute(f"say({GOOD!r}); os.fork(); {after}", limit=1.0)
    assert found["problem"] == "it took longer than 1 s (starting)"
    time.sleep(3)
    assert not marker.exists()


@pytest.mark.parametrize(
    "line",
    [
        b"rubbish",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kernel": "../x", "digest": "0123456789abcdef"}',
        b'{"kernel": "exp", "digest": "0123"}',
        b'{"kernel": "exp", "digest": 7}',
        b'{"kernel": "exp", "digest": "0123456789abcdef", "more": 1}',
        b'{"kernel": "exp"}',
        b'{"doing": 7}',
    ],
)
def test_rubbish_is_no_class(compute, line):
    found = compute(f"say({GOOD!r}); say({line[:70_000]!r}); say({DONE!r})")
    assert found["problem"].startswith("it wrote what is no result")
    assert found["digest"] is None


def test_no_kernel_comes_twice_and_there_is_an_end_to_them(compute):
    assert compute(f"say({GOOD!r}); say({GOOD!r})")["digest"] is None
    many = '[say((\'{"kernel": "k%d", "problem": "x"}\' % n).encode()) for n in range(100)]'
    assert compute(f"{many}; say({DONE!r})")["digest"] is None
    found = compute('[say(b\'{"doing": "x"}\') for n in range(10 ** 6)]')
    assert found["problem"] == "it wrote what is no result (x)"


def test_it_has_no_other_variables_and_a_home_of_its_own(compute, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    text = "assert 'SECRET' not in os.environ and os.listdir(os.environ['HOME']) == []\n"
    monkeypatch.setattr(computed, "LAUNCH", SAY + text + f"say({GOOD!r}); say({DONE!r})")
    assert computed.compute("jax", 1, {"PATH": "/usr/bin"})["digest"]


def test_what_theano_compiled_is_copied(compute, monkeypatch, tmp_path):
    (tmp_path / "compiled").mkdir()
    (tmp_path / "compiled" / "x.so").touch()
    text = (
        "flags = os.environ['THEANO_FLAGS'].split(',')\n"
        "assert flags[0] == 'device=cpu' and flags[1].startswith('compiledir=')\n"
        "folder = flags[1].partition('=')[2]\n"
        "assert os.listdir(folder) == ['x.so'] and folder.startswith(os.environ['HOME'])\n"
    )
    monkeypatch.setattr(computed, "LAUNCH", SAY + text + f"say({GOOD!r}); say({DONE!r})")
    variables = {"THEANO_FLAGS": "device=cpu"}
    compiled = str(tmp_path / "compiled")
    assert computed.compute("theano", 1, variables, compiled=compiled)["digest"]
