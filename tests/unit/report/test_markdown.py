"""The matrix as Markdown: small, and nothing of a run means anything in it."""

import numpy as np
import pytest

from keras_repro.report.markdown import MOST_BYTES, escaped
from tests.unit.made import ARRAYS, changed, make_run


@pytest.fixture
def accepted(tmp_path, keras_repro):
    run = tmp_path / "artifacts" / "regression" / "jax"
    make_run(run)
    assert keras_repro("accept", "--backend", "jax", "--reason", "x", "--yes").returncode == 0
    return run


def test_a_passing_matrix_is_a_sentence_and_a_table(accepted, keras_repro):
    done = keras_repro("check", "--backend", "jax", "--format", "markdown")
    assert done.returncode == 0
    assert done.stdout == (
        "## keras-repro: regression\n\n"
        "**jax gives the numbers of its baseline to the bit.**\n\n"
        "| backend | costs | weights | predictions |\n|---|---|---|---|\n"
        "| **jax** | ✅ identical | ✅ identical | ✅ identical |\n"
    )


def test_a_drift_comes_with_its_figures_and_cause(accepted, keras_repro):
    make_run(accepted, changed("weights/0.dense.kernel", 1.001), seed=7)
    done = keras_repro("check", "--backend", "jax", "--backend", "torch", "--format", "markdown")
    assert done.returncode == 3
    assert (
        "**One of 2 backends differs from its baseline: jax (drift); there is no run of torch.**"
        in done.stdout
    )
    assert "| **jax** | ✅ identical | ❌ drift | ✅ identical |" in done.stdout
    assert "| **torch** | ❌ no run | ❌ no run | ❌ no run |" in done.stdout
    row = next(line for line in done.stdout.splitlines() if "| weights/0.dense.kernel" in line)
    assert "| 5.0e-04 | 1.0e-03 | 8,389 | [0, 0] | [0, 0] | 0.500500023 | 0.5 |" in row
    assert "Likely cause: seed 1337 -&#62; 7" in done.stdout


def test_it_stays_small_and_means_nothing_whatever_the_run(accepted, keras_repro):
    hostile = "|`<img src=x onerror=alert(1)>`@everyone [a](https&://b) *" + "𝕏" * 100
    arrays = {f"weights/{hostile}{n}": np.full(3, n, np.float32) for n in range(300)}
    make_run(accepted, {**ARRAYS, **arrays}, reason=hostile, packages={hostile: "1" * 10_000})
    done = keras_repro("check", "--backend", "jax", "--format", "markdown")
    assert done.returncode == 1
    assert len(done.stdout.encode()) < MOST_BYTES
    for word in ("<img", "@everyone", "](http", "`"):
        assert word not in done.stdout
    rows = [line for line in done.stdout.splitlines() if line.startswith("| weights/")]
    assert {row.count(" | ") for row in rows} == {9}
    make_run(accepted.with_name("b"), {**ARRAYS, **arrays})
    done = keras_repro("compare", accepted, accepted.with_name("b"), "--format", "markdown")
    assert len(done.stdout.encode()) < MOST_BYTES


def test_escaping_leaves_nothing_that_markdown_reads():
    assert escaped("a|b\nc") == "a&#124;b c"
    assert escaped("www.example.org") == "www&#46;example.org"
    assert escaped("\x1b[31m") == "\\x1b&#91;31m".replace("\\", "&#92;")
