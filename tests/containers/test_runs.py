"""What becomes of a run in a container when something goes wrong around it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest

from keras_repro import backends
from keras_repro.engines import Job
from keras_repro.engines.docker import DockerEngine
from keras_repro.errors import StoppedError
from keras_repro.project.workload import builtin
from tests.conftest import ROOT
from tests.recorder.test_failures import GOOD

pytestmark = pytest.mark.docker

ENDLESS = GOOD + "import time\nprint('TRAINED', flush=True)\ntime.sleep(600)\n"


def train(tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "keras_repro", "train", "--engine", "docker", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # In the background of a shell that is no terminal's, it is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def containers(backend: str) -> list:
    client = docker.from_env()
    found = client.containers.list(all=True, filters={"name": f"keras-repro-{backend}-"})
    client.close()
    return found


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen")


def wait_for_training(tmp_path, workload, backend):
    log = tmp_path / "artifacts" / workload / f".{backend}.partial" / "log.txt"
    until(lambda: log.exists() and "TRAINED" in log.read_text())


def own_container(tmp_path: Path, backend: str):
    """Return the one container that works in tmp_path; other tests run theirs meanwhile."""
    [own] = [
        one
        for one in containers(backend)
        if str(tmp_path) in str([mount["Source"] for mount in one.attrs["Mounts"]])
    ]
    return own


def test_an_interrupt_ends_the_container_and_leaves_no_half_run(tmp_path, a_backend):
    (tmp_path / "endless.py").write_text(ENDLESS)
    process = train(tmp_path, "endless.py", "--backend", a_backend)
    wait_for_training(tmp_path, "endless", a_backend)
    mine = own_container(tmp_path, a_backend).name
    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert time.monotonic() - started < 10
    assert process.returncode == 130, output
    assert output.splitlines()[-1] == "keras-repro: interrupted"
    assert "Traceback" not in output
    assert mine not in {one.name for one in containers(a_backend)}
    left = {path.name for path in (tmp_path / "artifacts" / "endless").iterdir()}
    assert left == {f".{a_backend}.lock"}


def test_a_killed_container_is_a_failed_run(tmp_path, a_backend):
    (tmp_path / "victim.py").write_text(ENDLESS)
    process = train(tmp_path, "victim.py", "--backend", a_backend)
    wait_for_training(tmp_path, "victim", a_backend)
    mine = own_container(tmp_path, a_backend)
    mine.kill()
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 4, output
    assert "Traceback" not in output
    run = tmp_path / "artifacts" / "victim" / a_backend
    assert '"outcome": "failed"' in (run / "run.json").read_text()
    assert "TRAINED" in (run / "log.txt").read_text()


def test_two_trainings_of_one_backend_wait_for_each_other(tmp_path, a_backend):
    script = tmp_path / "twice.py"
    script.write_text("import time\ntime.sleep(3)\n" + GOOD)
    both = [train(tmp_path, "twice.py", "--backend", a_backend) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    run = tmp_path / "artifacts" / "twice" / a_backend
    assert {path.name for path in run.iterdir()} == {
        "arrays.npz",
        "run.json",
        "trail.json",
        "log.txt",
    }
    assert {path.name for path in run.parent.iterdir()} == {a_backend, f".{a_backend}.lock"}


@pytest.mark.parametrize("what", ["the log", "the arrays"])
def test_a_full_disk_is_one_line_and_no_half_run(tmp_path, a_backend, what):
    script = tmp_path / "big.py"
    much = (
        "print('x' * 200_000)\n" if what == "the log" else "model.predict(np.ones((60_000, 1)))\n"
    )
    script.write_text(GOOD + much)
    done = subprocess.run(
        ["docker", "run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL"]
        + [part for name in ("SETUID", "SETGID", "KILL", "CHOWN") for part in ("--cap-add", name)]
        + [
            "--tmpfs",
            "/tmp:exec",
            "--tmpfs",
            "/artifacts:size=100k",
            "--tmpfs",
            "/cache:exec,mode=1777",
        ]
        + ["-v", f"{script}:/work/big.py:ro", f"keras-repro/{a_backend}", "big.py"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 7, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith("keras-repro: cannot write the run to /artifacts/big")
    assert "no space left" in lines[-1].lower()
    assert "Traceback" not in done.stdout + done.stderr


def test_docker_going_away_is_said(tmp_path, a_backend):
    """A socket that stops answering in the middle, without stopping the engine of others."""
    (tmp_path / "endless.py").write_text(ENDLESS)
    host = docker.from_env().api.base_url
    real = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not real.startswith("unix://"):
        pytest.skip(f"Docker answers at {host}, not at a socket")
    link = tmp_path / "docker.sock"
    link.symlink_to(real.removeprefix("unix://"))
    process = subprocess.Popen(
        [sys.executable, "-m", "keras_repro", "train", "endless.py", "--backend", a_backend],
        cwd=tmp_path,
        env={**os.environ, "DOCKER_HOST": f"unix://{link}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_for_training(tmp_path, "endless", a_backend)
    mine = own_container(tmp_path, a_backend)
    link.unlink()
    mine.kill()
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 5, output
    assert "Docker engine stopped answering" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("seed", ["abc", "4294967296", "-1"])
def test_a_bad_seed_is_one_line(tmp_path, a_backend, seed):
    done = subprocess.run(
        ["docker", "compose", "--project-directory", str(ROOT), "run", "--rm", "-T"]
        + ["-e", f"SEED={seed}", a_backend],
        env={**os.environ, "KERAS_REPRO_ARTIFACTS": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if not line.startswith((" Volume", " Net"))]
    assert len(said) == 1
    assert "not a whole number from 0 to 4294967295" in said[0]


def test_threads_reach_the_container(tmp_path, a_backend):
    process = train(tmp_path, "--backend", a_backend, "--threads", "2")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    run = tmp_path / "artifacts" / "regression" / a_backend / "run.json"
    assert '"threads": 2' in run.read_text()


def test_an_engine_that_was_stopped_starts_nothing_more(tmp_path):
    engine = DockerEngine()
    engine.stop()
    [backend] = backends.select(("jax",))
    job = Job(backend, builtin("regression", ""), tmp_path, "jax")
    with pytest.raises(StoppedError):
        engine.run(job, lambda phase: None)


def test_compose_run_does_what_one_expects(tmp_path):
    """The seed by -e SEED, a script of one's own, and a Python in the environment."""
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "other.py").write_text(GOOD)
    environment = {
        **os.environ,
        "KERAS_REPRO_ARTIFACTS": str(tmp_path / "artifacts"),
        "KERAS_REPRO_WORK": str(tmp_path),
    }

    def compose(*arguments: str) -> str:
        return subprocess.run(
            [
                "docker",
                "compose",
                "--project-directory",
                str(ROOT),
                "run",
                "--rm",
                "-T",
                *arguments,
            ],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        ).stdout

    compose("theano")
    seven = compose("-e", "SEED=7", "theano", "other.py")
    assert seven is not None
    assert '"seed": 7' in (tmp_path / "artifacts/other/theano/run.json").read_text()
    assert '"seed": 1337' in (tmp_path / "artifacts/regression/theano/run.json").read_text()
    assert (
        compose("theano", "python", "-c", "import theano; print(theano.__version__)") == "1.0.5\n"
    )
