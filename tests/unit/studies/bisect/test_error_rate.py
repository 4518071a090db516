"""What is said of a whole search, tried: by the tool that makes the table of docs/chance.md."""

import importlib.util
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("searches", ROOT / "tools/chance_of_search.py")
    sys.modules["searches"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules["searches"]


@pytest.mark.long
def test_where_nothing_differs_few_searches_blame_a_release(tool):
    found = [one.found for one in tool.searched(tool.Searched(), 100)]
    assert sum(at is not None for at in found) <= 8  # of 5 %, which 9 of 100 exceed in 3 % of cases


@pytest.mark.long
def test_a_planted_change_is_found_and_few_searches_blame_one_before_it(tool):
    found = [one.found for one in tool.searched(tool.Searched(change=17, shift=2.0), 60)]
    assert found.count(17) >= 54
    assert sum(at is not None and at < 17 for at in found) <= 6
