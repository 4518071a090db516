"""The folder a script runs in: what it sees there, what it may do, and what is kept of it."""

import os
from pathlib import Path

import pytest

from keras_repro.recorder import removal, working_copy


@pytest.fixture
def mine(tmp_path) -> Path:
    folder = tmp_path / "mine"
    (folder / "sub").mkdir(parents=True)
    (folder / "train.py").write_text("text")
    (folder / "sub" / "data.csv").write_text("1,2")
    (folder / ".git").mkdir()
    (folder / "link").symlink_to("train.py")
    return folder


def make(mine: Path, data=(), datasets=None, keras_home=None) -> working_copy.Work:
    scratch = mine.parent / "scratch"
    scratch.mkdir()
    return working_copy.make(str(mine), str(scratch), list(data), datasets, keras_home, None)


def keep(view: working_copy.Work, mine: Path, limit=1 << 20) -> working_copy.Kept:
    return working_copy.keep(view, str(mine.parent / "files"), limit)


def test_the_script_sees_what_is_there_and_writes_over_nothing(mine):
    view = make(mine)
    folder = Path(view.folder)
    assert sorted(p.name for p in folder.iterdir()) == [".git", "link", "sub", "train.py"]
    assert (folder / "link").read_text() == "text"
    (folder / "train.py").write_text("other")
    (folder / "sub" / "data.csv").unlink()
    (folder / "sub" / "new").write_text("new")
    assert (mine / "train.py").read_text() == "text"
    assert (mine / "sub" / "data.csv").read_text() == "1,2"
    kept = keep(view, mine)
    assert kept.files == {"train.py": 5, "sub/new": 3}
    assert (mine.parent / "files" / "sub" / "new").read_text() == "new"


def test_what_it_did_not_write_is_not_kept(mine):
    view = make(mine)
    assert keep(view, mine) == working_copy.Kept({}, {})
    assert not (mine.parent / "files").exists()


def test_a_file_written_anew_with_the_same_size_is_kept(mine):
    view = make(mine)
    Path(view.folder, "train.py").write_text("TEXT")
    assert keep(view, mine).files == {"train.py": 4}


def test_times_and_modes_stay(mine):
    os.utime(mine / "train.py", (1, 2))
    os.chmod(mine / "train.py", 0o750)
    status = os.stat(Path(make(mine).folder, "train.py"))
    assert (status.st_mtime, status.st_mode & 0o777) == (2, 0o750)


def test_large_files_are_links(mine, monkeypatch):
    monkeypatch.setattr(working_copy, "COPIED_BYTES", 3)
    folder = Path(make(mine).folder)
    assert (folder / "train.py").is_symlink()
    assert not (folder / "sub" / "data.csv").is_symlink()


def test_no_more_is_copied_than_there_is_room_for(mine, monkeypatch):
    monkeypatch.setattr(working_copy, "ALL_COPIED_BYTES", 4)
    folder = Path(make(mine).folder)
    assert not (folder / "train.py").is_symlink()  # the nearest first
    assert (folder / "sub" / "data.csv").is_symlink()


def test_many_entries_make_folders_links(mine, monkeypatch):
    monkeypatch.setattr(working_copy, "MOST_ENTRIES", 0)
    folder = Path(make(mine).folder)
    assert (folder / "sub").is_symlink()
    assert (folder / "sub" / "data.csv").read_text() == "1,2"


def test_the_smallest_are_kept_where_there_is_no_room_for_all(mine):
    view = make(mine)
    for size in (5, 1, 3):
        Path(view.folder, f"of{size}").write_text("x" * size)
    kept = keep(view, mine, limit=4)
    assert kept.files == {"of1": 1, "of3": 3}
    assert list(kept.left_out) == ["of5"]
    assert sorted(p.name for p in (mine.parent / "files").iterdir()) == ["of1", "of3"]


def test_no_link_is_followed_out(mine):
    view = make(mine)
    secret = mine.parent / "secret"
    secret.write_text("secret")
    Path(view.folder, "stolen").symlink_to(secret)
    Path(view.folder, "folder").symlink_to(mine.parent)
    os.mkfifo(Path(view.folder, "pipe"))
    assert keep(view, mine) == working_copy.Kept({}, {})


@pytest.mark.parametrize("place", ["../shared", "../../far/shared", "inner/shared", "shared"])
def test_data_lie_where_the_script_looks(mine, place):
    shared = mine.parent / "elsewhere"
    shared.mkdir()
    (shared / "x.csv").write_text("1")
    view = make(mine, [(place, str(shared))])
    found = Path(view.folder, place, "x.csv")
    assert found.read_text() == "1"
    assert (Path(view.folder) / "train.py").read_text() == "text"
    Path(os.path.normpath(found)).unlink()
    assert (shared / "x.csv").exists()
    assert str(mine.parent / "scratch") in os.path.normpath(found)


def test_data_below_the_home(mine):
    view = make(mine, [("~/sets/a", str(mine / "sub"))])
    assert Path(view.home, "sets", "a", "data.csv").read_text() == "1,2"


def test_data_of_the_folder_itself_are_links(mine):
    view = make(mine, [("sub", str(mine / "sub"))])
    assert Path(view.folder, "sub", "data.csv").is_symlink()
    assert keep(view, mine) == working_copy.Kept({}, {})


def test_the_home_is_a_keras_home(mine):
    home = mine.parent / "home"
    home.mkdir()
    (home / "keras.json").write_text("{}")
    view = make(mine, datasets=str(mine / "sub"), keras_home=str(home))
    keras = Path(view.home, ".keras")
    assert (keras / "keras.json").read_text() == "{}"
    (keras / "datasets" / "data.csv").unlink()  # as Keras does where a hash is another
    (keras / "datasets" / "unpacked").mkdir()
    assert os.listdir(mine / "sub") == ["data.csv"]


def test_nothing_is_left_of_it(mine):
    make(mine, [("data", str(mine / "sub"))])
    removal.remove(str(mine.parent / "scratch"))
    assert not (mine.parent / "scratch").exists()


def test_what_the_scripts_user_cannot_read_is_copied_or_refused(mine, monkeypatch):
    if os.getuid() != 0:
        pytest.skip("only root can give a file away")
    os.chmod(mine, 0o700)
    monkeypatch.setattr(working_copy, "COPIED_BYTES", 1)
    scratch = mine.parent / "scratch"
    scratch.mkdir()
    view = working_copy.make(str(mine), str(scratch), [], None, None, (65534, 65534))
    copy = Path(view.folder, "train.py")
    assert not copy.is_symlink()
    assert copy.stat().st_uid == 65534
    monkeypatch.setattr(working_copy, "ALL_CLOSED_BYTES", 3)
    (mine.parent / "another").mkdir()
    with pytest.raises(working_copy.ClosedError):
        working_copy.make(str(mine), str(mine.parent / "another"), [], None, None, (65534, 65534))


def test_what_the_script_closed_is_left_out_and_what_this_user_cannot_write_is_said(
    mine, monkeypatch
):
    view = make(mine)
    Path(view.folder, "new").write_text("new")
    refused = {"at": ""}
    real = os.open

    def refuse(path, *arguments, **options):
        if refused["at"] and str(path).startswith(refused["at"]):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *arguments, **options)

    monkeypatch.setattr(working_copy.os, "open", refuse)
    refused["at"] = view.folder + "/new"
    assert keep(view, mine).left_out == {"new": "permission denied"}
    refused["at"] = ""

    def no_folder(path, **options):
        raise PermissionError(13, "Permission denied", str(mine.parent / "files"))

    monkeypatch.setattr(working_copy.os, "makedirs", no_folder)
    with pytest.raises(PermissionError):
        keep(view, mine)
