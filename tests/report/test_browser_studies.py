"""The pages of bisect and parity in a real browser, as wide as a phone and as a screen."""

import pytest

from keras_repro.report.bisect import page as bisect_page
from keras_repro.report.parity import page as parity_page
from tests.report import studies
from tests.report.browsing import NEEDS_CHROMIUM, OUTPUT, Opened

pytestmark = NEEDS_CHROMIUM

# What is seen of the plots, and the room that the page has for them.
WIDTHS_OF_PLOTS = """() => {
  const main = getComputedStyle(document.querySelector("main"));
  const room = document.querySelector("main").clientWidth
    - parseFloat(main.paddingLeft) - parseFloat(main.paddingRight);
  return [...document.querySelectorAll("figure svg[role=img], figure img")]
    .filter(picture => picture.checkVisibility())
    .map(picture => [picture.getBoundingClientRect().width, room]);
}"""


@pytest.fixture
def bisect_file(tmp_path, monkeypatch):
    path = tmp_path / "bisect.html"
    bisect_page.write(path, studies.bisection(tmp_path, monkeypatch), studies.ENGINE)
    return path


@pytest.fixture
def parity_file(tmp_path):
    path = tmp_path / "parity.html"
    parity_page.write(path, studies.parity(tmp_path))
    return path


def seen(page, selector):
    return {badge.inner_text().split(" ", 1)[1] for badge in page.locator(selector).all()}


def check_looks(opened, path, plots, name):
    """Fail where a page is too wide, faint, or not alone, or a plot is not as wide as the page."""
    page = opened.page
    assert page.locator("h2.answer").count() == 1
    opened.check_width()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    opened.check_width()
    opened.check_contrast()
    widths = page.evaluate(WIDTHS_OF_PLOTS)
    assert len(widths) == plots
    for width, room in widths:
        assert width == pytest.approx(room, abs=1)
    opened.check_alone(path)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_bisect(browser, bisect_file, width, scheme):
    viewport = {"width": width, "height": 900}
    opened = Opened(browser, bisect_file, viewport=viewport, color_scheme=scheme)
    page = opened.page
    answer = page.locator("#answer").get_by_role("heading", level=2)
    assert answer.all_inner_texts() == [
        "The numbers change with 5 releases of jax, each with its jaxlib: "
        "0.4.1, 0.5.0, 0.5.1, 0.6.0, 0.6.3."
    ]
    changes = page.locator("table.opens > tbody")
    assert changes.count() == len(studies.CHANGED)
    for label, change in zip(studies.CHANGED, changes.all(), strict=True):
        row = change.get_by_role("row").first
        assert row.get_by_role("rowheader").inner_text().startswith(label)
        assert "drift" in row.get_by_role("cell").first.inner_text()
        evidence = change.get_by_role("table", name=f"Every array of {label} against")
        assert not evidence.is_visible()
        change.locator("summary").focus()
        page.keyboard.press("Enter")
        assert evidence.is_visible()
        assert evidence.get_by_role("rowheader", name="costs/train").is_visible()
        assert f"jax=={label}" in change.get_by_role("region", name="Commands for").inner_text()
        page.keyboard.press("Enter")
        assert not evidence.is_visible()
    assert seen(page, "#tried .badge") == {"identical", "drift", "skipped"}
    check_looks(opened, bisect_file, 1, f"bisect-{width}-{scheme}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1600])
def test_parity(browser, parity_file, width, scheme):
    viewport = {"width": width, "height": 900}
    opened = Opened(browser, parity_file, viewport=viewport, color_scheme=scheme)
    page = opened.page
    answer = page.locator("#answer").get_by_role("heading", level=2)
    assert answer.all_inner_texts() == [
        "torch parts from jax; theano tells nothing; tensorflow computes what jax does."
    ]
    assert seen(page, ".matrix .badge") == {"parts", "agrees", "failed"}
    layers = page.locator("table.opens > tbody")
    assert layers.count() == 2
    for layer, what in zip(layers.all(), ("Minimal script of", "Configuration of"), strict=True):
        evidence = layer.get_by_role("region", name=what)
        assert not evidence.is_visible()
        layer.locator("summary").click()
        assert evidence.is_visible()
    assert seen(page, "#against-torch .badge") == {"parts", "agrees", "not compared"}
    check_looks(opened, parity_file, 2, f"parity-{width}-{scheme}")


def test_a_single_change_is_open(browser, tmp_path, monkeypatch):
    path = tmp_path / "bisect.html"
    bisect_page.write(path, studies.bisection(tmp_path, monkeypatch, ("0.5.2",)), studies.ENGINE)
    page = Opened(browser, path).page
    assert page.get_by_role("table", name="Every array of 0.5.2 against").is_visible()


def test_paper_gets_the_wide_plot(browser, bisect_file):
    page = Opened(browser, bisect_file, viewport={"width": 360, "height": 800}).page
    assert page.locator(".phone svg, .phone img").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".screen svg, .screen img").is_visible()
    assert not page.locator(".phone svg, .phone img").is_visible()
