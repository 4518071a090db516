"""docs/chance.md is what its tool writes; the tool itself takes minutes."""

import re
from importlib import import_module

import pytest

from tests.conftest import ROOT


@pytest.fixture(scope="module")
def tool():
    return import_module("tools.chance")


def test_the_words_of_the_page_are_the_tools(tool):
    page = (ROOT / "docs" / "chance.md").read_text()
    head = tool.HEAD.replace("{DECIDED}", f"{tool.DECIDED:,}").replace("{DRAWN}", f"{tool.DRAWN:,}")
    for part in re.split(r"\{\w+\}", head):
        assert part in page
    for title, truths in tool.TRUTHS.items():
        assert f"### {title}" in page
        for truth in truths:
            assert f"| {truth.words} | " in page


def test_rows_are_counted(tool):
    [first, *_] = tool.TRUTHS["Something differs"][2:]
    assert sum(tool.decided(first, 20).values()) == pytest.approx(1)
    assert tool.decided(first, 20)[tool.Decision.DIFFERENT] > 0.9
    rows = list(tool.of_margins(500))
    assert len(rows) == 3 + 5 + 2 * 5
    assert rows == list(tool.of_margins(500))  # the same numbers each time
