"""The report in a real browser."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

import pytest
from playwright.sync_api import Page

from keras_repro import backends
from tests.conftest import ROOT, chosen_backends
from tests.planted import (
    FAILURE,
    baselines_of_here,
    regression_with,
    train_with_another_rate,
)
from tests.report.browsing import NEEDS_CHROMIUM, OUTPUT, Opened

KINDS = ("costs", "weights", "predictions")

pytestmark = NEEDS_CHROMIUM


@pytest.fixture
def matrix(request, keras_repro, engine, shared) -> tuple[str, Path]:
    """Make the report of a matrix that passes, drifts or fails on its last backend; for real."""
    kind, names = request.param, chosen_backends()
    path = shared / f"{kind}.html"
    if path.exists():
        return kind, path
    script, folder = [], ROOT
    if kind == "drifting":
        folder = train_with_another_rate(keras_repro, shared, engine, names)
        script = ["regression.py"]
    elif kind == "failing":
        folder = train_with_a_failure(keras_repro, shared, engine, names)
        script = ["regression.py"]
    options = [word for name in names for word in ("--backend", name)]
    options += ["--baselines", baselines_of_here(keras_repro, shared), "-o", path]
    done = keras_repro("report", *script, *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size < 3_000_000
    return kind, path


def train_with_a_failure(keras_repro, shared, engine, names) -> Path:
    """Train with a failure on the last backend; the others' runs are those that make test made."""
    folder = Path(mkdtemp(dir=shared))
    folder.chmod(0o755)
    fault = FAILURE.replace("{keras_backend}", backends.load()[names[-1]].keras_backend)
    regression_with(folder, fault)
    for name in names[:-1]:
        kept = Path("artifacts", "regression", name)
        shutil.copytree(ROOT / kept, folder / kept)
    train = ("train", "regression.py", "--backend", names[-1], "--engine", engine)
    assert keras_repro(*train, cwd=folder).returncode == 4
    return folder


def verdicts(page: Page) -> dict[str, list[str]]:
    """Read the matrix as a screen reader does: by roles and names."""
    table = page.get_by_role("table", name="Worst verdict on each backend's")
    headers = table.get_by_role("columnheader").all_inner_texts()
    assert headers == ["backend", *KINDS]
    found = {}
    for row in table.get_by_role("row").all()[1:]:
        snapshot = row.aria_snapshot()  # the accessibility tree; what is hidden there is not in it
        cells = [line.split('"')[1] for line in snapshot.splitlines() if "- cell" in line]
        found[row.get_by_role("rowheader").inner_text()] = cells
    return found


@pytest.mark.parametrize("matrix", ["passing", "drifting", "failing"], indirect=True)
def test_a_matrix(matrix, browser):
    kind, path = matrix
    opened = Opened(browser, path, viewport={"width": 1100, "height": 900})
    page, names = opened.page, chosen_backends()
    answer = page.get_by_role("main").get_by_role("heading", level=2).first.inner_text()
    expected = {name: ["identical"] * 3 for name in names}
    if kind == "passing":
        assert answer.endswith("to the bit.")
    elif kind == "drifting":
        expected = {name: ["drift"] * 3 for name in names}
        assert answer.endswith("(drift after step 137).")
        assert page.get_by_text("first link that differs").count() == len(names)
    else:
        expected[names[-1]] = ["failed"] * 3
        assert answer.startswith(f"The run of {names[-1]} failed")
        log = page.get_by_role("region", name=f"End of {names[-1]}'s log")
        assert "<script>alert('planted')</script>" in log.inner_text()
    assert verdicts(page) == expected
    opened.check_alone(path)

    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / f"{kind}.png")
    page.screenshot(path=OUTPUT / f"{kind}-whole.png", full_page=True)
    page.pdf(path=OUTPUT / f"{kind}.pdf", format="A4")
    assert (OUTPUT / f"{kind}.pdf").stat().st_size > 10_000


@pytest.mark.parametrize("matrix", ["passing"], indirect=True)
def test_it_can_be_used_by_everyone(matrix, browser):
    _, path = matrix
    page = Opened(browser, path).page
    for role in ("banner", "navigation", "main", "contentinfo"):
        assert page.get_by_role(role).count() == 1
    for picture in page.get_by_role("img").all():
        assert picture.get_attribute("aria-label") or picture.get_attribute("alt")
    for table in page.locator("table").all():
        assert table.locator("caption").inner_text()
    assert page.locator("th:not([scope])").count() == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    page.wait_for_url("**#answer")
    reached = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('aria-label')"))
    assert "Verdicts" in reached  # what can scroll can be scrolled by keys


@pytest.mark.parametrize("matrix", ["failing"], indirect=True)
def test_every_width_and_both_schemes(matrix, browser):
    _, path = matrix
    papers = set()
    for width in (360, 1600):
        for scheme in ("light", "dark"):
            opened = Opened(
                browser, path, viewport={"width": width, "height": 800}, color_scheme=scheme
            )
            page = opened.page
            opened.check_width()
            opened.check_contrast()
            papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            OUTPUT.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=OUTPUT / f"failing-{width}-{scheme}.png")
    assert len(papers) == 2
