"""What reviews and fuzzing found: runs that are odd, damaged or hostile, through the commands."""

import json
import os
import struct
import zipfile

import numpy as np
import pytest

from keras_repro.errors import UnreadableError
from keras_repro.runs import npz
from keras_repro.studies import check
from tests.unit.made import ARRAYS, change_facts, changed, make_run

pytestmark = pytest.mark.long

ACCEPT = ("accept", "--backend", "jax", "--yes", "--reason")


@pytest.fixture
def run(tmp_path, keras_repro):
    folder = make_run(tmp_path / "artifacts" / "regression" / "jax")
    assert keras_repro(*ACCEPT, "first").returncode == 0
    return folder


@pytest.fixture
def baseline(run, tmp_path):
    return tmp_path / "baselines" / "regression" / "jax"


def no_traceback(done, *codes):
    assert "Traceback" not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert done.returncode in codes, done.stdout + done.stderr
    return done


@pytest.mark.parametrize("name", ["costs/train", "metrics/train.mae"])
@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_cost_that_is_no_series(tmp_path, keras_repro, name, form):
    for folder, value in (("a", 1), ("b", 2)):
        make_run(tmp_path / folder, {name: np.array(value, np.float32)})
    no_traceback(keras_repro("compare", "a", "b", "--format", form), 1)


def test_a_tolerance_that_overflows_the_dtype(tmp_path, keras_repro):
    make_run(tmp_path / "a", {"weights/0": np.array([0, 1.001], np.float16)})
    make_run(tmp_path / "b", {"weights/0": np.array([0, 1], np.float16)})
    make_run(tmp_path / "c", {"weights/0": np.array([-0.0, 1], np.float16)})
    for other in ("b", "c"):
        for rtol in ("1e5", "1e300"):
            done = no_traceback(keras_repro("compare", "a", other, "--rtol", rtol), 0)
            assert "close" in done.stdout
            assert done.stderr == ""


def test_a_flipped_bit_is_trained_again(tmp_path):
    from keras_repro.studies.train.staleness import stale_reason
    from tests.unit.studies.train.test_train import MadeUpEngine, plan, train

    asked = plan(tmp_path, "jax", if_needed=True)
    first = train(asked, MadeUpEngine())[0]
    path = first.run.folder / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[content.index(ARRAYS["predictions/0"].tobytes())] ^= 1
    path.write_bytes(content)
    [backend] = asked.backends
    assert stale_reason(asked, backend, MadeUpEngine()) == "the run is damaged"


def test_accepting_over_damaged_arrays_keeps_history_and_tolerances(run, baseline, keras_repro):
    document = json.loads((baseline / "baseline.json").read_text())
    document["tolerances"] = {"*": {"rtol": 0.5}}
    (baseline / "baseline.json").write_text(json.dumps(document))
    (baseline / "arrays.npz").write_bytes(b"PK")
    no_traceback(keras_repro(*ACCEPT, "second"), 0)
    document = json.loads((baseline / "baseline.json").read_text())
    assert [entry["reason"] for entry in document["history"]] == ["first", "second"]
    assert document["tolerances"] == {"*": {"rtol": 0.5, "atol": 0.0}}


@pytest.mark.parametrize("text", ["{", '{"schema_version": 99}'])
def test_facts_that_cannot_be_read_are_not_replaced(run, baseline, keras_repro, text):
    (baseline / "baseline.json").write_text(text)
    done = no_traceback(keras_repro(*ACCEPT, "second"), 6)
    assert "git checkout" in done.stderr or "newer keras-repro" in done.stderr
    assert (baseline / "baseline.json").read_text() == text


def test_a_mixed_baseline_blames_nobody_wrongly(run, baseline, keras_repro):
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/test"] *= np.float32(1 + 1e-6)
    make_run(run, arrays, cpu={"model": "a newer processor"})
    no_traceback(keras_repro(*ACCEPT, "the kernel", "--only", "weights/*"), 0)
    done = no_traceback(keras_repro("check", "--backend", "jax", "-v"), 0)
    assert "likely cause: processor a processor -> a newer processor" in done.stdout
    assert "same bits are" not in done.stdout
    history = json.loads((baseline / "baseline.json").read_text())["history"]
    assert history[-1]["final_cost"] == history[0]["final_cost"] == 1.0
    assert "only weights/*" in keras_repro("history", "--backend", "jax").stdout


def test_the_final_cost_of_a_partial_acceptance_is_that_of_the_costs_kept(
    run, baseline, keras_repro
):
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/train"][-1] *= np.float32(1 + 1e-6)
    make_run(run, arrays)
    no_traceback(keras_repro(*ACCEPT, "the kernel", "--only", "weights/*"), 0)
    history = json.loads((baseline / "baseline.json").read_text())["history"]
    assert history[-1]["final_cost"] == 1.0


def test_an_index_that_lies(run, baseline, keras_repro):
    make_run(run, changed("weights/0.dense.kernel", 2))
    change_facts(run, arrays={"weights/ghost": {"dtype": "float32", "shape": [1]}})
    no_traceback(keras_repro(*ACCEPT, "x", "--only", "weights/*"), 0)
    with np.load(baseline / "arrays.npz") as archive:
        assert set(archive.files) == set(ARRAYS)
    assert set(json.loads((baseline / "baseline.json").read_text())["arrays"]) == set(ARRAYS)


def test_names_of_dtypes_and_of_facts_cannot_write_to_the_terminal(run, baseline, keras_repro):
    make_run(run, {**ARRAYS, "weights/v": np.zeros(1, "V2")})
    facts = json.loads((run / "run.json").read_text())["arrays"]
    facts["weights/v"]["dtype"] = "ev\x1b[31mil\n\x1b]0;pwn\x07"
    change_facts(run, arrays=facts)
    no_traceback(keras_repro(*ACCEPT, "x"), 0)
    make_run(run, {**ARRAYS, "weights/v": np.zeros(1, "V3")})
    no_traceback(keras_repro("check", "--backend", "jax"), 1)
    document = json.loads((baseline / "baseline.json").read_text())
    document["history"][0]["environment"] = {"\x1b[31mred": "x"}
    (baseline / "baseline.json").write_text(json.dumps(document))
    assert "\\x1b[31mred" in no_traceback(keras_repro("history", "--backend", "jax"), 0).stdout


def test_figures_that_no_float_holds(run, baseline, keras_repro):
    arrays = {**ARRAYS, "predictions/n": np.array([1, 2], np.uint64)}
    make_run(run, arrays)
    no_traceback(keras_repro(*ACCEPT, "x"), 0)
    document = json.loads((baseline / "baseline.json").read_text())
    document["history"][-1]["changes"][0]["max_absolute"] = 10**400
    document["history"][-1]["final_cost"] = 1.7e308
    (baseline / "baseline.json").write_text(json.dumps(document))
    no_traceback(keras_repro("history", "--backend", "jax"), 0)
    no_traceback(keras_repro("report", "--backend", "jax"), 0)


def test_costs_that_are_bytes(run, keras_repro):
    make_run(run, {**ARRAYS, "costs/train": np.zeros(5, "V4")})
    no_traceback(keras_repro(*ACCEPT, "x"), 0)
    no_traceback(keras_repro("report", "--backend", "jax"), 0)


@pytest.mark.parametrize("value", [-1.0, "inf", "nan"])
def test_tolerances_that_are_none(run, baseline, keras_repro, value):
    document = json.loads((baseline / "baseline.json").read_text())
    document["tolerances"] = {"*": {"rtol": value}}
    (baseline / "baseline.json").write_text(json.dumps(document))
    assert "tolerances" in no_traceback(keras_repro("check", "--backend", "jax"), 6).stdout


def test_an_edited_baseline_is_compared_with_nothing(run, baseline, keras_repro):
    np.savez(baseline / "arrays.npz", **changed("costs/test", 3))
    done = no_traceback(keras_repro("compare", baseline, run), 6)
    assert "not the file that was accepted" in done.stderr


def test_only_where_one_backend_has_no_such_array(run, keras_repro, tmp_path):
    make_run(run.with_name("torch"), {"costs/train": np.zeros(2)})
    assert keras_repro("accept", "--backend", "torch", "--yes", "--reason", "x").returncode == 0
    both = ("--backend", "jax", "--backend", "torch", "--only", "weights/*")
    done = no_traceback(keras_repro("check", *both, "-v"), 2)
    assert "weights/0.dense.kernel" in done.stdout
    assert "no array matches 'weights/*'" in done.stdout


def test_two_runs_of_nothing(tmp_path, keras_repro):
    for folder in ("a", "b"):
        make_run(tmp_path / folder, {})
    assert "nothing to compare" in no_traceback(keras_repro("compare", "a", "b"), 6).stderr


def test_a_log_and_figures_that_lead_elsewhere_stay_out_of_the_page(run, keras_repro, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "log").write_text("TOPSECRET")
    (secret / "01.png").write_bytes(b"\x89PNG\r\n\x1a\nTOPSECRET")
    make_run(run, outcome="failed", reason="x")
    (run / "log.txt").unlink()
    (run / "log.txt").symlink_to(secret / "log")
    (run / "figures").symlink_to(secret)
    no_traceback(keras_repro("report", "--backend", "jax"), 0)
    page = (tmp_path / "report.html").read_text()
    assert "TOPSECRET" not in page
    assert "that the script showed" not in page


def test_a_report_is_written_through_links_and_into_pipes(run, keras_repro, tmp_path):
    (tmp_path / "real.html").write_text("old")
    (tmp_path / "link.html").symlink_to(tmp_path / "real.html")
    no_traceback(keras_repro("report", "--backend", "jax", "-o", "link.html"), 0)
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "real.html").read_text().startswith("<!DOCTYPE html>")
    done = no_traceback(keras_repro("report", "--backend", "jax", "-o", "/dev/stdout"), 0)
    assert done.stdout.startswith("<!DOCTYPE html>")


def header(length: int) -> bytes:
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", length)


def test_a_header_that_says_it_is_long_is_not_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", header(1 << 30) + b" " * 100)
    with pytest.raises(UnreadableError, match="too long"):
        npz.Npz(tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        text = b"{'descr': '<U30000000', 'fortran_order': False, 'shape': (0,), }"
        archive.writestr("a.npy", header(len(text)) + text)
    with pytest.raises(UnreadableError, match="dtype"):
        npz.Npz(tmp_path / "a.npz")


def test_a_large_array_is_not_read_again_to_verify_it(tmp_path, monkeypatch, keras_repro):
    paths = []
    for name, value in (("a", 0), ("b", 1)):
        np.savez(tmp_path / f"{name}.npz", w=np.full(4, value))
        paths.append(tmp_path / f"{name}.npz")
    content = bytearray(paths[1].read_bytes())
    content[content.index(np.int64(1).tobytes())] = 7
    paths[1].write_bytes(content)
    arrays = [npz.Npz(path) for path in paths]
    with pytest.raises(UnreadableError, match="checksum"):
        check.compare_stored(*arrays, lambda name: check.Tolerance(0, 0))
    monkeypatch.setattr(check, "VERIFIED_BYTES", 8)
    [found] = check.compare_stored(*arrays, lambda name: check.Tolerance(0, 0))
    assert found.verdict == "drift"


def test_a_file_of_the_other_byte_order_has_ulps_too(tmp_path):
    from keras_repro.numbers.comparison import compare_array

    np.savez(tmp_path / "a.npz", w=np.array([1], ">f4"))
    np.savez(tmp_path / "b.npz", w=np.array([np.nextafter(np.float32(1), np.float32(2))], ">f4"))
    one, two = (npz.Npz(tmp_path / f"{name}.npz")["w"] for name in "ab")
    found = compare_array("w", two, one, check.Tolerance(0, 0))
    assert (found.max_ulps, found.expected) == (1, 1.0)


def test_many_backends_whose_texts_are_long_make_a_page_under_3_mb(tmp_path, keras_repro):
    names = ("tensorflow1", "theano", "jax", "tensorflow", "torch")
    rng = np.random.default_rng(0)
    options = [word for name in names for word in ("--backend", name)]
    long = "<&\"'" * 20_000
    for name in names:
        folder = tmp_path / "artifacts" / "regression" / name
        arrays = {f"weights/{n}{'&' * 3000}": rng.random((3, 3)) for n in range(300)}
        arrays |= {f"metrics/train.{n}{'<' * 3000}": rng.random(50) for n in range(30)}
        arrays |= {"costs/train": rng.random(100_000), "predictions/0": rng.random((20_000, 3))}
        make_run(folder, arrays)
        done = keras_repro("accept", "--backend", name, "--yes", "--reason", long)
        assert done.returncode == 0, done.stderr
        arrays = {key: array * 1.01 for key, array in arrays.items()}
        make_run(folder, arrays, packages={f"{n}{long}": long for n in range(100)}, script=long)
        (folder / "figures").mkdir()
        for n in range(9):
            (folder / "figures" / f"{n}.png").write_bytes(
                b"\x89PNG\r\n\x1a\n" + os.urandom(150_000)
            )
    no_traceback(keras_repro("report", *options), 0)
    assert (tmp_path / "report.html").stat().st_size < 3_000_000
    done = no_traceback(keras_repro("check", *options, "--format", "markdown"), 1)
    assert len(done.stdout.encode()) < 60_000
    assert "more backends: see the report" in done.stdout or done.stdout.count("###") == 5


DEEP = {"list": lambda n: json.loads("[" * n + "]" * n)}
DEEP["object"] = lambda n: json.loads('{"a":' * n + "1" + "}" * n)
DOCUMENTS = [{"completed": True}, [], 7]


@pytest.mark.parametrize("kind", DEEP)
@pytest.mark.parametrize("depth", [300, 900])
@pytest.mark.parametrize("fact", ["determinism", "unknown"])
def test_facts_that_are_nested_deep(run, baseline, keras_repro, kind, depth, fact):
    before = (baseline / "baseline.json").read_bytes()
    change_facts(run, **{fact: {"a": DEEP[kind](depth)}})
    for command in (("check", "--backend", "jax"), (*ACCEPT, "x"), ("compare", baseline, run)):
        no_traceback(keras_repro(*command), 6)
    assert (baseline / "baseline.json").read_bytes() == before


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
@pytest.mark.parametrize("place", ["run.json", "baseline.json", "not-repeated.json"])
def test_a_document_that_is_another(run, baseline, keras_repro, document, place):
    path = baseline / place if place == "baseline.json" else run / place
    path.write_text(json.dumps(document))
    for command in (
        ("check", "--backend", "jax", "--format", "json"),
        ("history", "--backend", "jax"),
        (*ACCEPT, "x"),
        (*ACCEPT, "x", "--only", "costs/*"),
        ("compare", baseline, run),
        ("report", "--backend", "jax"),
    ):
        done = no_traceback(keras_repro(*command), 0, 3, 6)
        assert place in done.stdout + done.stderr or done.returncode == 0
