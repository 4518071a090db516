"""Whatever a script leaves is removed, and nothing besides."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_repro.recorder import removal

DEEP = """
import os
for _ in range(3000):
    os.mkdir("a folder with a name that makes the path too long for one call")
    os.chdir("a folder with a name that makes the path too long for one call")
open("file", "w").close()
"""


@pytest.fixture
def left(tmp_path):
    folder = tmp_path / "left"
    folder.mkdir()
    return folder


def test_folders_deeper_than_any_path(left):
    subprocess.run([sys.executable, "-c", DEEP], cwd=left, check=True)
    removal.remove(str(left))
    assert not left.exists()


def test_every_mode_and_kind(left, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "thesis.tex").write_text("mine")
    (left / "link").symlink_to(victim)
    (left / "nowhere").symlink_to("/nowhere")
    os.mkfifo(left / "pipe")
    inner = left / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    (inner / "link").symlink_to(victim / "thesis.tex")
    for folder in (inner, inner.parent, left):
        folder.chmod(0)
    removal.remove(str(left))
    assert not left.exists()
    assert (victim / "thesis.tex").read_text() == "mine"


@pytest.mark.parametrize("what", ["a link to a folder", "a dangling link", "a file", "nothing"])
def test_what_stands_in_its_place(what, tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    place = tmp_path / "place"
    if what == "a file":
        place.write_text("x")
    elif what != "nothing":
        place.symlink_to(victim if "folder" in what else "/nowhere")
    removal.remove(str(place))
    assert not os.path.lexists(place)
    assert victim.is_dir()


def test_another_users_files(left):
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    inner = left / "closed"
    inner.mkdir()
    (inner / "file").write_text("x")
    for path in (inner / "file", inner, left):
        path.chmod(0)
        os.chown(path, 65534, 65534)
    removal.remove(str(left))
    assert not left.exists()


def test_taking_over_follows_no_link(left, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    victim.chmod(0o600)
    (left / "link").symlink_to(victim)
    with removal.opened(str(left)) as folder:
        removal.take("link", folder, 0o644)
        with pytest.raises(OSError, match=r"."), removal.opened("link", folder):
            pass
    assert Path(victim).stat().st_mode & 0o777 == 0o600
