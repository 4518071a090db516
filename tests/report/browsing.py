"""A page in a real browser: Debian's Chromium, driven by Playwright."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.conftest import ROOT

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
NEEDS_CHROMIUM = pytest.mark.skipif(
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
  const written = "h1, h2, p, th, td, caption, li, a, .badge, pre, summary, small, figcaption";
  return [...document.querySelectorAll(written)]
    .filter(element => element.textContent.trim())
    .map(element => {
      const [a, b] = [light(getComputedStyle(element).color), light(back(element))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.slice(0, 40)];
    })
    .sort((one, other) => one[0] - other[0])[0];
}"""


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

    def check_contrast(self) -> None:
        """Fail where text is fainter than WCAG 2.2, 1.4.3 allows."""
        ratio, text = self.page.evaluate(CONTRASTS)
        assert ratio >= 4.5, text

    def check_width(self) -> None:
        """Fail where the page is wider than its window."""
        window = self.page.evaluate("innerWidth")
        assert self.page.evaluate("document.documentElement.scrollWidth") <= window

    def check_alone(self, path: Path) -> None:
        """Fail where the page asked for anything besides itself, or said anything."""
        assert self.requests == [path.as_uri()]
        assert self.said == []
