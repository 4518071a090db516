"""What a script's process says is believed only where it is what the recorder itself would say."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_repro.recorder import messages

pytestmark = pytest.mark.long

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
SUMMARY = {"dtype": "float32", "shape": [9], "sha256": "00", "nonfinite": 0}
SUMMARY |= {"mean": 0.5, "minimum": 0.0, "maximum": 1.0, "norm": None}
GOOD = {
    "completed": True,
    "steps": 3,
    "arrays": {"costs/train": {"dtype": "float32", "shape": [3]}},
    "summaries": {"weights/a": SUMMARY},
    "not_recorded": {"a": "why"},
    "planted": {"datum": "element 3"},
    "keras": {"version": "3.0", "backend": "jax", "epsilon": 1e-7},
    "determinism": {"jax.enable_x64": False},
    "modules": {"helpers.py": "00"},
}


def test_what_the_recorder_says_is_understood():
    assert messages.parse(json.dumps(GOOD).encode()) == GOOD
    assert set(messages.OF_COMPLETED) <= set(GOOD)


@pytest.mark.parametrize("name", messages.KNOWN)
@given(value=ANYTHING)
def test_any_value_is_understood_or_refused(name, value):
    found = messages.parse(json.dumps({name: value}).encode())
    assert found is None or messages.KNOWN[name](found[name])


@given(st.binary())
def test_any_line_is_understood_or_refused(line):
    assert messages.parse(line) in (None, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": True},
        {"steps": -1},
        {"arrays": {"costs/train": {"dtype": "float32"}}},
        {"arrays": {"costs/train": {"dtype": "float32", "shape": [-1]}}},
        {"summaries": {"weights/a": {"dtype": "float32", "shape": [9]}}},
        {"summaries": {"weights/a": {**SUMMARY, "nonfinite": -1}}},
        {"summaries": {"weights/a": {**SUMMARY, "mean": "nan"}}},
        {"summaries": {"weights/a": {**SUMMARY, "shape": [-1]}}},
        {"keras": {"version": "3"}},
        {"error": "x" * 5000},
        {"surprise": 1},
        ["completed"],
    ],
)
def test_what_is_wrong_is_refused(wrong):
    assert messages.parse(json.dumps(wrong).encode()) is None
    assert messages.parse(b"[" * 100_000) is None


def test_after_a_wrong_one_nothing_is_read():
    pipe = io.BytesIO(b'{"steps": 1}\nnonsense\n{"steps": 2}\n')
    assert list(messages.read(pipe)) == [{"steps": 1}, None]
