"""`keras-repro verify`: a baseline is what was accepted, or what is not is named."""

import json
import os
import subprocess

import numpy as np
import pytest

from tests.unit.commands.conftest import ACCEPT
from tests.unit.made import changed

VERIFY = ("verify", "--backend", "jax")


def git(folder, *arguments):
    names = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


def committed(folder):
    git(folder, "init", "--quiet")
    git(folder, "add", "baselines")
    git(folder, "commit", "--quiet", "-m", "baselines")


@pytest.fixture
def parts(keras_repro):
    """Return what became of each part, and the exit code."""

    def verified(**variables):
        done = keras_repro(*VERIFY, "--format", "json", **variables)
        document = json.loads(done.stdout)
        [one] = document["baselines"]
        assert document["exit_code"] == one["exit_code"] == done.returncode
        assert not done.stderr
        found = {part["part"]: (part["result"], part["says"]) for part in one["parts"]}
        return done.returncode, found

    return verified


@pytest.fixture
def twice(accepted, run, keras_repro):
    """Return a baseline of three acceptances."""
    for number in (2, 3):
        run(changed("weights/0.dense.kernel", number))
        assert keras_repro(*ACCEPT, "--yes").returncode == 0
    return accepted


def edit(folder, change):
    path = folder / "baseline.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_what_was_accepted_and_committed_is_good(twice, parts, tmp_path, keras_repro):
    committed(tmp_path)
    code, found = parts()
    assert code == 0
    assert {name: result for name, (result, _) in found.items()} == dict.fromkeys(
        ("arrays", "history", "git"), "good"
    )
    assert "3 acceptances" in found["history"][1]
    done = keras_repro(*VERIFY)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "regression jax"
    assert "1 of 1 baselines are what was accepted" in done.stdout
    done = keras_repro(*VERIFY, "--format", "markdown")
    assert done.stdout.splitlines()[-1].count("✅") == 3


def test_without_git_that_is_not_known(twice, parts, tmp_path):
    code, found = parts(GIT_CEILING_DIRECTORIES="/", PATH=str(tmp_path))
    assert (code, found["git"][0]) == (0, "unknown")
    assert "not installed" in found["git"][1]


def test_arrays_that_were_edited(twice, parts):
    np.savez(twice / "arrays.npz", **changed("costs/test", 2))
    code, found = parts()
    assert (code, found["arrays"][0]) == (6, "bad")


def removed(document):
    del document["history"][1]


def first_removed(document):
    del document["history"][0]


def last_removed(document):
    del document["history"][-1]


def reworded(document):
    document["history"][0]["reason"] = "another"


def last_reworded(document):
    document["history"][-1]["reason"] = "another"


def unlinked(document):
    del document["history"][-1]["previous"]


def of_other_arrays(document):
    document["history"][-1]["arrays_sha256"] = "0" * 64


@pytest.mark.parametrize(
    "change",
    [removed, first_removed, last_removed, reworded, last_reworded, unlinked, of_other_arrays],
    ids=lambda change: change.__name__,
)
def test_a_history_that_was_edited(twice, parts, change):
    edit(twice, change)
    code, found = parts()
    assert (code, found["history"][0]) == (6, "bad")
    assert found["arrays"][0] == "good"


def test_what_an_older_version_accepted_is_not_known(twice, parts, run, keras_repro):
    """It reads as before, and what is accepted after it is linked to it."""

    def older(document):
        for entry in document["history"]:
            for name in ("previous", "arrays_sha256"):
                entry.pop(name, None)

    edit(twice, older)
    code, found = parts()
    assert (code, found["history"][0]) == (0, "unknown")
    assert "made number 2, 3, without a digest" in found["history"][1]
    run(changed("weights/0.dense.kernel", 4))
    assert keras_repro(*ACCEPT, "--yes").returncode == 0
    assert "made number 2, 3, without a digest" in parts()[1]["history"][1]
    edit(twice, last_reworded)
    assert parts()[0] == 6


def test_a_baseline_from_before_there_was_a_history(accepted, parts):
    edit(accepted, lambda document: document.pop("history"))
    assert parts()[1]["history"][0] == "unknown"


@pytest.mark.parametrize("name", ["arrays.npz", "baseline.json"])
def test_what_is_not_as_it_was_committed(twice, parts, tmp_path, run, keras_repro, name):
    committed(tmp_path)
    with (twice / name).open("ab") as file:
        file.write(b"\n")
    code, found = parts()
    assert (code, found["git"][0]) == (6, "bad")
    assert f"{name} is not as it was committed" in found["git"][1]


def test_what_is_not_committed(twice, parts, tmp_path):
    git(tmp_path, "init", "--quiet")
    code, found = parts()
    assert (code, found["git"][0]) == (6, "bad")
    assert "not committed" in found["git"][1]


def test_large_files_that_git_keeps_elsewhere(twice, parts, tmp_path):
    """Git LFS commits a few lines in their place."""
    arrays = (twice / "arrays.npz").read_bytes()
    digest = json.loads((twice / "baseline.json").read_text())["arrays_sha256"]
    (twice / "arrays.npz").write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(arrays)}\n"
    )
    committed(tmp_path)
    (twice / "arrays.npz").write_bytes(arrays)
    assert parts()[1]["git"][0] == "good"


def test_no_baseline_and_a_damaged_one(keras_repro, run, accepted, tmp_path):
    done = keras_repro("verify", "--backend", "torch")
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "no baselines in" in done.stderr
    (accepted / "baseline.json").write_text("{")
    done = keras_repro(*VERIFY)
    assert done.returncode == 6
    assert "baseline.json is damaged" in done.stdout
    assert os.linesep not in done.stderr


def test_a_reason_that_is_no_text_is_not_accepted(run, tmp_path, keras_repro):
    run()
    done = keras_repro("accept", "--backend", "jax", "--yes", "--reason", os.fsdecode(b"\xff"))
    assert done.returncode == 2
    assert "no text" in done.stderr
    assert not (tmp_path / "baselines").exists()


def test_of_several_workloads_those_that_have_baselines(accepted, keras_repro, tmp_path):
    (tmp_path / "keras-repro.toml").write_text(
        '[workloads.regression]\nscript = "a.py"\n[workloads.other]\nscript = "b.py"\n'
    )
    for name in "ab":
        (tmp_path / f"{name}.py").touch()
    done = keras_repro("verify")
    assert done.returncode == 0, done.stderr
    assert "1 of 1 baselines" in done.stdout
    assert keras_repro("verify", "other").returncode == 3


@pytest.fixture
def with_ensemble(tmp_path):
    """Keep an ensemble beside the baseline, twice; return its file."""
    from keras_repro.runs.ensemble import EnsembleFacts
    from keras_repro.studies.ensemble.accept import accept_ensemble
    from tests.unit.made import ensemble, spread_out

    folder = tmp_path / "baselines" / "regression" / "jax"
    facts = EnsembleFacts.model_validate(ensemble(costs__test=spread_out(9)))
    for reason in ("first", "second"):
        accept_ensemble(folder, facts, reason)
    return folder / "ensemble.json"


def test_an_ensemble_beside_a_baseline_is_verified(accepted, with_ensemble, parts, tmp_path):
    committed(tmp_path)
    code, found = parts()
    assert code == 0
    assert found["ensemble"] == ("good", "9 seeds; 2 acceptances, each linked to the one before")
    assert found["git"][0] == "good"


def test_an_ensemble_without_a_baseline_is_verified(with_ensemble, parts, tmp_path):
    committed(tmp_path)
    code, found = parts()
    assert code == 0
    assert set(found) == {"ensemble", "git"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(workload="other"), "is not what was accepted"),
        (lambda d: d["seeds"].__setitem__(0, 77), "is not what was accepted"),
        (lambda d: d["history"][0].update(reason="other"), "is not what was accepted"),
        (lambda d: d["history"].pop(0), "is not what was accepted"),
        (lambda d: d.update(reason="other"), "is not from its last acceptance"),
        (lambda d: d.update(history=[]), "nobody accepted ensemble.json"),
    ],
)
def test_an_ensemble_that_was_edited_is_bad(with_ensemble, parts, change, says):
    document = json.loads(with_ensemble.read_text())
    change(document)
    with_ensemble.write_text(json.dumps(document))
    code, found = parts()
    assert code == 6
    assert found["ensemble"][0] == "bad"
    assert says in found["ensemble"][1]


def test_an_ensemble_that_is_not_committed_is_named(accepted, with_ensemble, parts, tmp_path):
    committed(tmp_path)
    document = json.loads(with_ensemble.read_text())
    with_ensemble.write_text(json.dumps(document))
    code, found = parts()
    assert code == 6
    assert found["ensemble"][0] == "good"
    assert "ensemble.json is not as it was committed" in found["git"][1]


def test_a_damaged_ensemble_is_a_problem(accepted, with_ensemble, keras_repro):
    with_ensemble.write_text("{")
    done = keras_repro(*VERIFY)
    assert done.returncode == 6
    assert "ensemble.json is damaged" in done.stdout


def test_a_new_baseline_keeps_the_ensemble(accepted, with_ensemble, run, keras_repro):
    before = with_ensemble.read_bytes()
    run(changed("weights/0.dense.kernel", 2))
    assert keras_repro(*ACCEPT, "--yes").returncode == 0
    assert with_ensemble.read_bytes() == before
