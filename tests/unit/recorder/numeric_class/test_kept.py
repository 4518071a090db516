"""The class is computed once for what it depends on, and no error of its ends a run."""

import glob
import json
import os

import pytest

from keras_repro.recorder import cpuid, seeding
from keras_repro.recorder.contract import Conditions
from keras_repro.recorder.emulated import Processor
from keras_repro.recorder.numeric_class import environment, kept
from keras_repro.recorder.numeric_class.computed import digest_of
from keras_repro.recorder.request import Request

KERNELS = {"matmul": "0" * 16}
GOOD = {
    "version": 1,
    "digest": digest_of(KERNELS),
    "kernels": KERNELS,
    "problems": {},
    "problem": None,
}
BAD = {"version": 1, "digest": None, "kernels": {}, "problems": {}, "problem": "it hung"}


class Asked:
    """Asks for a run's class, and counts how often it is computed."""

    def __init__(self):
        self.computed = self.said = 0
        self.answer = GOOD

    def compute(self, *args):
        self.computed += 1
        self.variables = args[2]
        self.more = args[5:]
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def __call__(self, keras_backend="jax", processor=None, **conditions):
        request = Request(
            script="x.py",
            module=None,
            args=[],
            out="out",
            backend="mine",
            keras_backend=keras_backend,
            conditions=Conditions(**conditions),
            parity=None,
            run_as=None,
            processor=processor,
        )
        return kept.numeric_class(request, self._say)

    def _say(self):
        self.said += 1


@pytest.fixture
def ask(monkeypatch, tmp_path):
    asked = Asked()
    monkeypatch.setattr(kept, "compute", asked.compute)
    monkeypatch.setenv("KERAS_REPRO_CLASS_CACHE", str(tmp_path / "classes"))
    for name in ("KERAS_REPRO_KEPT_CACHE", "KERAS_REPRO_IMAGE_CACHE", "OPENBLAS_CORETYPE"):
        monkeypatch.delenv(name, raising=False)
    return asked


def entries(tmp_path):
    return sorted((tmp_path / "classes").iterdir())


def test_an_emulated_processor_has_a_class_of_its_own(ask, tmp_path):
    found = {**(cpuid.processor() or cpuid.without_cpuid()), "name": "Haswell", "family": 6}
    command = ["/usr/bin/qemu-x86_64", "-cpu", "Haswell"]
    there = Processor(command, "Haswell", "QEMU 7", "Haswell", ["avx2"], found, [], [])
    own = ask()
    assert ask.more == ()
    emulated = ask(processor=there)
    assert ask.more == (kept.EMULATED_SECONDS, command)
    assert (emulated["processor"]["name"], own["processor"]["name"]) != ("", "Haswell")
    assert ask(processor=there) == emulated
    ask(processor=there._replace(qemu="QEMU 8"))
    ask(processor=there._replace(command=[*command[:2], "Haswell,rtm=off"]))
    assert ask.computed == 4
    assert len(entries(tmp_path)) == 4


def test_it_is_computed_once_and_said_then(ask, tmp_path):
    first = ask()
    assert (first["digest"], first["kernels"]) == (GOOD["digest"], KERNELS)
    assert set(first["processor"]) == set(kept.PROCESSOR)
    assert ask() == first
    assert (ask.computed, ask.said) == (1, 1)
    assert len(entries(tmp_path)) == 1


def test_what_changes_no_kernel_is_no_part_of_it(ask, monkeypatch):
    ask()
    monkeypatch.setenv("THEANO_FLAGS", "compiledir=/elsewhere")
    monkeypatch.setenv("HOME", "/elsewhere")
    ask(seed=7, environment={"MY_OPTION": "1"}, time_limit=9.0)
    assert ask.computed == 1


@pytest.mark.parametrize(
    "conditions",
    [
        {"threads": 2},
        {"keras_backend": "torch"},
        *(
            {"environment": {name: "1"}}
            for name in ("ATEN_CPU_CAPABILITY", "XLA_FLAGS", "MKL_CBWR", "NPY_DISABLE_CPU_FEATURES")
        ),
        {"environment": {"THEANO_FLAGS": "gcc.cxxflags=-O0"}},
    ],
)
def test_what_changes_kernels_is(ask, conditions):
    ask()
    ask(**conditions)
    assert ask.computed == 2


def test_so_is_the_processor_but_not_its_name(ask, monkeypatch):
    processor = {**cpuid.without_cpuid(), "leaves": {"7.0": [0, 1, 2, 3]}}
    for leaf, count in ((3, 1), (3, 1), (4, 2)):
        changed = {**processor, "leaves": {"7.0": [0, 1, 2, leaf]}}
        monkeypatch.setattr(cpuid, "processor", lambda changed=changed: changed)
        ask()
        assert ask.computed == count
    monkeypatch.setattr(cpuid, "processor", lambda: {**changed, "name": "another"})
    ask()
    assert ask.computed == 2
    monkeypatch.setattr(cpuid, "processor", lambda: {**changed, "caches": {"L2": 1}})
    ask()
    assert ask.computed == 3


def test_so_is_the_lock(ask, monkeypatch, tmp_path):
    for text in ("jax==1", "jax==2"):
        (tmp_path / "lock").write_text(text)
        monkeypatch.setenv("KERAS_REPRO_REQUIREMENTS", str(tmp_path / "lock"))
        ask()
    assert ask.computed == 2


def test_the_process_gets_no_variable_that_is_no_part_of_the_key(monkeypatch):
    monkeypatch.setenv("MY_OPTION", "1")
    given = environment.variables(1, {**os.environ, "MKL_CBWR": "COMPATIBLE", "ALSO_MINE": "2"})
    assert given["MKL_CBWR"] == "COMPATIBLE"
    assert not {"MY_OPTION", "ALSO_MINE"} & set(given)
    in_key = set(environment.identity("jax", 1, given, environment.processor())["settings"])
    assert set(given) - in_key <= set(environment.NEEDED)
    numeric = {name for name in seeding.environment(1, 1) if not name.startswith("PYTHON")}
    assert numeric <= in_key


def test_a_problem_is_tried_a_few_times_and_then_once_a_day(ask, tmp_path):
    ask.answer = BAD
    for _ in range(5):
        assert ask()["problem"] == "it hung"
    assert ask.computed == kept.MOST_TRIES
    [entry] = entries(tmp_path)
    os.utime(entry, (0, 0))
    for _ in range(3):
        ask()
    assert ask.computed == kept.MOST_TRIES + 1


def test_after_a_problem_it_may_come(ask):
    ask.answer = BAD
    ask()
    ask.answer = GOOD
    assert ask()["digest"] == ask()["digest"] == GOOD["digest"]
    assert ask.computed == 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[" * 100_000,
        "{}",
        json.dumps({"tries": 1, "class": []}),
        json.dumps({"tries": 1, "class": {**GOOD, "digest": "0" * 64}}),
        json.dumps({"tries": 1, "class": {**GOOD, "kernels": {"matmul": "\x1b[2J"}}}),
        json.dumps({"tries": 1, "class": GOOD}) + " " * (1 << 20),
    ],
)
def test_what_is_kept_and_none_of_ours_is_computed_anew(ask, tmp_path, content):
    ask()
    [entry] = entries(tmp_path)
    entry.write_text(content)
    assert ask()["digest"] == GOOD["digest"]
    assert ask.computed == 2


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_lies_in_its_place_ends_no_run(ask, tmp_path, kind):
    ask()
    [entry] = entries(tmp_path)
    entry.unlink()
    if kind == "link":
        (tmp_path / "other").write_text(json.dumps({"tries": 1, "class": GOOD}))
        entry.symlink_to(tmp_path / "other")
    elif kind == "pipe":
        os.mkfifo(entry)
    else:
        entry.mkdir()
    assert ask()["digest"] == GOOD["digest"]
    assert ask.computed == 2


def test_a_cache_that_cannot_be_written_ends_no_run(ask, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("KERAS_REPRO_CLASS_CACHE", str(tmp_path / "file" / "classes"))
    assert ask()["digest"] == GOOD["digest"]


def test_no_error_of_ours_ends_a_run(ask):
    ask.answer = OSError(12, "Cannot allocate memory")
    found = ask()
    assert found["digest"] is None
    assert "Cannot allocate memory" in found["problem"]


def test_where_nobody_keeps_it_there_is_none(ask, monkeypatch, tmp_path):
    assert ask(keras_backend=None) is None
    monkeypatch.delenv("KERAS_REPRO_CLASS_CACHE")
    assert ask() is None
    # In a container: an image with other packages, for a trial, has no folder for the kernels.
    monkeypatch.setenv("KERAS_REPRO_KEPT_CACHE", str(tmp_path / "kept"))
    monkeypatch.setenv("KERAS_REPRO_IMAGE_CACHE", str(tmp_path / "image" / "warm"))
    assert ask() is None
    (tmp_path / "image" / kept.COMPILED).mkdir(parents=True)
    assert ask()["digest"] == GOOD["digest"]
    assert list((tmp_path / "kept" / kept.FOLDER).iterdir())


def test_theanos_modules_lie_where_no_script_writes(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("THEANO_FLAGS", "compiledir=/of/the/scripts")
    ask(keras_backend="theano")
    last = ask.variables["THEANO_FLAGS"].rpartition(",")[2]
    assert last.startswith(f"compiledir={tmp_path}/classes/theano/")
    ask(keras_backend="theano", environment={"THEANO_FLAGS": "gcc.cxxflags=-O0"})
    assert ask.variables["THEANO_FLAGS"].rpartition(",")[2] == last
    ask()
    assert str(tmp_path) not in ask.variables["THEANO_FLAGS"]


def test_the_sources_of_every_kernel_are_a_part_of_the_key():
    folder = os.path.dirname(environment.__file__)
    parts = {
        name for pattern in environment.KERNELS for name in glob.glob(pattern, root_dir=folder)
    }
    apart = {"__init__.py", "__main__.py", "computed.py", "environment.py", "kept.py"}
    theano = {f"../theano_{name}.py" for name in ("blas", "cache", "compiler", "march")}
    assert parts == {*os.listdir(folder), *theano} - apart - {"__pycache__"}
