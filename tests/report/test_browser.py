"""The report in a real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from keras_repro import backends
from tests.conftest import ROOT, chosen_backends
from tests.planted import FAILURE, OTHER_RATE, regression_with

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DEMANDED = bool(os.environ.get("KERAS_REPRO_DEMAND_BROWSER"))
OUTPUT = ROOT / "test-output" / "report"
# No sandbox: containers and CI run as root. The rest keeps Chromium from calling home.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KINDS = ("costs", "weights", "predictions")

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not DEMANDED, reason="needs Chromium (apt-get install chromium)"
)

CONTRASTS = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (colour) => rgb(colour)
    .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const back = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "white";
  };
  return [...document.querySelectorAll("h1, h2, p, th, td, caption, li, a, .badge, pre")]
    .filter(element => element.textContent.trim())
    .map(element => {
      const [a, b] = [light(getComputedStyle(element).color), light(back(element))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.slice(0, 40)];
    })
    .sort((one, other) => one[0] - other[0])[0];
}"""


@pytest.fixture
def browser(tmp_path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def matrix(request, keras_repro, engine, tmp_path) -> tuple[str, Path]:
    """Make the report of a matrix that passes, drifts or fails on its last backend; for real."""
    kind, names = request.param, chosen_backends()
    options = [word for name in names for word in ("--backend", name)]
    options += ["--artifacts", ROOT / "artifacts" if kind == "passing" else "artifacts"]
    script = []
    if kind != "passing":
        broken = backends.load()[names[-1]].keras_backend
        fault = OTHER_RATE.format(step=137) if kind == "drifting" else FAILURE
        script = [regression_with(tmp_path, fault.replace("{keras_backend}", broken)).name]
        done = keras_repro("train", *script, *options, "--engine", engine)
        assert done.returncode == (0 if kind == "drifting" else 4), done.stdout + done.stderr
    path = tmp_path / "report.html"
    done = keras_repro("report", *script, *options, "--baselines", ROOT / "baselines", "-o", path)
    assert done.returncode == 0, done.stderr
    assert path.stat().st_size < 3_000_000
    return kind, path


class Opened:
    """A page, and what it asked for and said."""

    def __init__(self, browser, path: Path, **options) -> None:
        self.page: Page = browser.new_context(**options).new_page()
        self.requests: list[str] = []
        self.said: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.goto(path.as_uri(), wait_until="networkidle")


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
        assert page.get_by_text("the update of step 137").count() == len(names)
    else:
        expected[names[-1]] = ["failed"] * 3
        assert answer.startswith(f"The run of {names[-1]} failed")
        log = page.get_by_role("region", name=f"End of {names[-1]}'s log")
        assert "<script>alert('planted')</script>" in log.inner_text()
    assert verdicts(page) == expected
    assert opened.requests == [path.as_uri()]
    assert opened.said == []

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
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            ratio, text = page.evaluate(CONTRASTS)
            assert ratio >= 4.5, text  # WCAG 2.2, 1.4.3
            papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            OUTPUT.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=OUTPUT / f"failing-{width}-{scheme}.png")
    assert len(papers) == 2
