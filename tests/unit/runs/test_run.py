"""Reading run folders: what is damaged ends in one clear error, and nothing is unpickled."""

import json

import numpy as np
import pytest

from keras_repro.errors import MissingError, UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs.run import RunFacts, last_run, read_run
from tests.unit.made import ARRAYS, change_facts, make_run


def test_a_run_reads_back(tmp_path):
    run = read_run(make_run(tmp_path / "jax"))
    assert run.facts.completed
    assert {name: array.load().tolist() for name, array in run.arrays.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }


def test_facts_are_validated_once(tmp_path, monkeypatch):
    validated = []
    validate = RunFacts.model_validate
    monkeypatch.setattr(
        RunFacts, "model_validate", lambda document: validated.append(1) or validate(document)
    )
    read_run(make_run(tmp_path / "jax"))
    assert validated == [1]


def test_no_run(tmp_path):
    with pytest.raises(MissingError, match="no run"):
        read_run(tmp_path)


def test_the_last_run_is_the_failed_one_where_there_is_one(tmp_path):
    make_run(tmp_path / "jax")
    assert last_run(tmp_path / "jax").facts.completed
    make_run(tmp_path / "jax.failed", outcome="failed", reason="because")
    assert last_run(tmp_path / "jax").facts.reason == "because"


def test_a_newer_schema_says_so(tmp_path):
    folder = make_run(tmp_path / "jax", schema_version=contract.NEWEST_SCHEMA + 1)
    with pytest.raises(UnreadableError, match="newer keras-repro"):
        read_run(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "{}", '{"schema_version": "1"}'])
def test_damaged_facts(tmp_path, text):
    folder = make_run(tmp_path / "jax")
    (folder / contract.FACTS).write_text(text)
    with pytest.raises(UnreadableError):
        read_run(folder)


def test_facts_that_lack_one_name_it(tmp_path):
    folder = make_run(tmp_path / "jax")
    document = json.loads((folder / contract.FACTS).read_text())
    del document["seed"]
    (folder / contract.FACTS).write_text(json.dumps(document))
    with pytest.raises(UnreadableError, match="seed"):
        read_run(folder)


def test_facts_that_are_no_text_or_no_file(tmp_path):
    folder = make_run(tmp_path / "jax")
    for content in (b'{"schema_version": 1, "reason": "\\ud800"}', b'{"schema_version": NaN}'):
        (folder / contract.FACTS).write_bytes(content)
        with pytest.raises(UnreadableError):
            read_run(folder)


def test_facts_of_another_type(tmp_path):
    folder = make_run(tmp_path / "jax")
    change_facts(folder, packages=["numpy"])
    with pytest.raises(UnreadableError, match="packages"):
        read_run(folder)


def test_bfloat16_is_read_as_the_float32_it_is(tmp_path):
    bits = np.array([0x3F80, 0xC000, 0x7F80], np.uint16)  # 1, -2, infinity
    folder = make_run(tmp_path / "jax", {"weights/0.dense.kernel": bits.view("V2")})
    facts = json.loads((folder / contract.FACTS).read_text())
    facts["arrays"]["weights/0.dense.kernel"]["dtype"] = "bfloat16"
    (folder / contract.FACTS).write_text(json.dumps(facts))
    [stored] = read_run(folder).arrays.values()
    assert stored.name == "bfloat16"
    array = stored.load()
    assert array.dtype == np.float32
    assert array.tolist() == [1.0, -2.0, np.inf]
