"""The workflow and the hooks: they can be read, and what they call is there."""

import re

import pytest
import yaml

from tests.conftest import ROOT
from tests.unit.docs.documents import make_targets, runs_of, simple_commands

WORKFLOW = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
PACKAGE_OF = {"lint-imports": "import-linter"}


@pytest.fixture(scope="module")
def jobs():
    return yaml.safe_load(WORKFLOW)["jobs"]


def steps_of(job):
    return {step["name"]: step for step in job["steps"] if "name" in step}


def is_locked(package: str) -> bool:
    text = (ROOT / "requirements" / "dev.txt").read_text()
    return re.search(rf"^{re.escape(package)}==", text, re.MULTILINE) is not None


def test_the_workflow_calls_what_is_there():
    called = [command for run in runs_of(WORKFLOW) for command in simple_commands(run)]
    assert len(called) >= 5
    for words in called:
        if words[0] == "make":
            targets = {word for word in words[1:] if "=" not in word}
            assert targets, words
            assert targets <= make_targets(), words
        elif words[0].startswith(".venv/bin/python"):
            assert (ROOT / words[-1]).is_dir(), words


def test_it_runs_all_on_linux_and_keeps_the_report(jobs):
    job = jobs["linux"]
    assert job["runs-on"] == "ubuntu-latest"
    steps = steps_of(job)
    assert [steps[name]["run"] for name in ("lint", "test")] == ["make lint", "make test-all"]
    assert steps["report"]["if"] == "always()"
    [upload] = [step for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "always()"
    assert "report.html" in upload["with"]["path"].split()


def test_it_runs_what_needs_no_container_on_macos(jobs):
    job = jobs["macos"]
    assert job["runs-on"] == "macos-latest"
    steps = steps_of(job)
    assert steps["lint"]["run"] == "make lint"
    assert "tests/unit" in steps["test"]["run"]


def test_it_demands_what_tests_skip_elsewhere(jobs):
    """Each variable by which a test that would be skipped fails instead is set in the workflow."""
    asked = {
        name
        for path in (ROOT / "tests").rglob("*.py")
        for name in re.findall(r"\"(KERAS_REPRO_DEMAND_\w+)\"", path.read_text())
    }
    assert asked
    assert set(jobs["linux"]["env"]) == asked


def test_every_action_is_pinned_to_a_version(jobs):
    for job in jobs.values():
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step["uses"])


def test_the_hooks_are_the_projects_own_tools():
    [repository] = HOOKS["repos"]
    assert repository["repo"] == "local"
    assert is_locked("pre-commit")
    for hook in repository["hooks"]:
        assert hook["language"] == "system"
        place, _, tool = hook["entry"].split()[0].rpartition("/")
        assert place == ".venv/bin"
        assert is_locked(PACKAGE_OF.get(tool, tool)), tool


def test_the_hooks_run_what_lint_runs():
    parts = r"^lint-[a-z-]+:\n((?:\t.*\n)+)"
    recipe = "".join(re.findall(parts, (ROOT / "Makefile").read_text(), re.MULTILINE))
    tools = {hook["entry"].split()[0].rpartition("/")[2] for hook in HOOKS["repos"][0]["hooks"]}
    assert tools
    for tool in tools:
        assert f"$(BIN)/{tool}" in recipe
