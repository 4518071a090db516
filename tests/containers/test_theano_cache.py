"""The compile cache of the image hits on a host with another kernel, and new graphs are kept."""

import os
import re
import subprocess

import pytest

from tests.conftest import ROOT
from tests.recorder.test_failures import GOOD

pytestmark = pytest.mark.docker

# What the compile directory holds, then the regression under another kernel's name, then again.
SCRIPT = """
dir=${THEANO_FLAGS#compiledir=}; dir=${dir%%,*}
count() { find "$dir" -name '*.so' | wc -l; }
before=$(count)
setarch x86_64 --uname-2.6 sh -c '
  uname -r
  python -m keras_repro.recorder --out /tmp/run'
echo "COMPILED $(($(count) - before)) of $before"
"""


def run(*arguments: str, artifacts, **variables: str) -> str:
    done = subprocess.run(
        ["docker", "compose", "--project-directory", str(ROOT), "run", "--rm", "-T"]
        + ["theano", *arguments],
        env={**os.environ, "KERAS_REPRO_ARTIFACTS": str(artifacts), **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def numbers(output: str) -> list[str]:
    return [line for line in output.splitlines() if "cost:" in line or "=" in line]


def test_the_cache_hits_under_another_kernel_release_with_the_same_bits(tmp_path):
    output = run("sh", "-c", SCRIPT, artifacts=tmp_path)
    release = output.splitlines()[0]
    assert release.startswith("2.6.")
    assert release != os.uname().release
    assert "COMPILED 0 of " in output
    assert "COMPILED 0 of 0" not in output
    baseline = run(artifacts=tmp_path)
    known = [line for line in numbers(baseline) if not line.startswith("40/40")]
    assert known
    for line in known:
        assert line in output


def compiled(tmp_path, name: str, text: str) -> int:
    """Return how many modules a script compiles; it is trained as docker compose run does it."""
    (tmp_path / name).write_text(text)
    output = run(name, artifacts=tmp_path / "artifacts", KERAS_REPRO_WORK=str(tmp_path))
    return int(re.search(r"STATS \[([^]]*)\]", output).group(1).split(",")[2])


def test_what_a_script_compiles_stays_for_it_and_for_no_other(tmp_path):
    """A graph of its own: compiled the first time, found the second, and not by another script."""
    (tmp_path / "artifacts").mkdir()
    chain = "x"
    for byte in os.urandom(16):
        chain = f"T.{('tanh', 'exp', 'sin', 'sqr')[byte % 4]}({chain})"
    text = GOOD + (
        "import theano, theano.tensor as T\n"
        "from theano.gof.cc import get_module_cache\n"
        "x = T.fvector()\n"
        f"f = theano.function([x], {chain})\n"
        "f([1.0])\n"
        "print('STATS', get_module_cache().stats)\n"
    )
    first = compiled(tmp_path, "own.py", text)
    assert first > 0
    assert compiled(tmp_path, "own.py", text) == 0
    assert compiled(tmp_path, "other.py", text + "# another\n") == first
