"""What is said of two numeric classes, and what follows from one that is the same."""

import json

import pytest

from keras_repro.errors import UnreadableError
from keras_repro.runs.causes import likely_causes, rounding_causes
from keras_repro.runs.classes import differing_kernels, same_class
from keras_repro.runs.run import Origin, read_run
from tests.unit.made import make_run
from tests.unit.runs.test_causes import FACTS

KERNELS = {"exp": "e" * 16, "conv2d": "c" * 16, "matmul": "a" * 16}
WIDE, NARROW = ["avx", "avx2", "avx512f"], ["avx", "avx2"]


def a_class(digest="1", sets=(), version=1, **kernels):
    return {
        "version": version,
        "digest": digest and digest * 64,
        "kernels": {**KERNELS, **kernels},
        "processor": {"vendor": "GenuineIntel", "family": 6, "instruction_sets": [*sets]},
    }


def origins(before, after, **changed):
    expected = Origin.model_validate({**FACTS, "numeric_class": before})
    return Origin.model_validate({**FACTS, "numeric_class": after, **changed}), expected


def test_another_class_is_named_first_with_its_kernels_and_why():
    after = a_class("2", NARROW, exp="0" * 16, matmul="0" * 16)
    obtained, expected = origins(a_class("1", WIDE), after, script_sha256="e" * 64)
    first, second = likely_causes(obtained, expected)
    assert str(first) == "another numeric class: matmul, exp (AVX-512 there, AVX2 here)"
    assert first.before == "111111111111 (AVX-512)"
    assert first.after == "222222222222 (AVX2); differing: matmul, exp"
    assert second.fact == "script"
    assert [cause.fact for cause in rounding_causes(obtained, expected)] == ["numeric class"]


def test_where_the_processors_are_the_same_none_is_said():
    obtained, expected = origins(a_class("1", WIDE), a_class("2", WIDE, exp="0" * 16))
    assert [str(cause) for cause in likely_causes(obtained, expected)] == [
        "another numeric class: exp"
    ]


def test_many_kernels_are_counted():
    names = {f"kernel{number}": "0" * 16 for number in range(9)}
    other = dict.fromkeys(names, "1" * 16)
    obtained, expected = origins(a_class("1", **names), a_class("2", **other))
    [cause] = likely_causes(obtained, expected)
    assert str(cause).endswith("kernel3, kernel4 and 4 more")
    assert cause.after.endswith("kernel7, kernel8")


ANOTHER = {"model": "another", "instruction_sets": ["avx"], "cores": 8}


def test_a_processor_of_the_same_class_rounds_nothing_otherwise_and_comes_last():
    obtained, expected = origins(a_class(), a_class(), cpu=ANOTHER, engine="local")
    assert same_class(obtained, expected)
    assert [cause.fact for cause in rounding_causes(obtained, expected)] == ["engine"]
    facts = [cause.fact for cause in likely_causes(obtained, expected)]
    assert facts == ["engine", "processor", "instruction sets", "cores"]


UNKNOWN = {"digest": None, "problem": "it took longer than 60 s"}


@pytest.mark.parametrize(
    "after",
    [None, UNKNOWN, a_class(version=2), a_class(conv2d=None)],
    ids=["older", "not known", "other kernels", "one failed"],
)
def test_a_class_that_is_not_known_says_nothing_of_the_processor(after):
    obtained, expected = origins(a_class(), after, cpu=ANOTHER)
    assert not same_class(obtained, expected)
    facts = ["processor", "instruction sets", "cores"]
    assert [cause.fact for cause in rounding_causes(obtained, expected)] == facts
    assert [cause.fact for cause in likely_causes(obtained, expected)] == facts


def test_a_kernel_that_failed_is_not_another():
    obtained, expected = origins(a_class("1"), a_class("2", conv2d=None, exp="0" * 16))
    assert differing_kernels(obtained, expected) == ["exp"]


@pytest.mark.parametrize(
    "hostile",
    [
        {"digest": "../" * 20},
        {"digest": "1" * 63 + "\n"},
        {"kernels": {"matmul": "\x1b[2J"}},
        {"kernels": {f"k{number}": None for number in range(1000)}},
        {"kernels": []},
        [],
    ],
)
def test_what_is_no_class_is_refused(tmp_path, hostile):
    folder = make_run(tmp_path / "jax", numeric_class=hostile)
    with pytest.raises(UnreadableError, match=r"run\.json is damaged: numeric_class"):
        read_run(folder)


def test_an_older_run_has_none(tmp_path):
    folder = make_run(tmp_path / "jax")
    assert "numeric_class" not in json.loads((folder / "run.json").read_text())
    assert read_run(folder).facts.numeric_class is None
