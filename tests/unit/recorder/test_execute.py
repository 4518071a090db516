"""The reason of a failure is the error itself, in one line."""

import sys

import pytest

from keras_repro.recorder.execute import one_line
from keras_repro.recorder.parity.problems import ParityError


def raised(error):
    try:
        raise error
    except BaseException as caught:
        return caught


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes came with Python 3.11")
@pytest.mark.parametrize("notes", [(), ("one line",), ("---\nFor simplicity, two\n", "three")])
def test_notes_are_not_the_error(notes):
    error = ValueError("the shapes\ndo not fit")
    for note in notes:
        error.add_note(note)
    assert one_line(raised(error)) == "ValueError: the shapes do not fit"


def test_other_errors():
    assert one_line(raised(KeyError())) == "KeyError"
    assert one_line(raised(ParityError("no batch"))) == "no batch"
    assert one_line(raised(RuntimeError("\x1b[31mred\x1b[0m"))) == "RuntimeError: red"
    with pytest.raises(SyntaxError) as syntax:
        compile("a b", "x.py", "exec")
    assert one_line(syntax.value) == "SyntaxError: invalid syntax"
