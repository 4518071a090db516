"""What to type to see a change again has every condition that made the numbers."""

from types import SimpleNamespace

import pytest

from keras_repro.recorder.contract import Conditions
from keras_repro.report.bisect.answers import reproduce
from keras_repro.studies.bisect.searchable import Unit

OPTIONS = {
    "seed": (7, "--seed 7"),
    "threads": (2, "--threads 2"),
    "processor": ("Haswell", "--processor Haswell"),
    "system_packages": (("graphviz", "g++"), "--system-package graphviz --system-package g++"),
}


def lines(**conditions):
    place = SimpleNamespace(
        argument="", of=SimpleNamespace(conditions=Conditions(**conditions), requirement_files=())
    )
    asked = SimpleNamespace(
        place=place, unit=Unit.RELEASE, backend=SimpleNamespace(name="jax"), name="numpy"
    )
    points = [SimpleNamespace(label=label, trial=None) for label in ("2.3", "2.4")]
    result = SimpleNamespace(range=asked, search=SimpleNamespace(points=points, judge=None))
    change = SimpleNamespace(bracket=SimpleNamespace(good=0, bad=1))
    return reproduce(result, change)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_condition_that_is_not_the_ordinary_one_is_an_option(name):
    value, option = OPTIONS[name]
    assert lines(**{name: value}) == [
        f'keras-repro upgrade {option} --backend jax --with "numpy=={version}"'
        for version in ("2.3", "2.4")
    ]
    assert lines()[0] == 'keras-repro upgrade --backend jax --with "numpy==2.3"'
