"""What is said of a script that does not repeat."""

import dataclasses
import io

import pytest
from rich.console import Console

from keras_repro.report.train import print_trained
from keras_repro.studies.train.nondeterminism import CLOCK, NUMBER, Suspect
from tests.unit.made import changed
from tests.unit.studies.train.test_train import MadeUpEngine, good, plan, train


@pytest.fixture
def said(tmp_path):
    def call(suspect, hermetic):
        kernels = iter((1, 1.001))

        def script(engine, job):
            arrays = changed("weights/0.dense.kernel", next(kernels))
            return good(engine, job, arrays)

        asked = plan(tmp_path, "jax", repeat=2, hermetic=hermetic)
        [trained] = train(asked, MadeUpEngine(jax=script))
        console = Console(file=io.StringIO(), width=100)
        print_trained(console, [dataclasses.replace(trained, suspects=[suspect])])
        return " ".join(console.file.getvalue().split())

    return call


@pytest.mark.parametrize(
    ("suspect", "hermetic", "expected"),
    [
        (Suspect("train.py:3", "time.time()", CLOCK), False, True),
        (Suspect("train.py:3", "time.time()", CLOCK), True, False),
        (Suspect("train.py:3", "id()", NUMBER), False, False),
    ],
)
def test_hermetic_is_named_where_it_holds_what_is_suspected(said, suspect, hermetic, expected):
    text = said(suspect, hermetic)
    assert str(suspect) in text
    assert ("--hermetic makes clock, entropy, process id" in text) is expected
