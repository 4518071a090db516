"""Recorders that make one run after another: told, heard, taken again, and ended."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from keras_repro import backends
from keras_repro.engines import Ended, Job
from keras_repro.engines.served import Pool, Served
from keras_repro.project.workload import builtin

# Answers each run with its seed as the exit code, and says and prints some.
RECORDER = """\
import json, os, sys
print("x" * 200000, flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    print('{"keras-repro-ended": 3}', flush=True)
    print("keras-repro: said of", asked["out"], asked["alone"], file=sys.stderr, flush=True)
    if asked["seed"] == 99:
        os._exit(9)
    print('{"keras-repro-ended": 3, "out": "another"}', file=sys.stderr, flush=True)
    ended = {"keras-repro-ended": asked["seed"], "out": asked["out"]}
    print(json.dumps(ended), file=sys.stderr, flush=True)
"""
[JAX] = backends.select(("jax",))


@pytest.fixture
def started():
    return []


@pytest.fixture
def start(started):
    def begin(job):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen([sys.executable, "-c", RECORDER], **pipes)
        ended = []
        started.append((process, ended))
        return Served(process, lambda: ended.append(True))

    yield begin
    for process, _ in started:
        process.kill()
        process.wait()


def job(seed, folder="x", **conditions):
    of = builtin("regression", "")
    workload = replace(of, conditions=of.conditions.having(seed=seed, **conditions))
    return Job(JAX, workload, Path("/artifacts"), folder)


def test_runs_of_other_seeds_are_made_by_the_same_recorder(start, started):
    pool = Pool(start)
    assert pool.make(job(5), "a", True) == (Ended(5, "said of a True"), None)
    assert pool.make(job(6, "y"), "b", False) == (Ended(6, "said of b False"), None)
    assert len(started) == 1
    pool.make(job(7, hash_seed=3), "c", False)
    pool.make(job(7, threads=2), "c", False)
    assert len(started) == 3
    pool.end()
    assert all(process.returncode == 0 and ended for process, ended in started)
    pool.make(job(7), "c", False)
    assert len(started) == 4
    pool.end()


def test_one_that_ends_is_told_and_not_taken_again(start, started):
    pool = Pool(start)
    ended, tail = pool.make(job(99), "a", True)
    assert ended == Ended(9, "said of a True")
    assert tail == "keras-repro: said of a True\n"
    assert pool.make(job(5), "b", True)[0].status == 5
    assert len(started) == 2
    pool.end()


def test_one_that_is_gone_while_it_is_idle(start, started):
    pool = Pool(start)
    pool.make(job(5), "a", True)
    started[0][0].kill()
    started[0][0].wait()
    assert pool.make(job(6), "b", True)[0].status == 6
    pool.end()


def test_one_that_was_interrupted_is_not_taken_again(start, started):
    pool = Pool(start)
    assert pool.make(job(130), "a", True)[0].status == 130
    assert pool.make(job(6), "b", True)[0].status == 6
    assert len(started) == 2
    pool.end()


def test_one_that_is_gone_before_it_is_told(start, started):
    served = start(job(5))
    started[0][0].kill()
    started[0][0].wait()
    assert served.make("a", 5, True) == (Ended(-9, ""), "")
    served.end()
