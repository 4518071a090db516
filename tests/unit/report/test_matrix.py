"""The answer in one sentence, and the cells of the matrix."""

from types import SimpleNamespace

import pytest

from keras_repro.errors import ExitCode
from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.report.matrix import cell, groups, sentence, status

SAME = {"costs/train": Verdict.IDENTICAL, "weights/0": Verdict.IDENTICAL}


def result(name, code=ExitCode.OK, verdicts=SAME, run=True, first=None):
    comparisons = [
        Comparison(array, verdict, first=(0,), first_outside=None if first is None else (first,))
        for array, verdict in (verdicts or {}).items()
    ]
    return SimpleNamespace(
        backend=SimpleNamespace(name=name),
        exit_code=code,
        comparisons=comparisons,
        run=object() if run else None,
    )


def drifting(name, first=None, verdict=Verdict.DRIFT):
    return result(name, ExitCode.DRIFT, {"costs/train": verdict}, first=first)


CLOSE = {"costs/train": Verdict.CLOSE, "weights/0": Verdict.IDENTICAL}
CASES = [
    ([result("jax")], "jax gives the numbers of its baseline to the bit."),
    (
        [result("jax"), result("torch")],
        "All 2 backends give the numbers of their baselines to the bit.",
    ),
    (
        [result("jax", verdicts=CLOSE), result("torch")],
        "All 2 backends give the numbers of their baselines within tolerance; jax is close, not "
        "identical.",
    ),
    (
        [drifting("jax", 700, Verdict.NONFINITE)],
        "jax differs from its baseline (nonfinite, outside the tolerance after step 699).",
    ),
    ([drifting("jax", 138)], "jax differs from its baseline (drift after step 137)."),
    (
        [drifting("jax", 138), drifting("torch", 138)],
        "All 2 backends differ from their baselines (drift after step 137).",
    ),
    (
        [drifting("jax", 0), drifting("torch", 8), result("theano")],
        "2 of 3 backends differ from their baselines: jax (drift at the start) and torch (drift "
        "after step 7); theano is as its baseline.",
    ),
    (
        [drifting("jax", verdict=Verdict.SHAPE), result("torch")],
        "One of 2 backends differs from its baseline: jax (shape); torch is as its baseline.",
    ),
    (
        [result("jax", ExitCode.DRIFT, CLOSE)],  # with --exact
        "jax differs from its baseline (not the same bits).",
    ),
    (
        [
            result("jax", ExitCode.RUN_FAILED, None),
            result("torch", ExitCode.MISSING, None, run=False),
            result("theano", ExitCode.MISSING, None),
            result("tensorflow", ExitCode.UNREADABLE, None),
            result("tensorflow1", ExitCode.UNREADABLE),
        ],
        "The run of jax failed; there is no run of torch; there is no baseline of theano; "
        "the run or the baseline of tensorflow is damaged; the baseline of tensorflow1 was edited.",
    ),
]


@pytest.mark.parametrize(("results", "text"), CASES)
def test_sentence(results, text):
    assert sentence(results) == text


def test_a_cell_is_the_worst_verdict_of_its_kind():
    mixed = result(
        "jax",
        ExitCode.DRIFT,
        {
            "costs/train": Verdict.CLOSE,
            "metrics/train.mae": Verdict.NONFINITE,
            "model2/weights/0": Verdict.DRIFT,
            "initial_weights/0": Verdict.IDENTICAL,
        },
    )
    columns = groups([mixed])
    assert columns == ["costs", "metrics", "weights", "predictions"]
    words = ["close", "nonfinite", "drift", "none"]
    assert [cell(mixed, group).word for group in columns] == words
    assert status(mixed).word == "nonfinite"


def test_own_arrays_metrics_and_history_have_a_column_where_there_are_any():
    plain = result("jax", ExitCode.OK, {"costs/train": Verdict.IDENTICAL})
    assert groups([plain]) == ["costs", "weights", "predictions"]
    own = result("jax", ExitCode.DRIFT, {"gradients/norm": Verdict.DRIFT})
    assert groups([plain, own]) == ["costs", "weights", "predictions", "own arrays"]
    assert cell(own, "own arrays").word == "drift"
    fitted = result("jax", ExitCode.DRIFT, {"history/0.loss": Verdict.DRIFT})
    assert groups([fitted]) == ["costs", "metrics", "weights", "predictions"]
    assert cell(fitted, "metrics").word == "drift"
