"""The reference and the architecture say what the code says."""

import re
import tomllib

from keras_repro.errors import GRAVITY, ExitCode
from keras_repro.project.configuration import Document, WorkloadTable
from keras_repro.report.json_text import SCHEMAS
from tests.conftest import ROOT
from tests.unit.docs.documents import make_variables

REFERENCE = ROOT / "docs" / "reference"
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
PACKAGE = ROOT / "src" / "keras_repro"
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def section(text: str, heading: str) -> str:
    """Return what stands under a heading."""
    return re.split(r"^#+ ", text.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text: str) -> list[str]:
    """Return the code in the first cell of each row."""
    cells = re.findall(r"^\| (`.+?`) \|", text, re.MULTILINE)
    return [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]


def test_every_key_of_the_configuration_is_explained():
    text = (REFERENCE / "configuration.md").read_text()
    assert first_cells(section(text, "The whole file")) == list(Document.model_fields)
    assert set(first_cells(section(text, "A workload"))) == set(WorkloadTable.model_fields)


def test_every_variable_of_make_is_explained():
    text = section((REFERENCE / "configuration.md").read_text(), "Make's variables")
    assert {cell.partition("=")[0] for cell in first_cells(text)} == make_variables()


def test_every_exit_code_is_explained():
    text = (REFERENCE / "exit-codes.md").read_text()
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == sorted(
        ExitCode
    )
    [order] = re.findall(r"to the least: ([\d, \n]+)", text)
    assert [int(code) for code in order.replace(",", " ").split()] == list(GRAVITY)


def test_every_schema_is_shown():
    text = (REFERENCE / "schemas.md").read_text()
    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == re.findall(
        r'--8<-- "src/keras_repro/runs/schemas/(\w+)\.schema\.json"', text
    )
    assert set(re.findall(r"^## (\w+)$", text, re.MULTILINE)) == set(SCHEMAS)


def test_every_room_is_explained():
    named = {cell.rstrip("/") for cell in first_cells(section(ARCHITECTURE, "Rooms"))}
    folders = {
        path.parent.name for path in PACKAGE.glob("*/*") if path.parent.name != "__pycache__"
    }
    modules = {path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("__")}
    assert named == folders | modules | {"recorder.contract"}


def test_the_arrows_are_those_that_lint_checks():
    [contract] = [
        contract
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    layers = [layer.replace("keras_repro.", "").split(" : ") for layer in contract["layers"]]
    [drawn] = re.findall(r"^cli .*->.*$", ARCHITECTURE, re.MULTILINE)
    assert [room.split(" | ") for room in drawn.split(" -> ")] == layers


def test_the_changelog_keeps_its_form():
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## \[(.+?)\](.*)$", text, re.MULTILINE)
    assert versions[0] == ("Unreleased", "")
    assert all(re.fullmatch(r" - \d{4}-\d\d-\d\d", date) for _, date in versions[1:])
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= kinds
