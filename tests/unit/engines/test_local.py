"""Local environments: apart from each other, and what still runs when one is left is ended."""

import os
import shutil
import sys
import threading
import time

import pytest

from keras_repro import backends
from keras_repro.engines import Job, local
from keras_repro.engines.local import LocalEngine
from keras_repro.errors import StoppedError, UnavailableError
from keras_repro.packages import uv
from keras_repro.project.workload import builtin
from tests.planted_index import PlantedIndex

[JAX] = backends.select(("jax",))


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A run that takes a minute, in an environment that has nothing else."""
    monkeypatch.setattr(local, "user_cache_path", lambda name: tmp_path / "cache")
    python = local.environment_folder(JAX) / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\nexec sleep 60\n")
    python.chmod(0o755)
    return Job(JAX, builtin("regression", ""), tmp_path, "jax")


def test_leaving_the_engine_ends_what_it_runs(job, tmp_path):
    ended = []
    engine = LocalEngine()
    thread = threading.Thread(target=lambda: ended.append(engine.run(job, lambda phase: None)))

    def leave_early():
        with engine:
            thread.start()
            until = time.monotonic() + 20
            while not (tmp_path / "started").exists():
                assert time.monotonic() < until
                time.sleep(0.01)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave_early()
    thread.join(20)
    assert [one.status for one in ended] == [-2]  # SIGINT
    with pytest.raises(StoppedError):
        engine.run(job, lambda phase: None)


def test_the_lock_tells_all_of_an_environment():
    assert LocalEngine().changed_since(JAX, "whatever a run recorded") is None


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index of two packages; JAX's lock has a release of each, for this Python."""
    index = PlantedIndex(tmp_path / "index")
    for version in ("1.0", "1.1"):
        index.release("planted", version, float(version))
    index.release("companion", "1.0", 1.0)
    for name, value in {
        "UV_DEFAULT_INDEX": index.url,
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "UV_NO_CONFIG": "1",
        "PIP_FIND_LINKS": "",
        "PIP_CONFIG_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(local, "user_cache_path", lambda name: tmp_path / "cache")
    folder = shutil.copytree(JAX.folder, tmp_path / "backends" / "jax")
    monkeypatch.setattr(backends, "FOLDER", tmp_path / "backends")
    version = "{}.{}".format(*sys.version_info)
    settings = (folder / "backend.toml").read_text()
    (folder / "backend.toml").write_text(settings.replace(JAX.python, version))
    (folder / "requirements.txt").write_text(_lock(index, "companion==1.0", "planted==1.0"))
    return index


def test_no_environment_can_be_changed_through_another_or_through_the_cache(index):
    [base] = backends.select(("jax",))
    other = base.model_copy(update={"other_lock": _lock(index, "companion==1.0", "planted==1.1")})
    with LocalEngine() as engine:
        engine.prepare(other, lambda phase: None)  # and the base, of which it has links
    links = {}
    for backend in (base, other):
        for name in ("companion", "planted"):
            [module] = local.environment_folder(backend).glob(f"lib/*/site-packages/{name}.py")
            assert module.stat().st_mode & 0o222 == 0
            links[backend.other_lock != "", name] = module.stat().st_nlink
    # None is uv's own file; where an environment shares one with its base, it is closed.
    assert links == {(False, "planted"): 1, (True, "planted"): 1} | dict.fromkeys(
        [(False, "companion"), (True, "companion")], 2
    )
    assert "1.1" in (local.environment_folder(other) / "requirements.txt").read_text()


# Stands for uv: its first installation leaves a file behind and is killed.
KILLED_ONCE = """\
#!/bin/sh
if [ "$1 $2" = "pip install" ] && mkdir {mark} 2> /dev/null; then
  while [ "$1" != --python ]; do shift; done
  touch "$2/lib/left_behind"
  kill -9 $$
fi
exec {uv} "$@"
"""


def test_an_installation_that_was_killed_leaves_nothing_to_the_next_try(
    index, tmp_path, monkeypatch
):
    stand_in = tmp_path / "uv.sh"
    stand_in.write_text(KILLED_ONCE.format(mark=tmp_path / "killed", uv=uv.find_uv_bin()))
    stand_in.chmod(0o755)
    monkeypatch.setattr(uv, "find_uv_bin", lambda: str(stand_in))
    [base] = backends.select(("jax",))
    with LocalEngine() as engine:
        engine.prepare(base, lambda phase: None)
    assert (tmp_path / "killed").is_dir()
    environment = local.environment_folder(base)
    assert list(environment.glob("lib/*/site-packages/planted.py"))
    assert not (environment / "lib" / "left_behind").exists()


def _lock(index, *pins):
    """Return a lock of planted releases, with their hashes."""
    lines = []
    for pin in pins:
        name, _, version = pin.partition("==")
        page = (index.folder / "simple" / name / "index.html").read_text()
        digest = page.partition(f"{name}-{version}-py3-none-any.whl#sha256=")[2][:64]
        lines.append(f"{pin} \\\n    --hash=sha256:{digest}\n")
    return "".join(lines)


def test_each_installation_has_its_own_recorder(tmp_path, monkeypatch):
    environment = tmp_path / "environment"
    environment.mkdir()
    places = []
    for name in ("one", "other"):
        package = tmp_path / name / "keras_repro"
        (package / "backends").mkdir(parents=True)
        monkeypatch.setattr(backends, "FOLDER", package / "backends")
        places.append(local._recorder_path(environment))
        assert local._recorder_path(environment) == places[-1]
    assert [(place / "keras_repro").resolve().parent.name for place in places] == ["one", "other"]


def test_what_is_installed_for_a_trial_computes_no_numeric_class(tmp_path):
    given = local._environment(JAX, tmp_path)["KERAS_REPRO_CLASS_CACHE"]
    assert given == str(local.numeric_classes())
    assert not local.numeric_classes().is_relative_to(local.environments())
    trial = JAX.model_copy(update={"other_lock": "keras==3.0\n"})
    assert "KERAS_REPRO_CLASS_CACHE" not in local._environment(trial, tmp_path)


def test_another_processor_takes_qemu_on_the_path(monkeypatch, tmp_path):
    emulating = JAX.model_copy(update={"emulates": True})
    monkeypatch.setattr(local, "_is_built", lambda backend: True)
    program = tmp_path / "qemu-x86_64"
    monkeypatch.setenv("PATH", str(tmp_path))
    with LocalEngine() as engine:
        with pytest.raises(UnavailableError) as caught:
            engine.prepare(emulating, pytest.fail)
        assert str(caught.value) == (
            "another processor takes qemu-x86_64, and it is not on PATH; install it (Debian: "
            "apt-get install qemu-user), or use --engine docker"
        )
        engine.prepare(JAX, pytest.fail)
        program.touch(mode=0o755)
        engine.prepare(emulating, pytest.fail)
