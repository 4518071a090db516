"""Reading run folders: what is damaged ends in one clear error, and nothing is unpickled."""

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_repro import runs
from keras_repro.errors import MissingError, UnreadableError
from keras_repro.recorder import layout
from tests.unit.made import ARRAYS, make_run


def test_a_run_reads_back(tmp_path):
    run = runs.read_run(make_run(tmp_path / "jax"))
    assert run.facts.completed
    assert {name: array.tolist() for name, array in run.arrays.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }


def test_no_run(tmp_path):
    with pytest.raises(MissingError, match="no run"):
        runs.read_run(tmp_path)


def test_the_last_run_is_the_failed_one_where_there_is_one(tmp_path):
    make_run(tmp_path / "jax")
    assert runs.last_run(tmp_path / "jax").facts.completed
    make_run(tmp_path / "jax.failed", outcome="failed", reason="because")
    assert runs.last_run(tmp_path / "jax").facts.reason == "because"


def test_a_newer_schema_says_so(tmp_path):
    folder = make_run(tmp_path / "jax", schema_version=layout.SCHEMA_VERSION + 1)
    with pytest.raises(UnreadableError, match="newer keras-repro"):
        runs.read_run(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", '{"schema_version": "1"}'])
def test_damaged_facts(tmp_path, text):
    folder = make_run(tmp_path / "jax")
    (folder / layout.FACTS).write_text(text)
    with pytest.raises(UnreadableError):
        runs.read_run(folder)


def test_facts_that_lack_one_name_it(tmp_path):
    folder = make_run(tmp_path / "jax")
    document = json.loads((folder / layout.FACTS).read_text())
    del document["seed"]
    (folder / layout.FACTS).write_text(json.dumps(document))
    with pytest.raises(UnreadableError, match="seed"):
        runs.read_run(folder)


class Payload:
    """Pickled, this would leave a file behind when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_pickles_are_not_read(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, evil=np.array([Payload(tmp_path / "owned")], dtype=object))
    with pytest.raises(UnreadableError, match="Python objects"):
        runs.read_arrays(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil.npy", pickle.dumps(Payload(tmp_path / "owned")))
    with pytest.raises(UnreadableError):
        runs.read_arrays(path)
    assert not (tmp_path / "owned").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_truncated_and_flipped_archives_are_unreadable_or_unchanged(tmp_path, data):
    buffer = io.BytesIO()
    np.savez(buffer, a=np.arange(50.0), b=np.ones((3, 3), np.float32))
    content = bytearray(buffer.getvalue())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "arrays.npz"
    path.write_bytes(content)
    try:
        arrays = runs.read_arrays(path)
    except UnreadableError as error:
        assert "\n" not in str(error)
    else:
        for array in arrays.values():  # a bit that means nothing, or only a name, was flipped
            assert array.tolist() in (np.arange(50.0).tolist(), np.ones((3, 3)).tolist())


def test_bfloat16_is_read_as_the_float32_it_is(tmp_path):
    bits = np.array([0x3F80, 0xC000, 0x7F80], np.uint16)  # 1, -2, infinity
    folder = make_run(tmp_path / "jax", {"weights/0.dense.kernel": bits.view("V2")})
    facts = json.loads((folder / layout.FACTS).read_text())
    facts["arrays"]["weights/0.dense.kernel"]["dtype"] = "bfloat16"
    (folder / layout.FACTS).write_text(json.dumps(facts))
    [array] = runs.read_run(folder).arrays.values()
    assert array.dtype == np.float32
    assert array.tolist() == [1.0, -2.0, np.inf]


def test_no_arrays(tmp_path):
    with pytest.raises(UnreadableError, match="missing"):
        runs.read_arrays(tmp_path / "arrays.npz")
