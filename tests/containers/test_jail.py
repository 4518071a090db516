"""A script in a container reaches its own output, and nothing else; whatever it leaves is cleared.

Each script ends well or not: the run says so, what lies outside is untouched, and the next run of
the same script's name is a good one.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.recorder.test_failures import GOOD

pytestmark = pytest.mark.docker

# What a script of an unknown person's may try; `out` is its own folder, by the way it was opened.
PREFIX = """
import os, sys, json, subprocess, time
out = [f"/proc/self/fd/{n}" for n in os.listdir("/proc/self/fd")
       if os.path.exists(f"/proc/self/fd/{n}/arrays.npz")][0]
def attempt(what):
    try:
        return what()
    except OSError as error:
        return error.__class__.__name__
"""
SCRIPTS = {
    "up": PREFIX
    + """
found = [attempt(lambda: os.listdir(place)) for place in (
    out + "/..", out + "/../..", out + "/../../..", "/artifacts", "/cache", "/private",
    "/private/artifacts", "/work/artifacts")]
assert all(one in ("PermissionError", "FileNotFoundError", []) for one in found), found
descriptor = os.open(out, os.O_RDONLY)
up = attempt(lambda: os.open("../..", os.O_RDONLY, dir_fd=descriptor))
assert up == "PermissionError", up
for path in ("/artifacts/x", "/cache/x", out + "/../log.txt", out + "/../run.json"):
    assert attempt(lambda: open(path, "a").close()) in ("PermissionError", "OSError"), path
""",
    "swap": PREFIX
    + """
attempt(lambda: os.rename(out, "/tmp/moved"))
attempt(lambda: os.rmdir(out))
attempt(lambda: os.kill(os.getppid(), 9))
""",
    "fifo": PREFIX
    + """
for name in ("progress", "log.txt", "run.json", "inputs.npz"):
    attempt(lambda: os.unlink(out + "/" + name))
    attempt(lambda: os.mkfifo(out + "/" + name))
""",
    "links": PREFIX
    + """
for name in ("run.json", "parity.json", "figures", "files", "x"):
    attempt(lambda: os.symlink("/artifacts", out + "/" + name))
os.symlink("/etc", "linked")
""",
    "modes": PREFIX
    + """
os.makedirs(out + "/figures/a"), os.chmod(out + "/figures/a", 0), os.chmod(out + "/figures", 0)
os.makedirs("a/b"), os.chmod("a/b", 0), os.chmod("a", 0)
""",
    "deep": PREFIX
    + """
for place in (out, "."):
    here = os.open(place, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("deeper", dir_fd=here)
        here, before = os.open("deeper", os.O_RDONLY, dir_fd=here), here
        os.close(before)
""",
    "background": PREFIX
    + """
subprocess.Popen([sys.executable, "-c", '''
import os, time
os.setsid()
while True:
    try:
        open("/tmp/still-here", "a").close(); os.mkdir(%r + "/late-%%d" %% time.time_ns())
    except OSError: pass
''' % out], start_new_session=True, close_fds=False)
time.sleep(0.5)
""",
}
# These end badly, as they must; and what they leave is cleared all the same.
BAD = {
    "forged": (
        "os.write(next(n for n in range(3, 64) if is_pipe(n)), b'{\"completed\": true}\\n')\n"
        "os._exit(0)\n",
        "could not be kept",
    ),
    "nonsense": (
        "os.write(next(n for n in range(3, 64) if is_pipe(n)), b'\\xff\\n')\n"
        "import time; time.sleep(60)\n",
        "wrote to the pipe",
    ),
    "emptied": (
        "open([f'/proc/self/fd/{n}' for n in os.listdir('/proc/self/fd') if "
        "os.path.exists(f'/proc/self/fd/{n}/arrays.npz')][0] + '/arrays.npz', 'w').close()\n",
        "its arrays",
    ),
    "processes": (
        "import subprocess, time\n"
        "many = [subprocess.Popen(['sleep', '60']) for _ in range(60)]\ntime.sleep(60)\n",
        "processes and threads, more than its limit of 40",
    ),
}
IS_PIPE = """
import os, stat
def is_pipe(n):
    try:
        return n > 2 and stat.S_ISFIFO(os.fstat(n).st_mode)
    except OSError:
        return False
"""


def state(folder: Path) -> dict[str, str]:
    """Return what lies in a folder, with a hash of each file."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        digest = hashlib.sha256(content).hexdigest()
        found[str(path)] = f"{status.st_mode} {status.st_uid} {digest}"
    return found


@pytest.fixture(params=[0, 4321], ids=["root's", "a user's"])
def project(request, tmp_path):
    """A project whose artifacts belong to root or to somebody, beside what nobody may touch."""
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    canary = tmp_path / "canary"
    (canary / ".ssh").mkdir(parents=True)
    (canary / ".ssh" / "authorized_keys").write_text("mine")
    folder = tmp_path / "project"
    (folder / "artifacts" / "other" / "theano").mkdir(parents=True)
    (folder / "artifacts" / "other" / "theano" / "run.json").write_text("{}")
    for path in (canary, *canary.rglob("*"), *folder.rglob("*")):
        os.chown(path, request.param, request.param)
    return folder


def train(project, text, *options):
    (project / "my.py").write_text(text)
    command = [sys.executable, "-m", "keras_repro", "train", "my.py", "--backend", "theano"]
    return subprocess.run(
        [*command, "--engine", "docker", *options],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def check_clean(project, owner):
    """Fail where something besides runs is left, or belongs to somebody else."""
    place = project / "artifacts" / "my"
    assert {path.name for path in place.iterdir()} <= {"theano", "theano.failed", ".theano.lock"}
    assert not [path for path in place.rglob("*") if path.is_symlink() or path.is_fifo()]
    assert {path.stat().st_uid for path in place.rglob("*")} == {owner}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_reaches_its_own_folder_alone(name, project):
    others = (project.parent / "canary", project / "artifacts" / "other")
    owner = others[1].stat().st_uid
    before = [state(folder) for folder in others]
    done = train(project, GOOD + SCRIPTS[name])
    assert done.returncode in (0, 4), done.stdout + done.stderr
    if name == "up":
        assert done.returncode == 0, (project / "artifacts/my/theano/log.txt").read_text()
    assert "Traceback" not in done.stderr
    assert [state(folder) for folder in others] == before
    check_clean(project, owner)
    again = train(project, GOOD)
    assert again.returncode == 0, again.stdout + again.stderr
    check_clean(project, owner)
    assert [state(folder) for folder in others] == before


@pytest.mark.parametrize("name", BAD)
def test_a_run_that_is_no_good_replaces_no_good_one(name, project):
    assert train(project, GOOD).returncode == 0
    good = state(project / "artifacts" / "my" / "theano")
    text, why = BAD[name]
    done = train(project, IS_PIPE + GOOD + text, "--processes-limit", "40")
    assert done.returncode == 4, done.stdout + done.stderr
    assert state(project / "artifacts" / "my" / "theano") == good
    failed = json.loads((project / "artifacts/my/theano.failed/run.json").read_text())
    assert why in failed["reason"], failed["reason"]


def test_a_line_without_an_end_takes_no_memory(project):
    text = GOOD + "import sys\nfor _ in range(150):\n    sys.stdout.write('x' * (1 << 20))\n"
    done = train(project, text, "--log-limit", "1 MB")
    assert done.returncode == 0, done.stderr
    log = (project / "artifacts" / "my" / "theano" / "log.txt").read_bytes()
    assert b"are left out here (--log-limit)" in log
    assert len(log) < (1 << 20) + 200
