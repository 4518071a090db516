"""Hermetic runs repeat whatever the script reads around it, and keep the numbers of all others."""

import shutil
import time

import pytest

from keras_repro.recorder import contract
from tests.conftest import ROOT, Recorded, chosen_backends
from tests.recorder.test_failures import GOOD

FOLDER = ROOT / "tests" / "scripts" / "hermetic"
SOURCES = ("clocks", "entropy", "unseeded_numpy", "names", "folders", "threads")
ORDINARY = ROOT / "tests" / "scripts" / "everything.py"
HERMETIC = ("--hermetic",)
REFUSED = "Random ops require a seed to be set when determinism is enabled"
CHANGED = ("other", "somebody", "deep/other folder", "150000", "027")


def pairs():
    """Return each source of chance with a backend, in turn, and the frameworks' own with each."""
    backends = chosen_backends()
    one_each = [(name, backends[i % len(backends)]) for i, name in enumerate(SOURCES)]
    return one_each + [("frameworks", backend) for backend in backends]


@pytest.fixture
def record(scripts):
    """Record a script beside the others of its folder; return its arrays and its facts."""

    def run(backend, script, *conditions):
        shutil.copytree(script.parent, scripts.folder / "beside", dirs_exist_ok=True)
        place = scripts.folder / "beside" / script.name
        recorded = scripts.record(backend, place, options=conditions)
        if recorded.status and REFUSED in recorded.output and not conditions:
            return object(), {}  # TensorFlow 2 does not draw at all without a seed
        assert recorded.status == 0, recorded.output
        return bits(recorded), recorded.facts

    return run


def bits(recorded: Recorded):
    """Return the arrays of a run, so that equal means every bit."""
    return {
        name: (str(array.dtype), array.shape, array.tobytes())
        for name, array in recorded.arrays.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(("name", "backend"), pairs())
def test_what_does_not_repeat_does_so_hermetically(record, name, backend):
    script = FOLDER / f"{name}.py"
    assert record(backend, script)[0] != record(backend, script)[0]
    first, second = (record(backend, script, *HERMETIC) for _ in range(2))
    assert first[0] == second[0]
    assert first[1]["hermetic"] is True


@pytest.mark.slow
@pytest.mark.parametrize("backend", chosen_backends())
def test_what_repeats_keeps_every_bit(record, backend):
    assert record(backend, ORDINARY)[0] == record(backend, ORDINARY, *HERMETIC)[0]


def test_another_seed_is_another_time(record, a_backend):
    script = FOLDER / "clocks.py"
    assert (
        record(a_backend, script, *HERMETIC)[0]
        != record(a_backend, script, *HERMETIC, "--seed", "7")[0]
    )


@pytest.mark.parametrize("hermetic", [False, True])
def test_each_change_of_the_surroundings_reaches_the_script(scripts, a_backend, hermetic):
    host, user, folder, size, umask = CHANGED
    changes = {
        "host": host,
        "user": user,
        "folder": folder,
        "environment-size": size,
        "umask": umask,
        "folder-order": "reversed",
        "clock": "+400d",
    }
    started = time.time()
    if hermetic:
        begins = scripts.write(GOOD + "\nimport time\nprint('it is', time.time())\n")
        log = scripts.record(a_backend, begins, options=HERMETIC).log
        started = float(log.rpartition("it is ")[2].split()[0])
    options = [
        word for name, value in changes.items() for word in ("--surroundings", f"{name}={value}")
    ]
    shutil.copytree(FOLDER, scripts.folder / "beside")
    recorded = scripts.record(
        a_backend,
        scripts.folder / "beside" / "surroundings.py",
        *CHANGED,
        str(started),
        options=(*options, *(HERMETIC if hermetic else ())),
    )
    assert recorded.status == 0, recorded.output
    assert recorded.facts["surroundings"] == changes
    assert recorded.facts["hermetic"] is hermetic
    assert set(recorded.facts["files"]) == {"file", "kept.weights.h5"}
    assert (recorded.out / contract.ARRAYS).is_file()
