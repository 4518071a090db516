"""A log has a limit, and what is left out is its middle."""

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
