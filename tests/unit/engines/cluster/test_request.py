"""What is asked of a worker is plain values, and comes out as it went in."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from keras_repro import backends
from keras_repro.engines import Job
from keras_repro.engines.cluster.request import decoded, encoded, request_of, sources
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.project.conditions import Data
from keras_repro.project.workload import BUILTIN, builtin, from_script
from keras_repro.recorder.contract import CONDITIONS, Conditions

JAX = backends.load()["jax"].model_copy(update={"extra": "six==1\n", "other_lock": "keras==3\n"})
CHOSEN = {
    "seed": 7,
    "system_packages": ("graphviz",),
    "threads": 2,
    "ulps": 3,
    "planted": {"learning-rate": 1e-5},
    "hash_seed": 1,
    "vary_own_seeds": True,
    "portable": True,
    "processor": "Haswell",
    "environment": {"A": "b"},
    "hermetic": True,
    "surroundings": {"clock": "+1d"},
    "time_limit": 90.5,
    "memory_limit": 1 << 30,
    "processes_limit": 99,
    "log_limit": 5,
    "files_limit": 6,
    "array_limit": 7,
    "arrays_limit": 8,
    "no_data_statistics": True,
}


def job(workload, **more):
    return Job(JAX, workload, Path("/artifacts"), "jax", **more)


def test_every_condition_crosses_the_wire(tmp_path):
    (tmp_path / "train.py").touch()
    of_this_machine = {"requirements", "data", "datasets"}
    assert CHOSEN.keys() | of_this_machine == {condition.name for condition in CONDITIONS}
    script = replace(
        from_script("train.py", tmp_path), args=("--epochs", "3"), conditions=Conditions(**CHOSEN)
    )
    sent = encoded(request_of(job(script), "docker"))
    json.loads(sent)
    request = decoded(sent)
    assert request == request_of(job(script), "docker")
    found = request.workload(Path("/sent"))
    assert vars(found.conditions) == vars(script.conditions)
    assert found.conditions.arguments() == script.conditions.arguments()
    assert found.conditions.key() == script.conditions.key()
    assert (found.folder, found.script, found.args) == (
        Path("/sent"),
        Path("train.py"),
        script.args,
    )
    assert (request.backend.lock, request.backend.extra) == (JAX.lock, JAX.extra)


def test_a_script_that_comes_with_the_package_is_named_alone():
    request = decoded(encoded(request_of(job(builtin("sine", "")), "local")))
    assert request.workload(Path("/sent")).script_path == BUILTIN / "sine.py"


def test_data_are_where_they_are_seen_whatever_a_worker_calls_them(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file.csv").touch()
    folder, file = tmp_path / "folder", tmp_path / "file.csv"
    data = (Data("data", folder), Data("~/data", folder), Data("table.csv", file))
    workload = builtin("sine", "")
    conditions = workload.conditions.having(data=data, datasets=tmp_path)
    assert sources(conditions) == [folder, file, tmp_path]
    asked = job(replace(workload, conditions=conditions))
    sent = encoded(request_of(asked, "docker"))
    assert str(tmp_path).encode() not in sent
    found = decoded(sent).workload(Path("/"), [Path("/one"), Path("/two"), Path("/three")])
    assert found.conditions.data == (
        Data("data", Path("/one")),
        Data("~/data", Path("/one")),
        Data("table.csv", Path("/two/file.csv")),
    )
    assert found.conditions.datasets == Path("/three")
    assert found.conditions.facts() == conditions.facts()


def test_another_recorder_is_refused():
    document = json.loads(encoded(request_of(job(builtin("sine", "")), "local")))
    document["recorder"] = "0" * 64
    with pytest.raises(UnavailableError, match="another version of keras-repro"):
        decoded(json.dumps(document).encode())


def test_parity_from_anothers_weights_runs_here():
    with pytest.raises(UsageError, match="parity runs on this machine"):
        request_of(job(builtin("sine", ""), parity=Path("/x.npz")), "local")
