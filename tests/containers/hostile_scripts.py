"""Scripts that try what they may not, and what nobody may touch meanwhile.

`out` is a script's own folder, by the way it was opened.
"""

import hashlib
import os
from pathlib import Path

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
        "import ctypes; ctypes.CDLL(None)._exit(0)\n",
        "could not be kept",
    ),
    "nonsense": (
        "os.write(next(n for n in range(3, 64) if is_pipe(n)), b'\\xff\\n')\n"
        "import time; time.sleep(60)\n",
        "wrote to the pipe",
    ),
    "emptied": (
        "import atexit\n"  # once they are written
        "@atexit.register\n"
        "def empty():\n"
        "    open([f'/proc/self/fd/{n}' for n in os.listdir('/proc/self/fd') if "
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


def make_project(place: Path, owner: int) -> Path:
    """Make a project whose artifacts belong to somebody, beside what nobody may touch."""
    canary = place / "canary"
    (canary / ".ssh").mkdir(parents=True)
    (canary / ".ssh" / "authorized_keys").write_text("mine")
    folder = place / "project"
    (folder / "artifacts" / "other" / "theano").mkdir(parents=True)
    (folder / "artifacts" / "other" / "theano" / "run.json").write_text("{}")
    for path in (canary, *canary.rglob("*"), *folder.rglob("*")):
        os.chown(path, owner, owner)
    return folder


def canaries(project: Path) -> list[dict[str, str]]:
    """Return what nobody may touch, as it stands."""
    return [state(project.parent / "canary"), state(project / "artifacts" / "other")]


def left_over(project: Path, backend: str, owner: int) -> list[str]:
    """Return what lies in the artifacts of my.py besides runs, or belongs to somebody else."""
    place = project / "artifacts" / "my"
    meant = {backend, f"{backend}.failed", f".{backend}.lock"}
    problems = [f"left: {path.name}" for path in place.iterdir() if path.name not in meant]
    for path in place.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            problems.append(f"no file: {path.relative_to(place)}")
        if path.lstat().st_uid != owner:
            problems.append(f"somebody else's: {path.relative_to(place)}")
    return problems
