"""Folders as bytes: what a stranger sent leaves its folder by no way."""

import io
import os
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_repro.engines.cluster.bundle import member, pack, unpack
from keras_repro.errors import UnreadableError, UsageError
from keras_repro.project.workload import NO_INPUT


def archive(*entries, compressed=False):
    """Return an archive of (name, content, kind of file)."""
    target = io.BytesIO()
    how = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(target, "w", how) as made:
        for name, content, kind in entries:
            entry = zipfile.ZipInfo(name)
            entry.compress_type = how
            entry.external_attr = (kind | 0o644) << 16
            made.writestr(entry, content)
    return target.getvalue()


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


NAMES = st.from_regex(r"[a-zé ]{1,8}(/[a-z]{1,3}\.txt)?", fullmatch=True)


@given(content=st.dictionaries(NAMES, st.binary(max_size=99), max_size=5))
def test_what_is_packed_is_unpacked(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("folder")
    content = {n: c for n, c in content.items() if not any(o.startswith(f"{n}/") for o in content)}
    for name, each in content.items():
        path = folder / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each)
    packed = pack(folder / "in")
    assert packed == pack(folder / "in")
    unpack(packed, folder / "out")
    assert files(folder / "out") == content
    for name, each in content.items():
        assert member(packed, name, 99) == each
    assert member(packed, "nope", 99) is None


def test_links_pipes_hidden_files_and_folders_of_runs_are_left_out(tmp_path):
    (tmp_path / "secret").write_text("s")
    folder = tmp_path / "folder"
    for name in ("train.py", ".env", ".git/config", "artifacts/run.json", "data/x.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    unpack(pack(folder, left_out=NO_INPUT), tmp_path / "out")
    assert files(tmp_path / "out").keys() == {"train.py", "data/x.csv"}


def test_what_may_be_run_still_may(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "in" / "tool").chmod(0o4755)
    unpack(pack(tmp_path / "in"), tmp_path / "out")
    assert stat.S_IMODE((tmp_path / "out" / "tool").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name",
    ["../x", "/x", "a/../../x", "a//x", "./x", "a/./x", "..", "a/", "../in/x", "a\\../x/.."],
)
def test_no_way_leads_out(tmp_path, name):
    with pytest.raises(UnreadableError, match="lies elsewhere"):
        unpack(archive(("good", b"", stat.S_IFREG), (name, b"bad", stat.S_IFREG)), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR])
def test_what_is_no_file_is_refused(tmp_path, kind):
    with pytest.raises(UnreadableError, match="no file"):
        unpack(archive(("link", b"/etc/passwd", kind)), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_is_compressed_or_too_large_or_twice_there_is_refused(tmp_path):
    bomb = archive(("x", bytes(1 << 20), stat.S_IFREG), compressed=True)
    with pytest.raises(UnreadableError, match="compressed"):
        unpack(bomb, tmp_path / "out")
    large = archive(("x", bytes(1 << 20), stat.S_IFREG))
    with pytest.raises(UnreadableError, match="more than 0 MB"):
        unpack(large, tmp_path / "out", most=1 << 10)
    with pytest.raises(UnreadableError, match="too large"):
        member(large, "x", 1 << 10)
    with pytest.warns(UserWarning, match="Duplicate"):
        twice = archive(("x", b"1", stat.S_IFREG), ("x", b"2", stat.S_IFREG))
    with pytest.raises(UnreadableError, match="twice"):
        unpack(twice, tmp_path / "out")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_bytes(bytes(4 << 20))
    with pytest.raises(UsageError, match="more than 1 MB"):
        pack(tmp_path / "in", 1 << 20)


@given(at=st.integers(0, 400), byte=st.integers(0, 255))
def test_damage_is_told(tmp_path_factory, at, byte):
    folder = tmp_path_factory.mktemp("folder")
    content = bytearray(archive(("a/x", b"1" * 99, stat.S_IFREG), ("y", b"2" * 99, stat.S_IFREG)))
    content[at % len(content)] = byte
    try:
        unpack(bytes(content), folder / "out")
    except UnreadableError:
        return
    assert all((folder / "out") in path.parents for path in (folder / "out").rglob("*"))
    assert [path.name for path in folder.iterdir()] == ["out"]


@pytest.mark.parametrize("content", [b"", b"x", b"PK", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive(tmp_path, content):
    if content.startswith(b"PK\x05"):  # an empty one
        unpack(content, tmp_path / "out")
        return
    with pytest.raises(UnreadableError, match="damaged"):
        unpack(content, tmp_path / "out")
