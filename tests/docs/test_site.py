"""The site that `make docs` builds: strict, with every command, and whole without a network."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright

from keras_repro.cli import cli
from tests.conftest import ROOT
from tests.report.browsing import CHROMIUM, FLAGS, NEEDS_CHROMIUM

DEMANDED = bool(os.environ.get("KERAS_REPRO_DEMAND_DOCS"))
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mkdocs") is None and not DEMANDED,
    reason="needs what make docs installs",
)
# What a browser loads by itself; a link is followed by a person only.
LOADED = {"audio", "embed", "iframe", "img", "input", "link", "object", "script", "source", "video"}
ADDRESS = re.compile(r"(?:https?:)?//")
FOUND_BY = "unrepeatable"  # a word that the guide to baselines has


def build(folder: Path, config: Path = ROOT / "mkdocs.yml") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    return folder


class Loads(HTMLParser):
    """What a page loads from a server: (tag, address)."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = [value or "" for name, value in attrs if name in ("src", "srcset", "href", "data")]
        if tag in LOADED:
            self.found += [(tag, value) for value in values if ADDRESS.match(value)]


def test_no_page_loads_anything_from_a_server(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        assert Loads(page).found == [], page
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        loaded = re.findall(r"(?:url\(|@import)\s*[\"']?([^\"')]+)", sheet.read_text())
        assert [address for address in loaded if ADDRESS.match(address)] == [], sheet


def test_every_command_has_its_reference(site):
    text = (site / "reference" / "commands.html").read_text()
    for name in cli.list_commands(click.Context(cli)):
        assert f">keras-repro {name}<" in text, name
        assert f'href="#keras-repro-{name}"' in text, name
    assert "Sentinel" not in text  # click's own word for "no default"


def test_a_broken_link_fails_the_build(tmp_path):
    copied = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", copied)
    with (copied / "guides" / "changes.md").open("a") as page:
        page.write("\n[no page](gone.md) [no heading](report.md#lost)\n")
    config = tmp_path / "mkdocs.yml"
    snippets = f"pymdownx.snippets: {{base_path: ['{ROOT}'], "
    config.write_text((ROOT / "mkdocs.yml").read_text().replace("pymdownx.snippets: {", snippets))
    done = build(tmp_path / "site", config)
    assert done.returncode == 1
    assert "'gone.md'" in done.stderr
    assert "'report.md#lost'" in done.stderr


@NEEDS_CHROMIUM
def test_a_browser_reads_and_searches_it_from_the_file_system(site):
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"file://{site}/index.html")
        result = page.locator("a.md-search-result__link").first
        for _ in range(10):  # what is written before the page listens is not searched for
            page.fill("input.md-search__input", "")
            page.locator("input.md-search__input").press_sequentially(FOUND_BY)
            with suppress(PlaywrightTimeout):
                result.wait_for(state="attached", timeout=3000)
                break
        assert "baselines.html" in str(result.get_attribute("href"))
        page.goto(f"file://{site}/guides/report.html")
        assert page.locator("h1").inner_text().startswith("Read a report")
        browser.close()
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
