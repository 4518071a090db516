"""Every lock is compiled in one way: for the backend's Python and platform, with hashes."""

import shutil
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from keras_repro import backends
from keras_repro.errors import UnavailableError
from keras_repro.packages import backend_locks, extra, resolve
from keras_repro.packages import compile as compiling
from keras_repro.packages.compile import compile_lock
from keras_repro.packages.uv import UvError

LOCK = "six==1.16.0 --hash=sha256:00\n"
[JAX] = backends.select(("jax",))


@pytest.fixture
def uv(monkeypatch, tmp_path):
    """uv without a network: it writes down what it was asked, and locks one package."""
    calls = []

    def call(*arguments):
        output = Path(arguments[arguments.index("--output-file") + 1])
        kept = output.read_text() if output.exists() else ""
        calls.append((arguments, Path(arguments[-1]).read_text(), kept))
        output.write_text(f"{LOCK}    # via -r {arguments[-1]}\n")

    monkeypatch.setattr(compiling, "uv", call)
    for module in (extra, resolve):
        monkeypatch.setattr(module, "user_cache_path", lambda name: tmp_path / "cache")
    return calls


@pytest.fixture
def arm(monkeypatch, tmp_path):
    """A backend for another platform, in a folder of its own."""
    shutil.copytree(JAX.folder, tmp_path / "jax")
    monkeypatch.setattr(backends, "FOLDER", tmp_path)
    path = tmp_path / "jax" / "backend.toml"
    path.write_text(path.read_text().replace("linux/amd64", "linux/arm64"))
    [backend] = backends.select(("jax",))
    return backend


WAYS = {
    "the backend's own": backend_locks.write,
    "extra packages": lambda backend: extra.with_extra(backend, (), ("six",)),
    "a changed environment": lambda backend: resolve.changed(backend, [Requirement("six==1.16")]),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_lock_is_for_the_python_and_the_platform_of_the_backend(uv, arm, way):
    WAYS[way](arm)
    [(arguments, _, _)] = uv
    assert arguments[:2] == ("pip", "compile")
    assert "--generate-hashes" in arguments
    assert "--no-emit-index-url" in arguments
    assert arguments[arguments.index("--python-version") + 1] == arm.python
    assert arguments[arguments.index("--python-platform") + 1] == "aarch64-manylinux_2_28"


def test_a_backends_own_lock_keeps_what_it_can_and_names_the_file(uv, arm):
    asked, before = (arm.folder / "requirements.in").read_text(), arm.lock
    backend_locks.write(arm)
    [(arguments, lines, kept)] = uv
    assert lines.split() == asked.split()
    assert kept == before
    assert "--no-annotate" not in arguments
    assert arm.requirements.read_text() == f"{LOCK}    # via -r requirements.in\n"


def test_a_lock_that_cannot_be_compiled_leaves_the_old_one(monkeypatch, arm):
    def fails(*arguments):
        raise UvError(f"No solution found: {arguments[-1]} asks for a and b")

    monkeypatch.setattr(compiling, "uv", fails)
    before = arm.requirements.read_text()
    with pytest.raises(UnavailableError, match=r"cannot lock jax: .*: the requirements asks"):
        backend_locks.write(arm)
    assert arm.requirements.read_text() == before


def test_what_was_resolved_for_another_platform_is_not_taken(uv, arm):
    resolve.changed(arm, [Requirement("six==1.16")])
    resolve.changed(arm, [Requirement("six==1.16")])
    assert len(uv) == 1  # the second time from the cache
    resolve.changed(arm.model_copy(update={"platform": "linux/amd64"}), [Requirement("six==1.16")])
    assert len(uv) == 2


def test_what_uv_says_names_no_temporary_file(monkeypatch):
    def fails(*arguments):
        held = arguments[arguments.index("--constraints") + 1]
        raise UvError(f"{arguments[-1]} conflicts with {held}")

    monkeypatch.setattr(compiling, "uv", fails)
    with pytest.raises(UvError) as caught:
        compile_lock(JAX, ["six"], constraints="six==1.0")
    assert str(caught.value) == "the requirements conflicts with the lock"


LOCK_OF_TWO = """\
one==1.0 --hash=sha256:00
    # via
    #   -c {held}
    #   -r {lines}
two==1.0 --hash=sha256:00
    # via
    #   -c {held}
    #   one
    #   three
"""


def test_a_lock_names_no_temporary_file(monkeypatch):
    def call(*arguments):
        held = arguments[arguments.index("--constraints") + 1]
        output = Path(arguments[arguments.index("--output-file") + 1])
        output.write_text(LOCK_OF_TWO.format(held=held, lines=arguments[-1]))

    monkeypatch.setattr(compiling, "uv", call)
    assert compile_lock(JAX, ["one"], constraints="one==1.0", annotate=True) == (
        "one==1.0 --hash=sha256:00\n    # via -r requirements.in\n"
        "two==1.0 --hash=sha256:00\n    # via\n    #   one\n    #   three\n"
    )
