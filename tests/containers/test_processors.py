"""A script runs on another processor: QEMU is in an image of its own, and AVX-512 nowhere."""

import json
import re

import pytest

from keras_repro import backends
from keras_repro.engines.images import image_name
from tests.containers.test_facts import of_dpkg

pytestmark = pytest.mark.docker

# An instruction of AVX-512 ends a process whose processor has none: vpxorq zmm0, zmm0, zmm0;
# vzeroupper; ret. So what trains to its end, XLA's kernels among it, had none of them.
NET = """
import ctypes, mmap, os, signal
import numpy as np
from numpy.lib import introspect

def avx512():
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(bytes.fromhex("62f1fd48efc0 c5f877 c3"))
    ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

child = os.fork()
if child == 0:
    avx512()
    os._exit(0)
_, status = os.waitpid(child, 0)
print("avx512:", signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "runs")
chosen = introspect.opt_func_info(func_name="^exp$", signature="float32")["exp"]["ff"]
print("kernels:", chosen["current"], "of", chosen["available"], flush=True)

import keras
x = np.linspace(-1, 1, 64, dtype="float32").reshape(-1, 4)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(x, np.exp(x[:, :1]), batch_size=4, verbose=0)
"""
HASWELL = ("--processor", "Haswell")


@pytest.fixture
def train(keras_repro, tmp_path):
    """Train a net; return the command's end, and the folder of the run."""
    (tmp_path / "net.py").write_text(NET)

    def run(backend, folder, *options):
        known = ("--backend", backend, "--engine", "docker", "--artifacts", folder)
        return keras_repro("train", "net.py", *known, *options), tmp_path / folder / "net" / backend

    return run


@pytest.mark.parametrize("backend", ["jax"])
def test_what_the_emulated_processor_has_is_told_and_used(backend, train, keras_repro):
    done, native = train(backend, "native")
    assert done.returncode == 0, done.stderr
    done, out = train(backend, "there", *HASWELL)
    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads((out / "run.json").read_text())
    cpu = facts["cpu"]
    assert facts["processor"] == "Haswell"
    assert cpu["model"] == "Intel Core Processor (Haswell)"
    assert cpu["instruction_sets"] == ["avx", "avx2", "f16c", "fma", "sse4_1", "sse4_2", "ssse3"]
    assert cpu["emulated_by"].startswith("QEMU 7.2")
    assert "rtm" in cpu["not_emulated"]
    assert cpu["emulated_wrongly"] == ["gathers by xmm4 or ymm4 (AVX2)"]

    log = (out / "log.txt").read_text()
    assert "avx512: SIGILL" in log
    [current, available] = re.findall(r"kernels: (\S+) of (.*)", log)[0]
    assert (current, "X86_V4" in available) == ("X86_V3", True)  # X86_V4 is AVX-512
    assert "warning: TCG" not in log
    here = json.loads((native / "run.json").read_text())
    assert (here["processor"], set(here["cpu"])) == (None, {"model", "instruction_sets", "cores"})
    if "avx512f" in here["cpu"]["instruction_sets"]:  # it is asked for what it would find
        assert "avx512: runs" in (native / "log.txt").read_text()

    own = backends.load()[backend]
    assert "qemu-user" in facts["debian_packages"]
    assert "qemu-user" not in of_dpkg(image_name(own))
    compared = keras_repro("compare", native, out, COLUMNS="300").stdout
    assert f"processor {here['cpu']['model']} -> Haswell, emulated by QEMU 7.2" in compared
    assert "up to date" in train(backend, "there", *HASWELL, "--if-needed")[0].stdout


@pytest.mark.parametrize("backend", ["jax"])
def test_a_processor_that_qemu_does_not_know_is_said_in_one_line(backend, train):
    done, out = train(backend, "there", "--processor", "Hasvell")
    assert (done.returncode, out.exists()) == (2, False)
    [line] = [line for line in (done.stdout + done.stderr).splitlines() if "Hasvell" in line]
    assert re.search(r"--processor Hasvell: QEMU 7.2\S* .*knows none of that name; it knows", line)
    assert ", Haswell, " in line
