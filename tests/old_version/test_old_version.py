"""The present version says and writes what the one before it did, but for what is intended."""

import copy
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.old_version import keep
from tests.old_version.cases import COMMANDS, QUICK
from tests.old_version.differing import differences, figures, offered
from tests.old_version.intended import INTENDED, LINE, line_by_line
from tests.old_version.outcome import Version
from tests.old_version.slow import SLOW
from tests.old_version.steps import Case, case, command

JAX = "keras-repro check --backend jax"
CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
KEPT = keep.kept()
ALL = {case.name: case for case in (*QUICK, *SLOW)}


def by_name(case: Case) -> str:
    return case.name


@pytest.fixture(scope="module")
def present(tmp_path_factory):
    with Version(sys.executable, tmp_path_factory.mktemp("cache")) as version:
        yield version


@pytest.fixture(scope="module")
def with_environments():
    with keep.one_version(sys.executable) as version:
        yield version


def check(case: Case, version: Version) -> None:
    """Hold a case against what is kept; what is to be seen in it on purpose must be there."""
    found = differences(case.name, line_by_line(KEPT[case.name]), version.outcome(case))
    unexplained = [
        str(each) for each in found if not any(intended.covers(each) for intended in INTENDED)
    ]
    assert not unexplained, "\n".join(unexplained)
    for intended in INTENDED:
        if intended.seen_in == case.name:
            assert any(intended.covers(each) for each in found), intended


@pytest.mark.parametrize("case", QUICK, ids=by_name)
def test_it_is_as_it_was(case, present):
    check(case, present)


@pytest.mark.slow
@pytest.mark.parametrize("case", SLOW, ids=by_name)
def test_what_trains_and_searches_is_as_it_was(case, with_environments):
    check(case, with_environments)


def test_what_is_intended_is_written_down():
    assert all(is_in_changelog(intended.changelog) for intended in INTENDED)
    assert {intended.seen_in for intended in INTENDED} <= set(ALL)


def is_in_changelog(words: str) -> bool:
    text = " ".join(CHANGELOG.read_text(encoding="utf-8").split())
    return " ".join(words.split()) in text


VERBOSE = [
    replace(each, steps=(each.steps[0], command("check --backend jax -v")))
    for each in QUICK
    if len(each.steps) == 2 and each.steps[1] == command("check --backend jax")
    if "newer" not in each.name  # which is read now: intended.py
]


@pytest.mark.parametrize("case", VERBOSE, ids=by_name)
def test_a_check_prints_its_table_where_it_is_asked_for(case, present):
    assert is_in_changelog(LINE)
    before = line_by_line(KEPT[case.name], verbose=True)["steps"][:1]
    after = present.outcome(case)["steps"][:1]
    after[0]["command"] = JAX
    assert not differences(case.name, {"steps": before}, {"steps": after})


def test_the_searches_together_take_what_bisect_took(present):
    told = offered(KEPT["help-bisect"]["steps"][0]["stdout"])
    ways = case("a case", *(f"bisect {way} --help" for way in ("release", "day", "commit")))
    for step in present.outcome(ways)["steps"]:
        told -= offered(step["stdout"])
    assert set(told) == {"--artifacts", "--prune", "--script-change"}
    assert is_in_changelog("`bisect --artifacts`, which did nothing.")


def test_every_case_is_kept_and_every_command_is_among_them():
    assert set(KEPT) == set(ALL)
    steps = [step for outcome in KEPT.values() for step in outcome["steps"]]
    for name in COMMANDS:
        assert any(re.search(rf"keras-repro.* {name}\b", step["command"]) for step in steps)
    assert {step["exit"] for step in steps} == {0, 1, 2, 3, 4, 5, 6, 7, 130}


@pytest.fixture
def drift():
    return copy.deepcopy(KEPT["check-drift-text"]), copy.deepcopy(KEPT["check-drift-json"])


def found_in(before, **changes):
    after = copy.deepcopy(before)
    after["steps"][0].update(changes)
    return [each.what for each in differences("a case", before, after)]


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("5.0e-04", "6.0e-04"),
        ("drift", "close"),
        ("weights/0.dense.bias", "weights/1"),
        ("8,389", ""),
    ],
)
def test_another_figure_name_or_verdict_is_seen(drift, word, other):
    said = drift[0]["steps"][0]["stdout"]
    assert word in said
    assert found_in(drift[0], stdout=said.replace(word, other, 1)) == ["stdout"]


def test_a_row_that_is_gone_or_there_twice_is_seen(drift):
    lines = drift[0]["steps"][0]["stdout"].splitlines(keepends=True)
    assert found_in(drift[0], stdout="".join(lines[:3] + lines[4:])) == ["stdout"]
    assert found_in(drift[0], stdout="".join(lines[:4] + lines[3:])) == ["stdout"]


def test_other_words_are_not_seen(drift):
    said = drift[0]["steps"][0]["stdout"]
    assert not found_in(drift[0], stdout=said.replace("likely cause", "what is likely"))


def test_another_exit_code_value_or_file_is_seen(drift):
    assert found_in(drift[0], exit=0) == ["exit"]
    document = copy.deepcopy(drift[1]["steps"][0]["document"])
    document["backends"][0]["arrays"][5]["max_ulps"] += 1
    assert found_in(drift[1], document=document) == ["document: backends: 0: arrays: 5: max_ulps"]
    assert found_in(drift[0], written={"report.html": "a file"}) == ["written report.html"]


def test_an_error_is_one_line_and_names_the_same():
    before = KEPT["check-script-missing"]
    said = before["steps"][0]["stderr"]
    assert not found_in(before, stderr=said.replace("no such file or directory", "it is not there"))
    assert found_in(before, stderr=said.replace("nothing.py", "it")) == ["stderr"]
    assert found_in(before, stderr=said + "and more\n") == ["stderr lines"]


def test_a_column_of_the_matrix_is_counted():
    assert figures("| **jax** | ✅ identical | ❌ no run |") == {
        "✅ identical": 1,
        "❌ no run": 1,
        "jax": 1,
    }
