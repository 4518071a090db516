"""A log has a limit, and what is left out is its middle."""

import os
import tempfile

from hypothesis import given
from hypothesis import strategies as st

from keras_repro.recorder.log import Log


@given(st.lists(st.binary(max_size=40), max_size=9), st.integers(10, 100))
def test_the_beginning_and_the_end_are_kept(blocks, limit):
    printed = b"".join(blocks)
    with tempfile.TemporaryFile() as file:
        log = Log(file.fileno(), limit)
        for block in blocks:
            log.write(block)
        log.finish()
        file.seek(0)
        kept = file.read()
    if len(printed) <= limit:
        assert kept == printed
        assert log.left_out == 0
        return
    assert kept.startswith(printed[: limit // 2])
    assert kept.endswith(printed[-(limit - limit // 2) :])
    assert log.left_out == len(printed) - limit
    assert b"are left out here (--log-limit)" in kept


def test_what_the_disk_takes_in_parts_is_written_whole(tmp_path, monkeypatch):
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, block, place: pwrite(file, block[:3], place))
    with (tmp_path / "log.txt").open("x+b", buffering=0) as file:
        log = Log(file.fileno(), 100)
        log.write(b"what a script prints\n")
        log.finish()
        log.add("the run failed: it did not print enough")
    assert (tmp_path / "log.txt").read_text() == (
        "what a script prints\nkeras-repro: the run failed: it did not print enough\n"
    )
