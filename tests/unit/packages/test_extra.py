"""Extra packages: what is asked for, and what conflicts with the backend's own."""

import pytest

from keras_repro import backends
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.packages import compile as compiling
from keras_repro.packages import extra
from keras_repro.packages.uv import UvError

[JAX] = backends.select(("jax",))
NUMPY = JAX.locked["numpy"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(extra, "user_cache_path", lambda name: tmp_path / "cache")


@pytest.fixture
def uv(monkeypatch):
    """uv without a network: it writes down what it was asked, and locks one package."""
    calls = []

    def call(*arguments):
        calls.append(arguments)
        with open(arguments[arguments.index("--constraints") + 1]) as file:
            assert file.read() == JAX.lock
        output = arguments[arguments.index("--output-file") + 1]
        with open(output, "w") as file:
            file.write("six==1.16.0 --hash=sha256:00\n")

    monkeypatch.setattr(compiling, "uv", call)
    return calls


def test_nothing_is_locked_where_nothing_is_asked_for(uv):
    assert extra.with_extra(JAX, (), ()) is JAX
    assert not uv


def test_the_backends_pins_are_constraints_and_the_lock_is_kept(uv, tmp_path):
    file = tmp_path / "req.txt"
    file.write_text("six  # words\n")
    locked = extra.with_extra(JAX, (file,), ())
    assert locked.extra == "six==1.16.0 --hash=sha256:00\n"
    assert locked.extra_sha256 != JAX.extra_sha256
    assert "--generate-hashes" in uv[0]
    assert extra.with_extra(JAX, (file,), ()).extra == locked.extra
    assert len(uv) == 1  # the second time from the cache
    file.write_text("six>=1.16\n")
    extra.with_extra(JAX, (file,), ())
    assert len(uv) == 2


def test_a_file_that_names_others_is_not_kept(uv, tmp_path):
    file = tmp_path / "req.txt"
    file.write_text("-r other.txt\n")
    (tmp_path / "other.txt").write_text("# none\n")
    for _ in range(2):
        extra.with_extra(JAX, (file,), ())
    assert len(uv) == 2


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("numpy<2", f"req.txt:2: numpy<2 conflicts with jax, which is numpy {NUMPY}"),
        ("NumPy ==1.0", "req.txt:2: NumPy==1.0 conflicts with jax"),
        ("foo==", "req.txt:2: 'foo==' is no requirement"),
        ("two words", "req.txt:2: 'two words' is no requirement"),
    ],
)
def test_a_conflict_names_both_sides_and_the_line(uv, tmp_path, line, words):
    file = tmp_path / "req.txt"
    file.write_text(f"# a comment\n{line}\n")
    with pytest.raises(UsageError) as caught:
        extra.with_extra(JAX, (file,), ())
    assert words in str(caught.value)
    assert not uv


def test_what_agrees_with_the_pins_is_no_conflict(uv, tmp_path):
    file = tmp_path / "req.txt"
    file.write_text(f"numpy=={NUMPY} \\\n    --hash=sha256:00\nnumpy>=1 ; python_version > '3'\n")
    assert extra.with_extra(JAX, (file,), ("six",)).extra


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        (
            "× No solution found:\n╰─▶ Because you require a and b",
            UsageError,
            "No solution found: B",
        ),
        ("error: Failed to fetch", UnavailableError, "cannot lock the extra requirements for jax"),
    ],
)
def test_what_uv_says_is_one_line(monkeypatch, said, error, words):
    def fails(*arguments):
        raise UvError(said)

    monkeypatch.setattr(compiling, "uv", fails)
    with pytest.raises(error) as caught:
        extra.with_extra(JAX, (), ("six",))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_asked_of_another_python_is_no_conflict(uv, tmp_path):
    file = tmp_path / "req.txt"
    file.write_text('numpy<1.20; python_version < "3.8"\nsix\n')
    assert extra.with_extra(JAX, (file,), ()).extra


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        extra.read((tmp_path / "none.txt",), ())
    (tmp_path / "bytes.txt").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="no UTF-8"):
        extra.read((tmp_path / "bytes.txt",), ())
