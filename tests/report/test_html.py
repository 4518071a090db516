"""The report without a browser: what is in the page, and what can never be."""

import os
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.unit.commands.test_bad_input import check_one_line
from tests.unit.made import ARRAYS, changed, make_run

HOSTILE = "</pre><script>alert('x')</script><img src=http://example.org/a.png onerror=alert(1)>"


@pytest.fixture
def accepted(tmp_path, keras_repro):
    run = tmp_path / "artifacts" / "regression" / "jax"
    make_run(run)
    assert keras_repro("accept", "--backend", "jax", "--reason", HOSTILE, "--yes").returncode == 0
    return run


@pytest.fixture
def report(tmp_path, keras_repro):
    def write(*options):
        done = keras_repro("report", "--backend", "jax", "-o", "out/report.html", *options)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "wrote out/report.html\n"
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["report.html"]
        return (tmp_path / "out" / "report.html").read_text()

    return write


class Tags(HTMLParser):
    """Collects what a browser would take for tags and attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


def check_safe(page):
    found = Tags(page)
    assert not found.tags & {"script", "iframe", "object", "embed", "form", "base"}
    for name, value in found.attributes:
        assert not name.startswith("on")
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("data:", "#"))
    assert ("http-equiv", "Content-Security-Policy") in found.attributes


def test_text_of_a_run_stays_text(accepted, report):
    make_run(
        accepted,
        {**changed("weights/0.dense.kernel", 2), f"weights/{HOSTILE}": np.zeros(1)},
        started=HOSTILE,
        packages={HOSTILE: HOSTILE},
        cpu={"model": HOSTILE},
    )
    page = report()
    check_safe(page)
    assert "&lt;script&gt;alert(" in page


def test_a_failed_run_shows_the_end_of_its_log(accepted, report):
    failed = make_run(accepted.with_name("jax.failed"), outcome="failed", reason=HOSTILE)
    lines = [f"line {n}" for n in range(1000)] + [
        HOSTILE,
        "\x1b[31mred\x1b[0m",
        "done 1\x082",
        "half\rcaf\xe9",
    ]
    (failed / "log.txt").write_bytes("\n".join(lines).encode("latin-1"))
    page = report()
    check_safe(page)
    assert "line 999" in page
    assert "line 1\n" not in page
    assert "\nred\n" in page
    assert "done 2" in page
    assert "done 1" not in page
    assert "\x1b" not in page
    assert "✗</span> failed" in page
    assert "The run of jax failed" in page


def test_figures_are_taken_from_the_run_and_from_nowhere_else(accepted, report, tmp_path):
    png = b"\x89PNG\r\n\x1a\n" + b"picture"
    figures = accepted / "figures"
    figures.mkdir()
    (figures / "01.png").write_bytes(png)
    (figures / "02.png").write_bytes(b"<svg onload=alert(1)>")
    (tmp_path / "secret.png").write_bytes(png + b"secret")
    (figures / "03.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(figures / "04.png")
    (figures / "05.png").write_bytes(png + bytes(2_000_000))
    page = report()
    assert page.count("that the script showed on jax") == 1
    for name in ("02.png", "03.png", "04.png", "05.png"):
        assert name in page
    assert len(page.encode()) < 3_000_000


def test_long_trainings_many_arrays_and_large_figures_stay_under_3_mb(accepted, report):
    rng = np.random.default_rng(0)
    arrays = {
        **ARRAYS,
        "costs/train": rng.random(500_000),
        "predictions/0": rng.random((30_000, 10)),
        **{f"weights/{n}.dense.kernel": rng.random((4, 4)) for n in range(3000)},
    }
    make_run(accepted, arrays, packages={f"package-{n}": "1" for n in range(2000)})
    (accepted / "figures").mkdir()
    for n in range(30):
        (accepted / "figures" / f"{n}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200_000))
    page = report()
    assert len(page.encode()) < 3_000_000
    assert "more." in page


@pytest.mark.parametrize(
    "costs",
    [
        np.array([], np.float32),
        np.array([np.nan, np.inf, 1], np.float32),
        np.array([[1, 2], [3, 4]], np.float32),
        np.array([1 + 1j]),
        np.array(["a"]),
        np.array(3.0),
        np.array([-1.0, 0.0, 1e300]),
        np.array([1e308, -1e308]),
        np.array([2**63], np.uint64),
        np.array([0.5], np.float16),
    ],
)
def test_any_costs_and_predictions_can_be_reported(accepted, report, costs):
    make_run(accepted, {**ARRAYS, "costs/train": costs, "predictions/0": costs})
    report()


def test_a_baseline_alone_and_a_run_alone(accepted, keras_repro, tmp_path):
    (tmp_path / "baselines" / "regression" / "jax").rename(
        tmp_path / "baselines" / "regression" / "torch"
    )
    both = ("--backend", "jax", "--backend", "torch")
    assert keras_repro("report", *both).returncode == 0
    page = (tmp_path / "report.html").read_text()
    assert "</span> no baseline</span>" in page
    assert "</span> no run</span>" in page
    (tmp_path / "artifacts").rename(tmp_path / "elsewhere")
    done = keras_repro("report", *both)
    check_one_line(done, 3, "nothing to report on")
    assert (tmp_path / "report.html").read_text() == page


def test_bad_input(keras_repro, accepted):
    check_one_line(keras_repro("report", "--backend", "torch"), 3, "nothing to report on")
    done = keras_repro("report", "--backend", "jax", "-o", "/proc/x/report.html")
    check_one_line(done, 7, "/proc/x/report.html")
    check_one_line(keras_repro("report", "-o", "artifacts"), 2, "artifacts")
