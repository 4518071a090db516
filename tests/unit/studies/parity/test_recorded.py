"""What the recorder kept is read, or one line says why not."""

import json

import numpy as np
import pytest

from keras_repro.errors import UnreadableError
from keras_repro.recorder import contract
from keras_repro.studies.parity.findings import Another
from keras_repro.studies.parity.judge import judge
from keras_repro.studies.parity.recorded import read_side
from tests.unit.studies.parity.sides import ROUNDED, side


@pytest.mark.parametrize("text", ["", "[]", '{"models": 3}', '{"other": 1}'])
def test_damaged_facts(tmp_path, text):
    side(tmp_path / "a", {})
    (tmp_path / "a" / contract.PARITY_FACTS).write_text(text)
    with pytest.raises(UnreadableError, match="run parity again"):
        read_side(tmp_path / "a")


def rewritten(folder, change):
    path = folder / contract.PARITY_FACTS
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("schema_version"), "was written by another version of keras-repro"),
        (lambda d: d.update(schema_version=1), "was written by another version of keras-repro"),
        (lambda d: d.update(schema_version=3), "was written by another version of keras-repro"),
        (lambda d: d["models"][0].pop("prefix"), "is damaged: models.0.prefix: Field required"),
        (lambda d: d["models"][0]["calls"][0].update(arrived="far"), "is damaged: models.0.calls"),
        (lambda d: d["models"][0]["calls"][0].update(key="layers/x"), "is damaged: models.0.calls"),
    ],
)
def test_facts_of_another_version_or_edited(tmp_path, change, words):
    side(tmp_path / "a", {})
    rewritten(tmp_path / "a", change)
    with pytest.raises(UnreadableError, match="run parity again") as raised:
        read_side(tmp_path / "a")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_nothing_kept(tmp_path):
    with pytest.raises(UnreadableError, match="No such file or directory; run parity again"):
        read_side(tmp_path)


def test_figures_and_what_is_none(tmp_path):
    for written, read in ((0.5, 0.5), (None, None), ("another shape", Another.SHAPE)):
        kept = side(tmp_path / "a", {}, arrived=written)
        assert kept.facts.models[0].calls[0].arrived == read


def test_text_among_the_arrays_is_no_traceback(tmp_path):
    sides = [
        side(tmp_path / name, {"inference/0": text})
        for name, text in (("a", ROUNDED), ("b", np.array(["x"])))
    ]
    with pytest.raises(UnreadableError, match="inference/0 holds no numbers; run parity again"):
        judge(*sides)
