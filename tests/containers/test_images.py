"""An image carries what a run needs, and little else."""

import json
import subprocess

import pytest

from benchmarks.containers import LIMITS, megabytes_above_base
from keras_repro import __version__, backends
from keras_repro.engines.images import image_name
from tests.conftest import BACKENDS

pytestmark = pytest.mark.docker

# What only a build or a test of the packages themselves would read.
UNNEEDED = r"""
cd /opt/venv/lib/python3.*/site-packages
find . -mindepth 2 -type d -name tests ! -path './*.dist-info/*'
ls -d tensorflow/include tensorflow_core/include torch/include torch/test 2>/dev/null
find torch/bin -iname '*test*' 2>/dev/null
find clang -name '*.so' 2>/dev/null
"""
# The same of Debian's packages: what apt fetched, and the parts of g++ that nothing here calls.
UNNEEDED_OF_DEBIAN = r"""
find /var/lib/apt/lists /var/cache/apt -type f -size +0
find /usr/lib /usr/bin -type f | grep -E '/(lto1|.*lto-dump.*|libasan[.]so.*|libstdc[+][+][.]a)$'
find -L /usr/share/doc/g++-12 -type f ! -name copyright
find /usr/share/locale -name 'gcc*.mo'
"""
# In each: what lies beside the files that were removed, and is in use.
NEEDED = {
    "theano": "import theano.tests, theano.gpuarray.opt, numpy.testing, scipy.stats",
    "tensorflow1": "import tensorflow as tf, numpy.testing, scipy.stats; tf.test.TestCase",
    "tensorflow": "import tensorflow as tf, numpy.testing; tf.test.TestCase; tf.profiler",
    "jax": "import jax.numpy, numpy.testing, scipy.stats",
    "torch": (
        "import os, torch, torch.testing, sympy.testing, numpy.testing\n"
        "place = os.path.join(os.path.dirname(torch.__file__), 'bin', 'torch_shm_manager')\n"
        "assert os.access(place, os.X_OK)"
    ),
}
# A C program, since an extra package may be written in C, that takes in a static part of each kind.
LINKED = r"""
echo 'int main(void) { return 0; }' > /tmp/a.c
gcc -O2 -o /tmp/a /tmp/a.c -ldl -lpthread -lrt -lutil -lm && /tmp/a
test -f "$(python -c 'import numpy; print(numpy.get_include())')/numpy/arrayobject.h"
g++ -march=native -E -v - < /dev/null 2>&1 | grep -c ' -march='
"""
# The machine code of a few modules of Theano's, and how large they are with all else.
COMPILED = r"""
import glob, hashlib, os, subprocess, sys
from keras_repro.recorder import seeding, theano_compiler
os.environ["THEANO_FLAGS"] = "compiledir=/tmp/compiled," + seeding.THEANO_FLAGS
os.environ[theano_compiler.FOLDER] = sys.argv[1]
import theano, theano.tensor as tt
theano_compiler.compile_quickly(theano)
x, images = tt.fmatrix(), tt.ftensor4()
theano.function([x], [tt.exp(x) * 3 + tt.tanh(x), tt.nnet.softmax(x), x.sum(axis=0)])
theano.function([images], tt.nnet.conv2d(images, images))
found, size = [], 0
for path in glob.glob("/tmp/compiled/**/m*.so", recursive=True):
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", path, "/tmp/text"], check=True)
    found.append(hashlib.sha256(open("/tmp/text", "rb").read()).hexdigest())
    size += os.path.getsize(path)
print(size, *sorted(found))
"""


def inside(backend: str, *command: str) -> str:
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "--tmpfs", "/tmp:exec", "--entrypoint"]
        + [command[0], image_name(backends.load()[backend]), *command[1:]],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_weighs_no_more_than_its_limit(backend):
    assert megabytes_above_base(image_name(backends.load()[backend])) <= LIMITS[backend]


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_carries_nothing_that_no_run_needs(backend):
    allowed = ["./theano/tests"] if backend == "theano" else []
    assert inside(backend, "sh", "-c", f"{UNNEEDED}exit 0").split() == allowed


def test_nothing_is_left_of_the_installation_of_a_compiler():
    assert inside("theano", "sh", "-c", f"{UNNEEDED_OF_DEBIAN}exit 0").split() == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_script_may_import_is_there(backend):
    inside(backend, "python", "-c", NEEDED[backend])


def test_theano_finds_a_whole_compiler():
    assert int(inside("theano", "sh", "-ec", LINKED)) > 0


def test_what_is_compiled_quickly_is_the_same_machine_code():
    with_headers, plain = (
        inside("theano", "python", "-c", COMPILED, folder).split()
        for folder in ("/opt/keras-repro/theano-headers", "/nowhere")
    )
    assert len(plain) > 4
    assert with_headers[1:] == plain[1:]
    assert int(with_headers[0]) < int(plain[0]) / 3  # else it was not in use


@pytest.mark.parametrize("backend", BACKENDS)
def test_it_is_labelled_with_the_version_of_the_package(backend):
    done = subprocess.run(
        ["docker", "image", "inspect", image_name(backends.load()[backend])],
        capture_output=True,
        text=True,
        check=True,
    )
    labels = json.loads(done.stdout)[0]["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
