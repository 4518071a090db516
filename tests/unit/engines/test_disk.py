"""Files are counted while others come and go."""

import os

from keras_repro.engines.disk import states


def test_files_and_links_are_counted_and_no_link_is_followed(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_bytes(b"x" * 10)
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    assert len(list(states(tmp_path))) == 2  # a link to a folder is one of the folders
    assert sum(state.st_size for state in states(tmp_path / "in")) == 10


def test_what_goes_meanwhile_is_left_out(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    lstat = os.lstat

    def gone(path, *args, **kwargs):
        if str(path).endswith("b/file"):
            os.unlink(path)
        return lstat(path, *args, **kwargs)

    monkeypatch.setattr(os, "lstat", gone)
    assert len(list(states(tmp_path))) == 2
    assert not list(states(tmp_path / "nowhere"))
