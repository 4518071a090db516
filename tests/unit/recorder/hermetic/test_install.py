"""What a script finds: the same in every hermetic run, and else what was changed and no more."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keras_repro.recorder import contract

SRC = Path(contract.__file__).parents[2]
PROBE = Path(__file__).with_name("probe.py")
NAMES = list("hcaebgfd")
CHANGES = {
    "clock": "+400d",
    "entropy": "2",
    "folder-order": "reversed",
    "host": "other",
    "user": "somebody",
}


@pytest.fixture
def find(tmp_path):
    """Return what a script finds in surroundings."""
    for name in NAMES:
        (tmp_path / "folder" / name).mkdir(parents=True)

    def run(seed=1337, hermetic=False, **changes):
        changes = {name.replace("_", "-"): value for name, value in changes.items()}
        asked = json.dumps({"seed": seed, "hermetic": hermetic, "changes": changes})
        command = [sys.executable, PROBE, SRC, asked, tmp_path / "folder"]
        environment = {**os.environ, "TZ": "UTC"}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def parted(one, other):
    """Return what differs, but for what need not."""
    return {
        name
        for part in one
        for name in one[part]
        if one[part][name] != other[part][name] and part != "stays"
    }


def test_hermetic_runs_find_the_same_and_others_do_not(find):
    first, second = find(hermetic=True), find(hermetic=True)
    assert first == second
    assert first["folders"] == dict.fromkeys(first["folders"], sorted(NAMES))
    bare, again = find(), find()
    unlike = parted(bare, again)
    assert set(bare["entropy"]) <= unlike
    assert {"time", "time_ns", "monotonic", "now", "held now", "getpid", "uuid1"} <= unlike
    assert bare["stays"] == first["stays"]


def test_what_is_found_follows_from_the_seed(find):
    first, other = find(hermetic=True), find(hermetic=True, seed=7)
    unlike = parted(first, other)
    assert set(first["entropy"]) <= unlike
    assert {"time", "monotonic", "now", "date", "ctime", "getpid", "getppid", "getnode"} <= unlike


def test_the_clock_goes_on_by_readings_and_by_sleep(find):
    found = find(hermetic=True)["clocks"]
    assert found["step"] == found["held"] == 1 / 64
    assert found["slept"] == 1 / 64 + 1 / 32
    assert found["thread"] == [found["time"] - 1 / 64, found["time"]]
    assert found["today"][:10] == found["date"] == time.strftime("%F", tuple(found["gmtime"]))


def test_forks_and_threads_draw_what_nobody_else_does(find):
    found = find(hermetic=True)["entropy"]
    drawn = [found["urandom"], found["getrandom"], found["thread"], *found["forks"]]
    assert len(set(drawn)) == len(drawn)


def test_no_process_has_the_number_that_the_script_is_told(find):
    found = find(hermetic=True)["identity"]
    assert found["getpid"] > 1 << 22
    assert found["getpid"] != found["getppid"]
    assert found["fork's parent"] == found["getpid"]
    assert found["group"]
    assert found["alive"]


@pytest.mark.parametrize("hermetic", [False, True])
def test_each_change_is_found_and_nothing_else(find, hermetic):
    plain, changed = find(hermetic=hermetic), find(hermetic=hermetic, **CHANGES)
    assert changed["stays"] == plain["stays"]
    days = (changed["clocks"]["time"] - plain["clocks"]["time"]) / 86400
    assert days == pytest.approx(400, abs=0.1)
    assert changed["folders"] == dict.fromkeys(plain["folders"], sorted(NAMES, reverse=True))
    assert changed["entropy"] != plain["entropy"]
    found = changed["identity"]
    names = ("gethostname", "node", "uname", "fqdn")
    assert [found[name] for name in names] == ["other"] * 4
    assert found["address"]
    assert found["user"] == [
        "somebody",
        os.path.expanduser("~" + plain["identity"]["user"][0]) + "/x",
    ]


def test_another_entropy_repeats_and_the_clock_does_not(find):
    first, second = find(entropy="2"), find(entropy="2")
    assert first["entropy"] == second["entropy"]
    assert first["clocks"]["time"] != second["clocks"]["time"]
    assert first["entropy"] != find(entropy="3")["entropy"]


def test_folders_are_shuffled_by_the_seed(find):
    first, second, other = (find(seed, folder_order="shuffled") for seed in (1, 1, 2))
    assert first["folders"] == second["folders"] != other["folders"]
    assert sorted(first["folders"]["listdir"]) == sorted(NAMES)


LIBRARY = """
import os, socket, time
def ask():
    return time.time(), os.urandom(2), os.getpid(), socket.gethostname()
"""
SCRIPT = """
import os, sys, socket, time
real = os.getpid(), socket.gethostname()
sys.path[:0] = [{src!r}, "site-packages"]
from keras_repro.recorder.hermetic.install import install
install(1, True, {{"clock": "+10000d", "host": "other"}})
import library
before = time.time()
told = [library.ask() for _ in range({times})]
assert {{(number, name) for _, _, number, name in told}} == {{real}}
assert sorted(told) == told
assert before - told[0][0] > 9999 * 86400  # it takes no file for an old one
print(time.time() - before, os.urandom(4).hex())
"""


def test_how_often_a_library_asks_does_not_matter(tmp_path):
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "library.py").write_text(LIBRARY)
    said = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT.format(src=str(SRC), times=times)],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path,
        ).stdout
        for times in (1, 50)
    ]
    assert said[0] == said[1]
    assert said[0].startswith("0.015625 ")
