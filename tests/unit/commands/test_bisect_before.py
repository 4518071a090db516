"""The spelling that bisect had before, in the new one."""

import shlex

import pytest

from keras_repro.commands.bisect import bisect
from keras_repro.commands.bisect_before import in_new_spelling, is_old_spelling

PARAMETERS = [one for command in bisect.commands.values() for one in command.params]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "jax my.py --package keras --good 3.10.0",
            "release my.py --backend jax --package keras --good 3.10.0",
        ),
        ("--package jax jax", "release --backend jax --package jax"),
        (
            "jax --package keras --all --pre --jobs 2 -o page.html",
            "release --backend jax --package keras --all --pre --jobs 2 --output page.html",
        ),
        (
            "torch my.py --package=keras --good=1 --bad=2 --only 'weights/*' --only costs/train",
            "release my.py --backend torch --package keras --good 1 --bad 2 --only 'weights/*' "
            "--only costs/train",
        ),
        (
            "jax my.py --package keras --good 1 -- --rate 0.1",
            "release my.py --backend jax --package keras --good 1 -- --rate 0.1",
        ),
        (
            "jax -m pkg.train --package keras --good 1 0.1 0.2",
            "release --backend jax --package keras --good 1 --module pkg.train -- 0.1 0.2",
        ),
        (
            "jax --since 2026-01-01 --until 2026-02-01 --tolerance identical --python 3.12",
            "day --backend jax --since 2026-01-01 --until 2026-02-01 --tolerance identical "
            "--python 3.12",
        ),
        ("jax my.py --script-change v1..main", "commit my.py --backend jax --good v1 --bad main"),
        ("jax my.py --script-change v1..v1.1", "commit my.py --backend jax --good v1 --bad v1.1"),
        (
            "jax my.py --package keras --artifacts there --baselines here",
            "release my.py --backend jax --package keras --baselines here",
        ),
        (
            "jax my.py --package keras --seed 1 --env A=1 --env B=2 --engine local",
            "release my.py --backend jax --package keras --seed 1 --env A=1 --env B=2 "
            "--engine local",
        ),
        ("--prune", "prune"),
        ("--prune --engine docker", "prune --engine=docker"),
    ],
)
def test_the_old_spelling_in_the_new_one(old, new):
    given = shlex.split(old)
    assert is_old_spelling(given, bisect.commands)
    found, _, said = in_new_spelling(given, PARAMETERS)
    assert _as_set(found) == _as_set(shlex.split(new))
    assert said.startswith("keras-repro prune" if "prune" in old else "keras-repro bisect ")
    assert shlex.split(said)[-len(found) :] == found
    assert not is_old_spelling(found, [*bisect.commands, "prune"])


def _as_set(arguments):
    """The arguments, options in any order: what stands before and after "--" is another thing."""
    own, dashes, rest = shlex.join(arguments).partition(" -- ")
    search, *others = own.split(" -")
    return search, sorted(others), dashes, rest


@pytest.mark.parametrize(
    "new",
    [
        "release my.py --backend jax --package keras",
        "relese --backend=jax",
        "day --help",
        "--help",
        "commit",
    ],
)
def test_what_is_new_is_left_alone(new):
    assert not is_old_spelling(shlex.split(new), bisect.commands)
