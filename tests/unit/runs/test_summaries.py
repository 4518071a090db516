"""Runs and baselines with arrays that are too large to be kept, through the commands."""

import json

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.recorder.arrays import Limits
from tests.unit.made import ARRAYS, change_facts, make_run

ACCEPT = ("accept", "--backend", "jax", "--yes", "--reason", "a good reason")
CHECK = ("check", "--backend", "jax")
VERIFY = ("verify", "--backend", "jax")
NAME, OTHER = "weights/0.dense.kernel", "predictions/0"
LIMITS, NONE = Limits(30_000, 1 << 40), None
LARGE = np.random.default_rng(0).normal(size=(100, 100)).astype(np.float32)
SAYS = "4,096 of 10,000 values"


def arrays(factor=1.0, place=None, **more):
    """Return a run's arrays, of which one is too large; it is another at a place, or everywhere."""
    large = LARGE.copy()
    large.reshape(-1)[slice(None) if place is None else place] *= np.float32(factor)
    return {**ARRAYS, NAME: large, **more}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "artifacts" / "regression" / "jax"


@pytest.fixture
def baseline(folder, keras_repro, tmp_path):
    make_run(folder, arrays(), limits=LIMITS)
    done = keras_repro(*ACCEPT)
    assert done.returncode == 0, done.stderr
    assert "1 array is kept as digest, figures and a sample: samples.npz adds" in done.stdout
    return tmp_path / "baselines" / "regression" / "jax"


@pytest.mark.parametrize("limits", [LIMITS, NONE])
def test_the_same_bits_are_identical_whatever_the_limit(baseline, folder, keras_repro, limits):
    make_run(folder, arrays(), limits=limits)
    done = keras_repro(*CHECK, "--exact")
    assert done.returncode == 0, done.stdout
    assert "4 identical" in done.stdout
    assert "sample" not in done.stdout


@pytest.mark.parametrize("limits", [LIMITS, NONE])
def test_what_is_judged_on_a_sample_is_said_everywhere(
    baseline, folder, keras_repro, limits, tmp_path
):
    make_run(folder, arrays(1 + 1e-6), limits=limits)
    done = keras_repro(*CHECK)
    assert done.returncode == 0
    assert f"judged on a sample: {NAME} ({SAYS})" in done.stdout
    assert f"judged on a sample: {NAME}" in keras_repro(*CHECK, "-v").stdout
    assert SAYS in keras_repro(*CHECK, "--format", "markdown").stdout
    document = json.loads(keras_repro(*CHECK, "--format", "json").stdout)
    [one] = [each for each in document["backends"][0]["arrays"] if each["name"] == NAME]
    assert (one["verdict"], one["first"]) == ("close", None)
    assert one["note"] == "judged on a sample of 4,096 of 10,000 values"
    page = tmp_path / "page.html"
    assert keras_repro("report", "--backend", "jax", "--output", str(page)).returncode == 0
    assert f"judged on a sample: {NAME} ({SAYS})" in page.read_text()
    assert "mean -0.0" in page.read_text() or "mean 0.0" in page.read_text()


@pytest.mark.parametrize("place", [0, 1])  # in the sample, and not
def test_a_drift_is_found(baseline, folder, keras_repro, place):
    make_run(folder, arrays(1e4, place), limits=LIMITS)
    done = keras_repro(*CHECK)
    assert done.returncode == 1
    assert SAYS in done.stdout


def test_a_baseline_without_large_arrays_is_as_it_was(folder, keras_repro, tmp_path):
    make_run(folder)
    assert keras_repro(*ACCEPT).returncode == 0
    kept = tmp_path / "baselines" / "regression" / "jax"
    document = json.loads((kept / "baseline.json").read_text())
    assert document["schema_version"] == contract.SCHEMA_VERSION == 1
    assert not {"summaries", "samples_sha256"} & set(document)
    assert "summaries_sha256" not in document["history"][-1]
    assert not (kept / contract.SAMPLES).exists()


def test_an_older_version_refuses_it(baseline):
    document = json.loads((baseline / "baseline.json").read_text())
    assert document["schema_version"] == contract.SUMMARIES_SCHEMA > contract.SCHEMA_VERSION


def test_verify_sees_what_was_edited(baseline, keras_repro):
    assert keras_repro(*VERIFY).returncode == 0
    path = baseline / "baseline.json"
    document, text = json.loads(path.read_text()), path.read_text()
    document["summaries"][NAME]["sha256"] = "0" * 64
    path.write_text(json.dumps(document))
    done = keras_repro(*VERIFY)
    assert (done.returncode, "other summaries" in done.stdout) == (6, True)
    path.write_text(text)
    samples = baseline / contract.SAMPLES
    content = bytearray(samples.read_bytes())
    content[2000] ^= 1
    samples.write_bytes(content)
    for command in (VERIFY, CHECK):
        done = keras_repro(*command)
        assert done.returncode == 6
        assert "samples.npz" in done.stdout + done.stderr
    samples.unlink()
    assert keras_repro(*CHECK).returncode == 6


def test_only_some_arrays_are_accepted(baseline, folder, keras_repro):
    changed = arrays(2, **{OTHER: np.arange(9_000, dtype=np.float32)})
    make_run(folder, changed, limits=LIMITS)
    done = keras_repro(*ACCEPT, "--only", NAME, "--only", OTHER)
    assert done.returncode == 0, done.stderr
    document = json.loads((baseline / "baseline.json").read_text())
    assert sorted(document["summaries"]) == sorted([NAME, OTHER])
    assert OTHER not in document["arrays"]
    assert keras_repro(*VERIFY).returncode == 0
    make_run(folder, {**changed, "costs/train": ARRAYS["costs/train"] * 2})
    assert keras_repro(*ACCEPT, "--only", "costs/train").returncode == 0
    assert keras_repro(*VERIFY).returncode == 0
    assert keras_repro(*CHECK, "--exact").returncode == 0  # whole, against the older summaries
    assert keras_repro(*ACCEPT, "--only", "*").returncode == 0
    document = json.loads((baseline / "baseline.json").read_text())
    assert (document["schema_version"], "summaries" in document) == (1, False)
    assert not (baseline / contract.SAMPLES).exists()
    assert keras_repro(*VERIFY).returncode == 0


def test_an_edited_sample_is_not_accepted(baseline, folder, keras_repro):
    make_run(folder, arrays(2), limits=LIMITS)
    np.savez(folder / contract.SAMPLES, **{NAME: np.zeros(4096, np.float32)})
    before = (baseline / "baseline.json").read_bytes()
    done = keras_repro(*ACCEPT)
    assert (done.returncode, "is not what the run wrote" in done.stderr) == (6, True)
    assert (baseline / "baseline.json").read_bytes() == before
    assert "samples.npz of jax" in keras_repro(*CHECK).stdout


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [100, 101] * 20},
        {"shape": [1] * 65},
        {"shape": [1 << 62, 100]},
        {"shape": [2]},
        {"dtype": "float64"},
        {"dtype": "\x1b[31m"},
        {"nonfinite": -1},
        {"mean": "nan"},
        {"mean": 10**400},
        {"norm": -1e308},
        {"minimum": 1e308, "maximum": -1e308},
        {"sha256": "\x1b[31m"},
    ],
)
def test_whatever_stands_in_it_ends_in_one_line(folder, baseline, keras_repro, change):
    make_run(folder, arrays(1 + 1e-6), limits=LIMITS)
    facts = json.loads((folder / contract.FACTS).read_text())
    facts["summaries"][NAME].update(change)
    change_facts(folder, summaries=facts["summaries"])
    for form in ("text", "json", "markdown"):
        done = keras_repro(*CHECK, "--format", form)
        assert done.returncode in (0, 1, 6), done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        assert "\x1b" not in done.stdout + done.stderr


def test_a_sample_that_is_not_there(folder, baseline, keras_repro):
    make_run(folder, arrays(), limits=LIMITS)
    np.savez(folder / contract.SAMPLES, another=np.zeros(4096, np.float32))
    done = keras_repro(*CHECK)
    assert (done.returncode, "samples.npz is damaged" in done.stdout + done.stderr) == (6, True)
    (folder / contract.SAMPLES).unlink()
    (folder / contract.SAMPLES).symlink_to("/dev/zero")
    assert keras_repro(*CHECK).returncode == 6
