"""What a script asks of its surroundings: data, time, memory, an answer, the network."""

import json

import numpy as np
import pytest

from keras_repro.recorder import contract
from tests.recorder.test_failures import GOOD


@pytest.fixture
def train(tmp_path, keras_repro, engine, a_backend):
    """Train a script of this text; return the process, and what its run says of it."""

    def run(text, *options, name="train.py"):
        (tmp_path / name).write_text(text)
        arguments = ("--backend", a_backend, "--engine", engine, *options)
        done = keras_repro("train", name, *arguments)
        out = tmp_path / "artifacts" / name.removesuffix(".py") / a_backend
        failed = out.with_name(out.name + ".failed")
        folder = failed if failed.exists() else out
        facts = json.loads((folder / contract.FACTS).read_text()) if folder.exists() else {}
        log = (folder / contract.LOG).read_text() if folder.exists() else ""
        return done, facts, log

    return run


def test_data_are_seen_where_they_are_here_and_cannot_be_harmed(train, tmp_path):
    for place in ("inside", "absolute"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "x.csv").write_text("1,2,3,4")
    text = f"""
import os, numpy as np
for path in ("inside/x.csv", "{tmp_path}/absolute/x.csv"):
    assert np.loadtxt(path, delimiter=",").tolist() == [1, 2, 3, 4]
    try:
        os.remove(path)
    except OSError:
        pass
    try:
        open(os.path.join(os.path.dirname(path), "new"), "w").close()
    except OSError:
        pass
"""
    done, facts, _ = train(text + GOOD, "--data", "inside", "--data", f"{tmp_path}/absolute")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "inside" in facts["data"]
    assert (tmp_path / "inside" / "x.csv").exists()
    assert not (tmp_path / "inside" / "new").exists()


def test_data_above_the_folder(tmp_path, keras_repro, engine, a_backend):
    for name in ("project", "beside"):
        (tmp_path / name).mkdir()
    (tmp_path / "beside" / "x.csv").write_text("1")
    script = "assert open('../beside/x.csv').read() == '1'\n" + GOOD
    (tmp_path / "project" / "train.py").write_text(script)
    options = ("--backend", a_backend, "--engine", engine, "--data", "../beside")
    done = keras_repro("train", "train.py", *options, cwd=tmp_path / "project")
    assert done.returncode == 0, done.stdout + done.stderr


def test_datasets_take_the_place_of_a_download(train, tmp_path):
    (tmp_path / "sets").mkdir()
    np.savez(tmp_path / "sets" / "mine.npz", x=np.arange(3))
    text = (
        "import keras, numpy, os\n"
        "path = keras.utils.get_file('mine.npz', origin='https://host.invalid/mine.npz')\n"
        "assert numpy.load(path)['x'].tolist() == [0, 1, 2]\n"
        "assert os.path.exists(os.path.expanduser('~/.keras/datasets/mine.npz'))\n"
    )
    done, facts, log = train(text + GOOD)
    assert done.returncode == 4
    [_, last] = [line for line in log.splitlines() if line.startswith("keras-repro: ")]
    assert "asked the network for https://host.invalid/mine.npz" in last
    assert "--datasets" in last
    assert log.splitlines()[-1] == last
    assert facts["network"][0] == "https://host.invalid/mine.npz"
    assert "--datasets" in done.stdout
    done, facts, log = train(text + GOOD, "--datasets", "sets")
    assert done.returncode == 0, done.stdout + log
    assert facts["network"] == []


def test_a_dataset_that_keras_throws_away_stays(train, tmp_path):
    (tmp_path / "sets").mkdir()
    precious = tmp_path / "sets" / "mine.npz"
    precious.write_text("precious")
    text = (
        "import keras\nkeras.utils.get_file('mine.npz', origin='https://host.invalid/mine.npz',\n"
        "    file_hash='0' * 64)\n"
    )
    done, _, _ = train(text, "--datasets", "sets")
    assert done.returncode == 4
    assert precious.read_text() == "precious"


def test_a_script_that_runs_too_long(train):
    done, facts, log = train("import time\ntime.sleep(600)\n", "--time-limit", "2 s")
    assert done.returncode == 4
    assert facts["reason"] == "it ran longer than its limit of 2 s"
    assert facts["reason"] in log
    assert facts["reason"] in done.stdout


def test_a_script_that_uses_too_much_memory(train):
    text = "import time\nkept = b'x' * (400 << 20)\ntime.sleep(600)\n"
    done, facts, _ = train(text, "--memory-limit", "200 MB")
    assert done.returncode == 4
    assert facts["reason"].endswith("MB, more than its limit of 200 MB")


def test_a_script_that_asks(train):
    done, facts, _ = train("name = input('Name? ')\n")
    assert done.returncode == 4
    assert "the script asked for input ('Name? ') and nobody is there" in facts["reason"]


def test_what_it_is_given_in_its_environment(train):
    text = "import os\nassert os.environ['MODE'] == 'a=b'\nassert os.environ['API_KEY'] == 'x'\n"
    done, facts, log = train(text + GOOD, "--env", "MODE=a=b", "--env", "API_KEY=x")
    assert done.returncode == 0, log
    assert facts["environment"]["MODE"] == "a=b"
    assert facts["environment"]["API_KEY"] == "(not shown)"  # baselines go into git


def test_what_it_writes_beyond_the_limit_is_said(train):
    text = "open('small', 'w').write('x')\nopen('large', 'w').write('x' * 2000)\n"
    done, facts, log = train(text + GOOD, "--files-limit", "1 kB")
    assert done.returncode == 0, log
    assert list(facts["files"]) == ["small"]
    assert list(facts["files_left_out"]) == ["large"]
    assert "not kept in files/, which holds at most 1 kB (--files-limit): large (" in log


def test_an_error_of_many_lines_is_one(train):
    done, facts, _ = train("raise ValueError('first\\n\\nsecond')\n")
    assert facts["reason"] == "exit status 1: ValueError: first second"
    assert done.returncode == 4


def test_a_script_that_is_not_deterministic_is_found_out(train, tmp_path, a_backend):
    text = GOOD.replace(
        "x = np.arange(4.0).reshape(-1, 1)",
        "rng = np.random.default_rng()\nx = rng.random((4, 1))",
    )
    done, _, _ = train(text, "--repeat", "3")
    assert done.returncode == 1
    assert "not deterministic: run 2 parts from run 1 in costs/train at the first step" in (
        done.stdout
    )
    assert "train.py:7: numpy.random.default_rng(): a generator without a seed" in done.stdout
    both = tmp_path / "artifacts" / "train"
    assert (both / a_backend / contract.ARRAYS).exists()
    assert (both / f"{a_backend}.repeat" / contract.ARRAYS).exists()
    done, _, _ = train(GOOD, "--repeat", "2", name="steady.py")
    assert done.returncode == 0
    assert "2 runs" in done.stdout
    assert not list((tmp_path / "artifacts" / "steady").glob("*.repeat"))


def test_extra_packages_are_there(train, tmp_path, keras_repro, engine, a_backend):
    text = "import iniconfig, numpy\nprint('NUMPY', numpy.__version__)\n"
    done, facts, _ = train(text + GOOD)
    assert done.returncode == 4
    assert facts["hint"].startswith("the backend has no iniconfig; name what to add with --requ")
    (tmp_path / "extra.txt").write_text("iniconfig==2.0.0\n")
    done, facts, log = train(text + GOOD, "--requirements", "extra.txt")
    assert done.returncode == 0, done.stdout + log
    assert facts["packages"]["iniconfig"] == "2.0.0"
    assert facts["packages"]["numpy"] in log
    assert len(facts["extra_requirements_sha256"]) == 64
    # The backend itself is as it was.
    done, facts, _ = train(GOOD, name="plain.py")
    assert "iniconfig" not in facts["packages"]
    assert facts["extra_requirements_sha256"] is None


def test_nothing_of_the_users_is_written_over(train, tmp_path):
    """Large files and data are links; in a container they lead nowhere that can be written."""
    for name in ("large.bin", "removed.bin"):
        (tmp_path / name).write_bytes(b"x" * (17 << 20))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("1")
    text = """
import os
def tried(call):
    try:
        call()
    except OSError as error:
        print("REFUSED", error.errno)
tried(lambda: open("large.bin", "w"))
tried(lambda: open("data/x.csv", "a"))
tried(lambda: os.truncate("large.bin", 1))
os.remove("removed.bin")
open("new", "w").write("mine")
"""
    done, facts, log = train(text + GOOD, "--data", "data")
    assert done.returncode == 0, log
    assert (tmp_path / "large.bin").stat().st_size == 17 << 20
    assert (tmp_path / "removed.bin").exists()
    assert (tmp_path / "data" / "x.csv").read_text() == "1"
    assert facts["files"]["new"] == 4
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("ending", "status", "words"),
    [
        ("raise ValueError('bad \\udcff')", 4, "bad \\udcff"),
        ("import os\nos.kill(os.getpid(), 40)", 4, "killed by signal 40"),
        ("import os\nos.mkdir('gone'); os.chdir('gone'); os.rmdir('../gone')", 0, ""),
        ("import sys\nsys.stdout.close()", 0, ""),
        ("import io, sys\nsys.stdin = io.StringIO('3')\nassert input() == '3'", 0, ""),
        ("import urllib.request as u\nu.build_opener().open(fullurl='data:,x')", 0, ""),
        ("open('two\\nlines', 'w').write('x' * 3000)", 0, ""),
    ],
    ids=["no utf-8", "signal", "no folder", "closed", "own stdin", "keywords", "a name"],
)
def test_odd_scripts_leave_a_run_all_the_same(train, ending, status, words):
    done, facts, log = train(GOOD + ending + "\n", "--files-limit", "2 kB")
    assert done.returncode == status, done.stdout + log
    assert words in str(facts["reason"])
    assert "\nlines" not in log


def test_a_failure_of_another_kind_keeps_its_own_advice(train):
    ask = "import socket\ntry:\n    socket.create_connection(('host.invalid', 1))\n"
    text = ask + "except OSError:\n    pass\nimport iniconfig\n"
    _, facts, _ = train(text)
    assert "--requirements" in facts["hint"]


def test_what_a_person_put_beside_a_repeated_run_stays(train, tmp_path, a_backend):
    train(GOOD)
    beside = tmp_path / "artifacts" / "train" / f"{a_backend}.repeat"
    beside.mkdir()
    (beside / "notes.txt").write_text("mine")
    done, _, _ = train(GOOD, "--repeat", "2")
    assert (done.returncode, (beside / "notes.txt").read_text()) in ((0, "mine"), (2, "mine"))


def test_data_within_data(train, tmp_path):
    (tmp_path / "data" / "sub").mkdir(parents=True)
    for name in ("data/a", "data/sub/b"):
        (tmp_path / name).write_text(name)
    text = "assert open('data/a').read() + open('data/sub/b').read() == 'data/adata/sub/b'\n"
    done, _, log = train(text + GOOD, "--data", "data/sub", "--data", "data")
    assert done.returncode == 0, log


def test_other_data_make_a_run_stale(train, tmp_path):
    (tmp_path / "data").mkdir()
    train(GOOD)
    assert "up to date" in train(GOOD, "--if-needed")[0].stdout
    assert "up to date" not in train(GOOD, "--if-needed", "--data", "data")[0].stdout
    assert "up to date" not in train(GOOD, "--if-needed", "--datasets", "data")[0].stdout
