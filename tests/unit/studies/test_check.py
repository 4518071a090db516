"""What check says besides the verdicts: a hint that may be wrong is worse than none."""

from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from keras_repro import backends
from keras_repro.project.workload import builtin
from keras_repro.report.terminal import print_checked
from keras_repro.studies.accept import accept, propose
from keras_repro.studies.check import Place, check
from tests.unit.made import ARRAYS, changed, make_run

[JAX] = backends.select(("jax",))
CLOSE = changed("weights/0.dense.kernel", 1 + 1e-6)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(builtin("regression", ""), tmp_path / "artifacts", tmp_path / "baselines")


def train(place: Place, arrays, **facts) -> None:
    make_run(place.run(JAX), arrays, **facts)


def accepted(place: Place, arrays=ARRAYS, **facts) -> None:
    train(place, arrays, **facts)
    accept(place, propose(place, JAX), "because")


def test_numbers_that_differ_though_nothing_recorded_does_may_be_unseeded(place):
    accepted(place)
    train(place, CLOSE)
    [result] = check(place, [JAX])
    assert result.causes == []
    assert "is something in the script not seeded?" in result.note


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "TF_ENABLE_ONEDNN_OPTS"),
        ({"TF_ENABLE_ONEDNN_OPTS": "1", "OPENBLAS_CORETYPE": "HASWELL"}, "OPENBLAS_CORETYPE"),
    ],
)
def test_a_variable_that_changed_is_the_cause_and_no_seed_is_asked_for(place, variables, named):
    accepted(place, environment={"TF_ENABLE_ONEDNN_OPTS": "1"})
    train(place, CLOSE, environment=variables)
    [result] = check(place, [JAX])
    assert result.causes[0].fact == named
    assert result.note == ""


def test_a_nan_in_an_own_array_is_no_diverged_training(place):
    arrays = {**ARRAYS, "my/costs/train": np.array([1, np.nan], np.float32)}
    accepted(place, arrays)
    [result] = check(place, [JAX])
    assert result.exit_code == 0


def test_what_could_not_be_recorded_is_said_where_all_passes(place):
    accepted(place)
    train(place, ARRAYS, not_recorded={"metrics/train.odd": "it holds no numbers"})
    text = StringIO()
    print_checked(Console(file=text, width=100), check(place, [JAX]))
    assert "jax: metrics/train.odd was not recorded: it holds no numbers" in text.getvalue()
