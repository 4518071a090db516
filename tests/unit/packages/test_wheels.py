"""Nothing of a requirement runs on this machine before somebody allows it."""

import pytest

SETUP = "open({place!r}, 'w').close()\nfrom setuptools import setup\nsetup(name='pkg')\n"


@pytest.fixture
def ran(tmp_path):
    """The file that a source's own code would write."""
    place = tmp_path / "ran"
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "setup.py").write_text(SETUP.format(place=str(place)))
    (tmp_path / "my.py").write_text("")
    return place


@pytest.mark.parametrize("line", ["./pkg", "-e ./pkg", "pkg @ file://{folder}/pkg"])
def test_a_source_is_not_built(line, ran, tmp_path, keras_repro):
    (tmp_path / "requirements.txt").write_text(line.format(folder=tmp_path) + "\n")
    options = ("--requirements", "requirements.txt", "--backend", "jax", "--engine", "local")
    done = keras_repro("train", "my.py", *options, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode in (2, 5), done.stdout + done.stderr
    assert not ran.exists()
    assert "Traceback" not in done.stdout + done.stderr
