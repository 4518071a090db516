"""Benchmarks are run seldom: what they import is there, also in the programs that they start."""

import re
from importlib import import_module

import pytest

from tests.conftest import ROOT

IMPORT = re.compile(r"^from (keras_repro[\w.]*) import (\w+)", re.MULTILINE)
FILES = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_it_imports_is_there(path):
    for module, name in IMPORT.findall(path.read_text()):
        assert hasattr(import_module(module), name) or import_module(f"{module}.{name}")


def test_there_are_some():
    assert sum(len(IMPORT.findall(path.read_text())) for path in FILES) > 10
