"""Real ranges, of which every release was run one after the other: tests/known/establish.py.

Keras, TensorFlow and NumPy on four backends. The search is given what each release told, as it
asks, and has to find what reading all of them finds.
"""

import json
import math
from pathlib import Path

import pytest

from keras_repro.studies.bisect.strategy import Bracket, bracket, kinds_of, next_points

FOLDER = Path(__file__).parents[3] / "known"
RANGES = sorted(FOLDER.glob("*.json"))
# (file, tolerance): {kind: the first release with other numbers}; what is not named never changes.
ANSWERS = {
    ("jax-keras-3.6.0-3.15.1", "baseline"): {"costs": "3.15.0"},
    ("torch-keras-3.6.0-3.15.1", "identical"): {"costs": "3.14.0"},
    ("tensorflow-keras-3.6.0-3.15.1", "baseline"): {"costs": "3.15.0"},
    ("tensorflow-keras-3.6.0-3.15.1", "identical"): dict.fromkeys(
        ("costs", "predictions", "weights"), "3.7.0"
    ),
    ("tensorflow-tensorflow-cpu-2.16.1-2.21.0-classifier", "baseline"): dict.fromkeys(
        ("costs", "predictions", "weights"), "2.21.0"
    ),
    ("tensorflow-tensorflow-cpu-2.16.1-2.21.0-convnet", "identical"): dict.fromkeys(
        ("costs", "predictions", "weights"), "2.17.0"
    ),
    ("theano-numpy-1.17.3-1.24.4-angles", "identical"): dict.fromkeys(
        ("costs", "predictions", "weights"), "1.19.0"
    ),
    ("jax-numpy-2.0.0-2.4.6", "identical"): {},
}


def known(path, tolerance):
    """Return the releases from the first to the last that has numbers, and what each told."""
    releases = json.loads(path.read_text())["releases"]
    told = [version for version, one in releases.items() if "problem" not in one]
    names = list(releases)
    names = names[names.index(told[0]) : names.index(told[-1]) + 1]
    return names, [releases[name].get(tolerance) for name in names]


@pytest.mark.parametrize("tolerance", ["identical", "baseline"])
@pytest.mark.parametrize("path", RANGES, ids=lambda path: path.stem)
def test_the_search_finds_what_trying_all_finds(path, tolerance):
    names, all_told = known(path, tolerance)
    outcomes = {}
    while points := next_points(len(names), outcomes):
        outcomes.update({at: all_told[at] for at in points})
    changed = {}
    for kind in kinds_of(outcomes):
        # Told one after the other: the first that differs, and the last before it that has numbers.
        first = next((at for at, one in enumerate(all_told) if one and one[kind]), None)
        if first is None:
            assert bracket(outcomes, kind) is None
            continue
        before = max(at for at in range(first) if all_told[at] is not None)
        skipped = tuple(range(before + 1, first))
        assert bracket(outcomes, kind) == Bracket(before, first, skipped)
        changed[kind] = names[first]
    skipped = sum(told is None for told in outcomes.values())
    assert len(outcomes) - skipped <= math.ceil(math.log2(len(names))) + 2
    assert changed == ANSWERS.get((path.stem, tolerance), changed)


def test_every_answer_has_its_data():
    assert {name for name, _ in ANSWERS} <= {path.stem for path in RANGES}
    packages = {json.loads(path.read_text())["package"] for path in RANGES}
    assert packages == {"keras", "tensorflow-cpu", "numpy"}
