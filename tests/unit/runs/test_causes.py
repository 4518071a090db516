"""Likely causes: what differs between two runs' facts, in the order of suspicion."""

import pytest

from keras_repro.runs.causes import likely_causes, rounding_causes
from keras_repro.runs.run import Origin

FACTS = {
    "script": "train.py",
    "script_args": [],
    "script_sha256": "a" * 64,
    "recorder_sha256": "b" * 64,
    "seed": 1337,
    "threads": 1,
    "backend": "jax",
    "engine": "docker",
    "image": "sha256:" + "c" * 64,
    "base_image": "sha256:" + "d" * 64,
    "base_digest": "sha256:" + "e" * 64,
    "debian_packages": {"g++-12": "12.2.0-14", "libc6": "2.36-9", "tzdata": "2024a"},
    "requirements_sha256": "d" * 64,
    "python": "3.11.7",
    "os": "Debian 12",
    "libc": "glibc 2.36",
    "machine": "x86_64",
    "cpu": {"model": "a processor", "instruction_sets": ["avx", "avx2"], "cores": 2},
    "packages": {"absl-py": "2", "keras": "3.15.1", "numpy": "2.4.6", "jax": "0.10.2"},
    "environment": {"PYTHONHASHSEED": "1337", "TF_DETERMINISTIC_OPS": "1"},
    "determinism": {"jax.enable_x64": False},
}


def causes(**changed):
    before, after = (Origin.model_validate({**FACTS, **facts}) for facts in ({}, changed))
    return [str(cause) for cause in likely_causes(after, before)]


def packages(**changed):
    return {**FACTS["packages"], **changed}


def debian(**changed):
    return {**FACTS["debian_packages"], **changed}


def test_nothing_differs():
    assert causes() == []


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        ({"script_sha256": "e" * 64}, "script aaaaaaaaaaaa -> eeeeeeeeeeee"),
        ({"script_args": ["--lr", "1"]}, "script arguments none -> --lr 1"),
        ({"seed": 7}, "seed 1337 -> 7"),
        ({"packages": packages(numpy="2.4.5")}, "numpy 2.4.6 -> 2.4.5"),
        ({"packages": packages(h5py="3.1")}, "h5py absent -> 3.1"),
        ({"requirements_sha256": "f" * 64}, "lock dddddddddddd -> ffffffffffff"),
        ({"image": "sha256:" + "9" * 64}, "image cccccccccccc -> 999999999999"),
        ({"base_image": "sha256:" + "9" * 64}, "base image dddddddddddd -> 999999999999"),
        ({"debian_packages": debian(libc6="2.36-10")}, "Debian's libc6 2.36-9 -> 2.36-10"),
        ({"debian_packages": debian(tzdata="2025b")}, "Debian's tzdata 2024a -> 2025b"),
        ({"debian_packages": debian(make="4.3")}, "Debian's make absent -> 4.3"),
        ({"python": "3.11.8"}, "python 3.11.7 -> 3.11.8"),
        ({"cpu": {**FACTS["cpu"], "model": "another"}}, "processor a processor -> another"),
        (
            {"cpu": {**FACTS["cpu"], "instruction_sets": ["avx", "avx512f"]}},
            "instruction sets with avx2, without avx512f -> without avx2, with avx512f",
        ),
        ({"threads": 4}, "threads 1 -> 4"),
        ({"determinism": {"jax.enable_x64": True}}, "jax.enable_x64 False -> True"),
        ({"determinism": {}}, "jax.enable_x64 False -> not set"),
        (
            {"environment": {"PYTHONHASHSEED": "1337"}},
            "TF_DETERMINISTIC_OPS 1 -> not set",
        ),
        ({"engine": "local"}, "engine docker -> local"),
        ({"recorder_sha256": "0" * 64}, "recorder bbbbbbbbbbbb -> 000000000000"),
        ({"backend": "torch"}, "backend jax -> torch"),
    ],
)
def test_each_fact_is_named(changed, first):
    assert causes(**changed) == [first]


def test_the_order_is_that_of_suspicion():
    found = causes(
        script_sha256="e" * 64,
        seed=7,
        packages=packages(numpy="2.4.5", **{"absl-py": "3"}),
        requirements_sha256="f" * 64,
        image="sha256:" + "9" * 64,
        python="3.12.0",
        cpu={"model": "another", "instruction_sets": [], "cores": 4},
        threads=2,
        determinism={},
        engine="local",
    )
    names = [cause.split(" ")[0] for cause in found]
    order = "script seed numpy absl-py image python processor instruction threads cores"
    assert names == [*order.split(), "jax.enable_x64", "engine"]


def test_the_name_of_the_compiled_cache_is_no_cause():
    for flags in ("compiledir=/a,device=cpu", "device=cpu,compiledir=/b", "device=cpu"):
        environment = {**FACTS["environment"], "THEANO_FLAGS": flags}
        before = {**FACTS, "environment": {**environment, "THEANO_FLAGS": "device=cpu"}}
        after = {**FACTS, "environment": environment}
        assert likely_causes(*map(Origin.model_validate, (after, before))) == []


def test_what_an_older_baseline_does_not_tell_is_no_cause():
    assert causes(recorder_sha256=None, libc="", python="") == []
    assert causes(base_image=None, base_digest=None, debian_packages={}) == []


@pytest.mark.parametrize("lacks", ["before", "after"])
def test_a_run_that_does_not_tell_the_image_it_was_made_in_has_no_other(lacks):
    """Neither one of before keras-repro recorded it, nor one without Docker."""
    new = ("base_image", "base_digest", "debian_packages")
    old = {name: value for name, value in FACTS.items() if name not in new}
    pair = (old, FACTS) if lacks == "before" else (FACTS, old)
    assert likely_causes(*map(Origin.model_validate, pair)) == []


def test_debians_compiler_is_suspected_before_the_image_and_the_rest_at_the_end():
    changed = debian(tzdata="2025b", libc6="2.36-10", **{"g++-12": "12.3"})
    found = causes(
        packages=packages(numpy="2.4.5"),
        debian_packages=changed,
        image="sha256:" + "9" * 64,
        base_image="sha256:" + "8" * 64,
        python="3.12.0",
        engine="local",
    )
    names = [cause.partition(" ")[0].replace("Debian's", "") for cause in found]
    assert names == ["numpy", "", "", "image", "base", "python", "engine", ""]
    assert [cause.split(" ")[1] for cause in found if cause.startswith("Debian's")] == [
        "g++-12",
        "libc6",
        "tzdata",
    ]


def test_an_image_whose_parts_are_known_rounds_nothing_otherwise():
    def rounding(**changed):
        before, after = (Origin.model_validate({**FACTS, **facts}) for facts in ({}, changed))
        return [cause.fact for cause in rounding_causes(after, before)]

    image = "sha256:" + "9" * 64
    assert causes(image=image) != []
    assert rounding(image=image) == []
    assert rounding(image=image, debian_packages=debian(libc6="2.31")) == ["Debian's libc6"]
    assert rounding(image=image, base_image=None) == ["image"]
    assert rounding(image=image, packages={}) != []


def test_without_an_image_only_what_the_script_was_given_is_compared():
    there = FACTS["debian_packages"]
    for version, expected in ((there["libc6"], []), ("2.36-10", ["Debian's libc6 2.36-9 -> "])):
        found = causes(engine="local", debian_packages={"libc6": version, "graphviz": "2.42"})
        of_debian = [cause for cause in found if cause.startswith("Debian's")]
        assert of_debian == [f"{start}2.36-10" for start in expected]


def test_other_system_packages_are_named():
    assert causes(system_packages=["graphviz"])[0] == "system packages none -> graphviz"


def test_an_emulated_processor_is_named_as_such():
    qemu = "QEMU 7.2.22"
    cpu = {**FACTS["cpu"], "model": "Intel Core Processor (Haswell)", "emulated_by": qemu}
    found = causes(cpu=cpu, processor="Haswell")
    own = FACTS["cpu"]["model"]
    assert found == [f"processor {own} -> Haswell, emulated by {qemu}"]
    before, after = (Origin.model_validate({**FACTS, **facts}) for facts in ({}, {"cpu": cpu}))
    assert [cause.fact for cause in rounding_causes(after, before)] == ["processor"]
