"""keras_repro.record: nothing outside the recorder, and clear words inside it."""

import subprocess
import sys

import numpy as np
import pytest

from keras_repro import record
from keras_repro.recorder import active
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.spool import Spool


@pytest.fixture
def inside(tmp_path, monkeypatch):
    arrays, given = (ArrayWriter(str(tmp_path / name)) for name in ("arrays.npz", "inputs.npz"))
    spool = Spool(str(tmp_path))
    capture = Capture(Trail())
    capture.keep_in(arrays, given, spool, lambda steps: None)
    monkeypatch.setattr(active, "capture", capture)

    def read():
        capture.finish()
        arrays.close()
        with np.load(tmp_path / "arrays.npz", allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}

    yield read
    spool.close()


def test_it_does_nothing_outside_and_needs_nothing():
    code = (
        "import sys\nfrom keras_repro import record\n"
        "record.cost(object()); record.prediction(None); record.array('../x', 1)\n"
        "print([m for m in sys.modules if 'click' in m or 'docker' in m or 'pydantic' in m])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_handed_over_is_kept(inside):
    for value in (3.0, np.float32(2), np.array([1.0])):
        record.cost(value)
    record.cost(0.5, "test")
    record.prediction([[1.0], [2.0]])
    record.prediction(np.arange(3, dtype=np.int16))
    record.array("gradient/norms", (4.0, 5.0))
    kept = inside()
    assert kept["costs/train"].tolist() == [3, 2, 1]
    assert kept["costs/test"].tolist() == [0.5]
    assert kept["predictions/0"].tolist() == [[1], [2]]
    assert kept["predictions/1"].dtype == np.int16
    assert kept["gradient/norms"].tolist() == [4, 5]


def test_a_value_is_kept_as_it_was_then(inside):
    value = np.array(1.0)
    record.cost(value)
    value[()] = 9
    assert inside()["costs/train"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: record.cost([1.0, 2.0]), "is not one number"),
        (lambda: record.cost("low"), "holds no numbers"),
        (lambda: record.cost(None), "holds no numbers"),
        (lambda: record.cost(1.0, "validation"), "neither 'train' nor 'test'"),
        (lambda: record.prediction({"a": 1}), "holds no numbers"),
        (lambda: record.array("../up", 1.0), "is no name"),
        (lambda: record.array("", 1.0), "is no name"),
        (lambda: record.array("a b", 1.0), "is no name"),
        (lambda: record.array(3, 1.0), "is no name"),
        (lambda: record.array("costs/train", [1.0]), "a name of keras-repro's"),
        (lambda: record.array("model2/x", [1.0]), "a name of keras-repro's"),
        (lambda: (record.array("twice", 1.0), record.array("twice", 1.0)), "was written already"),
    ],
)
def test_what_cannot_be_kept_is_said(inside, call, words):
    with pytest.raises(ValueError, match=words):
        call()
