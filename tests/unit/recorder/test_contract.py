"""Names of runs, and seeds."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_repro.recorder import contract


@given(st.text())
def test_a_workload_name_is_one_visible_folder(script):
    name = contract.workload_name(script)
    assert name
    assert os.path.basename(name) == name
    assert not name.startswith((".", "-"))
    assert "\0" not in name


def test_workload_names():
    assert contract.workload_name("/a/b/train.py") == "train"
    assert contract.workload_name("../my model.v2.py") == "my-model.v2"
    assert contract.workload_name("...py") == "py"
    assert contract.workload_name("..") == "script"


@pytest.mark.parametrize("text", ["", "-1", "1.5", "x", "4294967296", "1e3", " 1", "0x1", "١"])
def test_no_seed(text):
    with pytest.raises(ValueError, match="not a whole number"):
        contract.parse_seed(text)


@pytest.mark.parametrize("text", ["0", "1337", "4294967295"])
def test_seed(text):
    assert contract.parse_seed(text) == int(text)
