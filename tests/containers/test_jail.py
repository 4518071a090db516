"""A script in a container reaches its own output, and nothing else; whatever it leaves is cleared.

Each script ends well or not: the run says so, what lies outside is untouched, and the next run of
the same script's name is a good one.
"""

import json
import os

import pytest

from tests.containers.hostile_scripts import (
    BAD,
    IS_PIPE,
    SCRIPTS,
    canaries,
    left_over,
    make_project,
    state,
)
from tests.recorder.test_failures import GOOD

pytestmark = pytest.mark.docker


@pytest.fixture(params=[0, 4321], ids=["root's", "a user's"])
def project(request, tmp_path):
    """A project whose artifacts belong to root or to somebody, beside what nobody may touch."""
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    return make_project(tmp_path, request.param)


@pytest.fixture
def train(project, keras_repro):
    """Train a script in the project."""

    def run(text, *options):
        (project / "my.py").write_text(text)
        options = ("--backend", "theano", "--engine", "docker", *options)
        return keras_repro("train", "my.py", *options, cwd=project)

    return run


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_reaches_its_own_folder_alone(name, project, train):
    owner = (project / "artifacts" / "other").stat().st_uid
    before = canaries(project)
    done = train(GOOD + SCRIPTS[name])
    assert done.returncode in (0, 4), done.stdout + done.stderr
    if name == "up":
        assert done.returncode == 0, (project / "artifacts/my/theano/log.txt").read_text()
    assert "Traceback" not in done.stderr
    assert canaries(project) == before
    assert left_over(project, "theano", owner) == []
    again = train(GOOD)
    assert again.returncode == 0, again.stdout + again.stderr
    assert left_over(project, "theano", owner) == []
    assert canaries(project) == before


@pytest.mark.parametrize("name", BAD)
def test_a_run_that_is_no_good_replaces_no_good_one(name, project, train):
    assert train(GOOD).returncode == 0
    good = state(project / "artifacts" / "my" / "theano")
    text, why = BAD[name]
    done = train(IS_PIPE + GOOD + text, "--processes-limit", "40")
    assert done.returncode == 4, done.stdout + done.stderr
    assert state(project / "artifacts" / "my" / "theano") == good
    failed = json.loads((project / "artifacts/my/theano.failed/run.json").read_text())
    assert why in failed["reason"], failed["reason"]


def test_a_line_without_an_end_takes_no_memory(project, train):
    text = GOOD + "import sys\nfor _ in range(150):\n    sys.stdout.write('x' * (1 << 20))\n"
    done = train(text, "--log-limit", "1 MB")
    assert done.returncode == 0, done.stderr
    log = (project / "artifacts" / "my" / "theano" / "log.txt").read_bytes()
    assert b"are left out here (--log-limit)" in log
    assert len(log) < (1 << 20) + 200
