"""Which class a backend had is told by its newest good run of the present lock."""

from keras_repro import backends
from keras_repro.runs.hashing import file_sha256
from keras_repro.studies.last_class import last_class
from tests.unit.made import make_run

JAX = backends.load()["jax"]
LOCK = file_sha256(JAX.requirements)


def ran(folder, digit, **facts):
    found = {"version": 1, "digest": digit * 64, "kernels": {"matmul": digit * 16}}
    return make_run(folder, **{"numeric_class": found, "requirements_sha256": LOCK, **facts})


def test_the_newest_of_the_present_lock(tmp_path):
    ran(tmp_path / "a" / "jax", "1", started="2026-01-01T00:00:00+00:00")
    ran(tmp_path / "b" / "jax", "2", started="2026-01-02T00:00:00+00:00")
    later = "2026-01-03T00:00:00+00:00"
    ran(tmp_path / "c" / "jax", "3", started=later, requirements_sha256="0" * 64)
    ran(tmp_path / "d" / "jax", "4", started=later, outcome="failed")
    ran(tmp_path / "e" / "jax", "5", started=later, numeric_class=None)
    (tmp_path / "f" / "jax").mkdir(parents=True)
    (tmp_path / "f" / "jax" / "run.json").write_text("[")
    assert last_class(tmp_path, JAX).short == "2" * 12
    assert last_class(tmp_path, backends.load()["torch"]) is None


def test_a_class_that_could_not_be_computed_is_not_known(tmp_path):
    ran(tmp_path / "a" / "jax", "1", numeric_class={"digest": None, "problem": "it hung"})
    assert last_class(tmp_path, JAX) is None
    assert last_class(tmp_path / "nothing", JAX) is None


def test_backends_shows_it_where_there_is_one(tmp_path, keras_repro):
    done = keras_repro("backends", "--engine", "local")
    assert "numeric class" not in done.stdout
    ran(tmp_path / "artifacts" / "mine" / "jax", "3")
    done = keras_repro("backends", "--engine", "local")
    assert done.returncode == 0, done.stderr
    assert "numeric class" in done.stdout
    assert "3" * 12 in done.stdout
    assert "not known" in done.stdout
