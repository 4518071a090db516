"""The workflow that the guide shows is one: valid YAML, and its own commands run as written."""

import os
import re
import subprocess

import pytest
import yaml

from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "guides" / "ci.md").read_text()


@pytest.fixture
def steps():
    [text] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    [job] = yaml.safe_load(text)["jobs"].values()
    return job["steps"]


def test_it_trains_checks_summarizes_and_uploads(steps, tmp_path):
    commands = {step["name"]: step["run"] for step in steps if "run" in step}
    assert commands["train"] == "make train"  # CI runs it
    assert commands["report"] == "make report"
    summary = tmp_path / "summary.md"
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(summary)}
    subprocess.run(["sh", "-ec", commands["check"]], cwd=ROOT, env=environment, check=True)
    assert summary.read_text().startswith("## keras-repro: regression")
    uploaded = next(step for step in steps if "upload-artifact" in step.get("uses", ""))
    assert uploaded["with"]["path"] == "report.html"
    assert uploaded["if"] == "always()"  # also where the check failed
