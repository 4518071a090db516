"""`keras-repro accept`, through the command line."""

import json
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.recorder.facts import file_sha256
from keras_repro.recorder.folder import publish
from tests.unit.commands.conftest import ACCEPT
from tests.unit.made import ARRAYS, changed, make_run
from tests.unit.studies.train.test_train import MadeUpEngine, good, plan, train


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_an_edited_run_is_not_accepted(accepted, run, keras_repro):
    before = files(accepted)
    folder = run()
    np.savez(folder / "arrays.npz", **changed("weights/0.dense.kernel", 2))
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 6
    assert "is not what the run wrote" in done.stderr
    assert files(accepted) == before
    assert [path.name for path in accepted.parent.iterdir()] == ["jax"]


@pytest.mark.parametrize("reason", [(), ("--reason", ""), ("--reason", "  ")])
def test_accepting_needs_a_reason(run, keras_repro, tmp_path, reason):
    run()
    done = keras_repro("accept", "--backend", "jax", "--yes", *reason)
    assert done.returncode == 2
    assert "--reason" in done.stderr
    assert not (tmp_path / "baselines").exists()


def test_nothing_is_accepted_in_ci(run, keras_repro, tmp_path):
    run()
    done = keras_repro(*ACCEPT, "--yes", CI="true")
    assert done.returncode == 2
    assert "CI is set" in done.stderr
    assert not (tmp_path / "baselines").exists()


def test_nothing_is_accepted_without_a_yes(accepted, run, keras_repro):
    before = files(accepted)
    run(changed("weights/0.dense.kernel", 2))
    done = keras_repro(*ACCEPT)  # nobody answers
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "weights/0.dense.kernel" in done.stdout  # what would change was shown
    assert files(accepted) == before


@pytest.mark.long
def test_an_interrupt_at_the_question_accepts_nothing(accepted, run, tmp_path):
    before = files(accepted)
    run(changed("weights/0.dense.kernel", 2))
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "keras_repro", *ACCEPT],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        shown = b""
        while b"Make these the baselines" not in shown:
            shown += process.stdout.read(1)
        while process.poll() is None:  # one that comes just before it reads is not seen
            process.send_signal(signal.SIGTERM)  # as Ctrl-C
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
        assert process.returncode == 130
        assert process.stderr.read() == b"keras-repro: interrupted\n"
    assert files(accepted) == before


def whole_run(engine, job, arrays=ARRAYS):
    """Make a run as a recorder does: in a staging folder that takes the run folder's place."""
    ended = good(engine, replace(job, folder=f".{job.folder}.made"), arrays)
    staging = job.out.with_name(f".{job.out.name}.made")
    publish(str(staging), str(job.out), json.loads((staging / contract.FACTS).read_text()))
    return ended


def test_what_did_not_repeat_is_accepted_only_when_asked_to(keras_repro, tmp_path):
    """It is forgotten once a run repeats."""
    kernels = iter((1, 1.001, 1.001))

    def script(engine, job):
        return whole_run(engine, job, changed("weights/0.dense.kernel", next(kernels)))

    engine = MadeUpEngine(jax=script)
    assert [train(plan(tmp_path, "jax"), engine)[0].repeats for _ in range(2)] == [None, False]
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "did not repeat" in done.stderr
    assert "weights/0.dense.kernel" in done.stderr
    assert "--unrepeatable" in done.stderr
    assert "keras-repro train --backend jax --repeat 3" in done.stderr
    assert not (tmp_path / "baselines").exists()
    done = keras_repro(*ACCEPT, "--yes", "--unrepeatable")
    assert done.returncode == 0, done.stderr
    assert "mind: two runs of the same seed differ in weights/0.dense.kernel" in done.stdout
    assert train(plan(tmp_path, "jax"), engine)[0].repeats is True
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 0, done.stderr
    assert "mind" not in done.stdout


def test_what_parts_when_it_is_repeated_on_purpose_is_not_accepted_unasked(keras_repro, tmp_path):
    kernels = iter((1, 1, 1.001))

    def script(engine, job):
        return whole_run(engine, job, changed("weights/0.dense.kernel", next(kernels)))

    [trained] = train(plan(tmp_path, "jax", repeat=5), MadeUpEngine(jax=script))
    assert (trained.repeats, trained.runs) == (False, 3)
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 1
    assert "--unrepeatable" in done.stderr


def test_a_damaged_note_that_a_run_did_not_repeat_is_said(run, keras_repro):
    (run() / contract.NOT_REPEATED).write_text("{")
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 6
    assert contract.NOT_REPEATED in done.stderr
    assert done.stderr.count("\n") == 1


def test_accepting_shows_the_change_and_keeps_the_tolerances(accepted, run, keras_repro):
    document = json.loads((accepted / "baseline.json").read_text())
    document["tolerances"] = {"*": {"rtol": 1e-6, "atol": 0.0}}
    (accepted / "baseline.json").write_text(json.dumps(document))
    run(changed("weights/0.dense.kernel", 2))
    done = keras_repro("accept", "--backend", "jax", "--reason", "twice the weight", "--yes")
    assert done.returncode == 0
    assert "drift" in done.stdout
    document = json.loads((accepted / "baseline.json").read_text())
    assert document["reason"] == "twice the weight"
    assert document["tolerances"] == {"*": {"rtol": 1e-6, "atol": 0.0}}
    assert keras_repro("check", "--backend", "jax").returncode == 0


def test_nothing_is_accepted_where_one_backend_has_no_run(run, keras_repro, tmp_path):
    run()
    done = keras_repro("accept", "--reason", "all of them", "--yes")
    assert done.returncode == 3
    assert not (tmp_path / "baselines").exists()


def test_accepting_some_arrays_keeps_the_others(accepted, run, keras_repro):
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/test"] *= np.float32(1 + 1e-6)  # close
    arrays["predictions/1"] = np.ones(2, np.float32)
    run(arrays)
    options = ("--backend", "jax", "--reason", "the kernel", "--yes", "--only")
    done = keras_repro("accept", *options, "weights/*", "--only", "predictions/1")
    assert done.returncode == 0, done.stderr
    with np.load(accepted / "arrays.npz", allow_pickle=False) as archive:
        assert archive["weights/0.dense.kernel"] == 1.0
        assert archive["costs/test"] == 1.5  # as it was
        assert archive["predictions/1"].tolist() == [1, 1]
    checked = keras_repro("check", "--backend", "jax")
    assert checked.returncode == 0
    document = json.loads((accepted / "baseline.json").read_text())
    assert document["history"][-1]["only"] == ["weights/*", "predictions/1"]
    assert {change["name"] for change in document["history"][-1]["changes"]} == {
        "weights/0.dense.kernel",
        "predictions/1",
    }


def test_accepting_some_arrays_is_refused_where_another_drifts(accepted, run, keras_repro):
    before = files(accepted)
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/test"] *= 2
    run(arrays)
    done = keras_repro(*ACCEPT, "--yes", "--only", "weights/*")
    assert done.returncode == 1
    assert "costs/test" in done.stderr
    assert keras_repro(*ACCEPT, "--yes", "--only", "nothing").returncode == 2
    assert files(accepted) == before


def test_accepting_some_arrays_needs_a_whole_baseline(accepted, run, keras_repro):
    np.savez(accepted / "arrays.npz", **changed("costs/test", 3))
    done = keras_repro(*ACCEPT, "--yes", "--only", "weights/*")
    assert done.returncode == 6
    for path in accepted.iterdir():
        path.unlink()
    done = keras_repro(*ACCEPT, "--yes", "--only", "weights/*")
    assert done.returncode == 2
    assert "no baseline" in done.stderr


def test_accepting_shows_before_and_after_with_ulps(accepted, run, keras_repro):
    run(changed("weights/0.dense.kernel", 1 + 2**-23))
    done = keras_repro(*ACCEPT)
    _header, _, row = done.stdout.split("after", 1)[1].partition("difference")[2].splitlines()[:3]
    assert "before" in done.stdout
    assert row.split() == ["weights/0.dense.kernel", "[0,", "0]", "0.50000006", "0.5", "5.96e-08"]
    table = next(line for line in done.stdout.splitlines() if "close" in line)
    assert table.split()[:5] == ["weights/0.dense.kernel", "close", "6.0e-08", "1.2e-07", "1"]


def test_accepting_the_run_of_a_script_that_was_changed_since_says_so(keras_repro, tmp_path):
    (tmp_path / "train.py").write_text("one")
    facts = {"script_sha256": file_sha256(str(tmp_path / "train.py")), "script": "train.py"}
    make_run(tmp_path / "artifacts" / "train" / "jax", **facts)
    options = ("accept", "train.py", "--backend", "jax", "--reason", "x", "--yes")
    assert "was changed after" not in keras_repro(*options).stdout
    (tmp_path / "train.py").write_text("two")
    done = keras_repro(*options)
    assert done.returncode == 0
    assert "train.py was changed after this run" in done.stdout


def at_once(tmp_path, *commands):
    """Start these command lines together; return how each ended."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "keras_repro", *command],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    said = [process.communicate(timeout=60) for process in processes]
    return [(process.returncode, *texts) for process, texts in zip(processes, said, strict=True)]


@pytest.mark.long
def test_of_those_that_accept_at_once_each_is_in_the_history(accepted, run, tmp_path):
    run(changed("weights/0.dense.kernel", 2))
    reasons = [f"reason {number}" for number in range(8)]
    ended = at_once(
        tmp_path,
        *(("accept", "--backend", "jax", "--yes", "--reason", reason) for reason in reasons),
    )
    assert [code for code, _, _ in ended] == [0] * 8, ended
    history = json.loads((accepted / "baseline.json").read_text())["history"]
    assert sorted(entry["reason"] for entry in history) == sorted(["a good reason", *reasons])
    assert [path.name for path in accepted.parent.iterdir()] == ["jax"]


def test_accept_waits_while_another_asks(accepted, run, tmp_path):
    run(changed("weights/0.dense.kernel", 2))
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "keras_repro", *ACCEPT],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as first:
        shown = ""
        while "Make these the baselines" not in shown:
            shown += first.stdout.read(1)
        with subprocess.Popen(
            [sys.executable, "-u", "-m", "keras_repro", *ACCEPT, "--yes"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as second:
            said = second.stderr.readline()
            assert said == (
                "waiting: another keras-repro accept is at work on baselines/regression/jax\n"
            )
            first.communicate("y\n", timeout=60)
            shown, _ = second.communicate(timeout=60)
    assert (first.returncode, second.returncode) == (0, 0)
    assert "the numbers stay as they are" in shown  # compared with what the first accepted


def test_no_variable_accepts(accepted, run, keras_repro):
    """Nor says why, nor lets through what did not repeat."""
    before = files(accepted)
    run(changed("weights/0.dense.kernel", 2))
    done = keras_repro(
        "accept", "--backend", "jax", KERAS_REPRO_ACCEPT_YES="1", KERAS_REPRO_ACCEPT_REASON="x"
    )
    assert done.returncode == 2
    assert "say why with --reason" in done.stderr
    done = keras_repro(*ACCEPT, KERAS_REPRO_ACCEPT_YES="1")
    assert done.returncode == 2
    assert "use --yes" in done.stderr
    note = {"schema_version": contract.SCHEMA_VERSION, "array": "costs/train"}
    (accepted.parents[2] / "artifacts/regression/jax/not-repeated.json").write_text(
        json.dumps(note)
    )
    done = keras_repro(*ACCEPT, "--yes", KERAS_REPRO_ACCEPT_UNREPEATABLE="1")
    assert done.returncode == 1
    assert files(accepted) == before
