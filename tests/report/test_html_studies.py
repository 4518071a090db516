"""The pages of bisect, parity and equivalent without a browser: text stays text, whatever it is."""

import numpy as np
import pytest

from keras_repro.report.bisect import page as bisect_page
from keras_repro.report.ensemble import page as ensemble_page
from keras_repro.report.parity import page as parity_page
from keras_repro.runs.ensemble import EnsembleFacts
from keras_repro.studies.ensemble.equivalent import Side, equivalent
from tests.report import studies
from tests.report.test_html import HOSTILE, check_safe
from tests.unit.made import ensemble, spread_out

FORMULA = "$\\frac{$"  # matplotlib would set it as one, and fail


def written(path, write, *what):
    write(path, *what)
    page = path.read_text()
    check_safe(page)
    return page


@pytest.mark.parametrize("text", [HOSTILE, FORMULA])
def test_what_a_search_finds_stays_text(tmp_path, monkeypatch, text):
    found = studies.bisection(tmp_path, monkeypatch, workload=text)
    for point in found.search.points:
        point.label, point.detail = f"{text}{point.label}", text
        point.problem = point.problem and text
    page = written(tmp_path / "page.html", bisect_page.write, found, studies.ENGINE)
    assert "cannot be drawn" not in page
    if text == HOSTILE:
        assert "&lt;script&gt;alert(" in page


@pytest.mark.parametrize("text", [HOSTILE, FORMULA])
def test_what_a_parity_study_finds_stays_text(tmp_path, text):
    found = studies.parity(tmp_path, model=text)
    for pair in found.pairs:
        for model in pair.models:
            for layer in model.layers:
                for name in ("place", "name", "class_name", "problem"):
                    object.__setattr__(layer, name, getattr(layer, name) and text)
                object.__setattr__(layer, "config", {text: text})
    page = written(tmp_path / "page.html", parity_page.write, found)
    assert "cannot be drawn" not in page
    if text == HOSTILE:
        assert "&lt;script&gt;alert(" in page


def test_a_search_that_finds_nothing(tmp_path, monkeypatch):
    found = studies.bisection(tmp_path, monkeypatch, changed=())
    page = written(tmp_path / "page.html", bisect_page.write, found, studies.ENGINE)
    assert "Nothing changes between jax 0.4.0 and 0.6.3" in page
    assert 'id="changes"' not in page


def test_what_is_left_out_of_a_plot_is_said(tmp_path):
    page = written(tmp_path / "page.html", parity_page.write, studies.parity(tmp_path, count=70))
    assert "the first 60 of 70 layers" in page


def test_a_minimal_script_lies_beside_the_page(tmp_path):
    found = studies.parity(tmp_path)
    page, script = parity_page.write(tmp_path / "page.html", found)
    assert script.name == "jax-torch-conv2d_transpose.py"
    with np.load(script.with_suffix(".npz"), allow_pickle=False) as data:
        assert sorted(data) == ["expected", "input0"]
    assert f"page-layers/{script.name}" in page.read_text()
    assert "No minimal script: its call has arguments that cannot be written" in page.read_text()


@pytest.mark.parametrize("text", [HOSTILE, FORMULA])
@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_what_an_ensemble_says_stays_text(tmp_path, text, shift):
    sides = []
    for by in (0.0, shift):
        document = ensemble(**{text: spread_out(30, at=by), "other": spread_out(30)})
        document |= {"workload": text, "backend": text}
        document["origin"] |= {"packages": {text: f"{text}{by}"}}
        facts = EnsembleFacts.model_validate(document)
        sides.append(Side(tmp_path / "a.json", facts))
    page = written(tmp_path / "page.html", ensemble_page.write, equivalent(*sides, {}))
    assert "cannot be drawn" not in page
    if text == HOSTILE:
        assert "&lt;script&gt;alert(" in page
