"""Runs have the class of their environment here, and another under other settings."""

import json
import os

import pytest

from keras_repro import backends
from keras_repro.engines import local
from keras_repro.recorder import cpuid

AVX_512 = "avx512f" in (cpuid.processor() or cpuid.without_cpuid())["instruction_sets"]
NEEDS = pytest.mark.skipif(not AVX_512, reason="needs a processor with AVX-512 to do without it")
NET = """
import numpy as np, keras
x = np.arange(256, dtype="float32").reshape(64, 4) / 256
y = np.sin(x.sum(1, keepdims=True))
layers = [keras.layers.Dense(8, activation="tanh", input_shape=(4,)), keras.layers.Dense(1)]
model = keras.models.Sequential(layers)
model.compile("adam", "mse")
model.fit(x, y, epochs=2, verbose=0)
model.predict(x)
"""


@pytest.fixture
def run(tmp_path, keras_repro, engine):
    (tmp_path / "net.py").write_text(NET)

    def train(backend, *options):
        words = ("--backend", backend, "--engine", engine, *options)
        done = keras_repro("train", "net.py", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        out = tmp_path / "artifacts" / "net" / backend
        return json.loads((out / "run.json").read_text()), done

    return train


def its_class(run, backend):
    """Return the class of a run: Theano compiles for half a minute, and a busy machine longer.

    What one try compiled, the next one finds.
    """
    for _ in range(3):
        found = run(backend)[0]["numeric_class"]
        if found["problem"] is None:
            break
    return found


def differing(one, other):
    return {name for name in one["kernels"] if one["kernels"][name] != other["kernels"][name]}


@pytest.mark.parametrize("backend", backends.load())
def test_every_run_has_the_same(run, backend):
    found, again = (its_class(run, backend) for _ in range(2))
    assert found["problem"] is None, found
    assert found["problems"] == {}
    assert found == again
    assert {"matmul", "conv2d", "lstm_step", "numpy_solve"} <= set(found["kernels"])
    assert len(found["kernels"]) == 21


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_second_process_computes_the_same_and_a_kept_one_is_not_computed(
    scripts, engine, tmp_path, backend
):
    if engine != "local":
        pytest.skip("a container's cache is closed to us")
    known = backends.load()[backend]
    classes = tmp_path / "classes"
    first, second, third = (
        scripts.record(backend, scripts.write(NET), KERAS_REPRO_CLASS_CACHE=str(place)).facts[
            "numeric_class"
        ]
        for place in (classes, classes, tmp_path / "elsewhere")
    )
    assert first == second == third
    [entry] = classes.glob("*.json")
    kept = json.loads(entry.read_text())
    assert kept["tries"] == 1
    assert kept["of"]["backend"] == known.keras_backend
    assert local.numeric_classes() != classes


OTHER = [
    ("torch", "ATEN_CPU_CAPABILITY=avx2", {"softmax"}),
    ("torch", "ATEN_CPU_CAPABILITY=default", {"softmax", "batch_normalization"}),
    ("torch", "ONEDNN_MAX_CPU_ISA=AVX2", {"conv2d"}),
    ("tensorflow", "ONEDNN_MAX_CPU_ISA=AVX2", {"matmul", "conv2d"}),
    ("jax", "XLA_FLAGS=--xla_cpu_max_isa=SSE4_2", {"matmul", "exp"}),
]


@NEEDS
@pytest.mark.parametrize(("backend", "setting", "kernels"), OTHER)
def test_with_other_instruction_sets_it_is_another(run, keras_repro, backend, setting, kernels):
    found = run(backend)[0]["numeric_class"]
    accept = ("net.py", "--backend", backend, "--reason", "here", "--yes")
    assert keras_repro("accept", *accept).returncode == 0
    other = run(backend, "--env", setting)[0]["numeric_class"]
    assert other["digest"] != found["digest"]
    assert kernels <= differing(found, other)
    done = keras_repro("check", "net.py", "--backend", backend, "--format", "json")
    document = json.loads(done.stdout)["backends"][0]
    if any(array["differing"] for array in document["arrays"]):
        assert document["causes"][0]["fact"] == "numeric class"
        assert kernels <= set(
            document["causes"][0]["after"].partition("differing: ")[2].split(", ")
        )
    # What it predicts: where no kernel differs, no array does.
    same = {name for name, digest in found["kernels"].items() if other["kernels"][name] == digest}
    assert same, "numpy has no such setting"


@NEEDS
def test_xla_computes_the_same_with_avx2_and_so_do_runs(run, keras_repro):
    """XLA prefers vectors of 256 bits wherever it may: the class knows, and predicts the bits."""
    found = run("jax")[0]["numeric_class"]
    accept = ("net.py", "--backend", "jax", "--reason", "here", "--yes")
    assert keras_repro("accept", *accept).returncode == 0
    other = run("jax", "--env", "XLA_FLAGS=--xla_cpu_max_isa=AVX2")[0]["numeric_class"]
    assert other["digest"] == found["digest"]
    assert "identical" in keras_repro("check", "net.py", "--backend", "jax").stdout


def test_a_class_that_cannot_be_computed_fails_no_run(scripts, tmp_path, a_backend):
    (tmp_path / "file").touch()
    place = os.path.join(tmp_path / "file", "classes")  # nothing can be kept there
    recorded = scripts.record(a_backend, scripts.write(NET), KERAS_REPRO_CLASS_CACHE=place)
    assert recorded.status == 0, recorded.output


def test_the_script_cannot_write_over_the_kept_ones(run, tmp_path, engine, a_backend):
    folder = local.numeric_classes() if engine == "local" else "/private/cache"
    text = f"""
import os
for name in [*(os.listdir({str(folder)!r}) if os.access({str(folder)!r}, os.R_OK) else []), "new"]:
    try:
        open(os.path.join({str(folder)!r}, name), "a").close()
    except OSError:
        continue
    raise SystemExit("it was written")
"""
    (tmp_path / "net.py").write_text(text + NET)
    run(a_backend)
