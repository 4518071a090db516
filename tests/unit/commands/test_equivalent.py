"""`keras-repro equivalent`: the decision on two ensembles, and what is said of it."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from keras_repro.report.json_text import SCHEMAS
from keras_repro.runs.ensemble import EnsembleFacts, content_sha256
from tests.unit.made import ensemble, spread_out

pytestmark = pytest.mark.long

ANSI = re.compile("\x1b")


@pytest.fixture
def decided(tmp_path, keras_repro):
    """Return how the command ends on two ensembles of one scalar."""

    def run(expected, obtained, *arguments, **variables):
        for name, values, first in (("a", expected, 0), ("b", obtained, 1_000)):
            document = values
            if not isinstance(values, dict):  # of other seeds: those of the same are no chance
                seeds = list(range(first, first + len(values)))
                document = ensemble(costs__test=values) | {"seeds": seeds}
            (tmp_path / f"{name}.json").write_text(json.dumps(document))
        done = keras_repro("equivalent", "a.json", "b.json", *arguments, **variables)
        assert "Traceback" not in done.stderr
        assert not ANSI.search(done.stdout + done.stderr)
        return done

    return run


def fails(count, of=30):
    return [*spread_out(of - count), *[np.nan] * count]


@pytest.mark.parametrize(
    ("expected", "obtained", "code", "says"),
    [
        (
            *(spread_out(30), spread_out(30), 0),
            [
                "Equivalent: the mean of costs/test is within its margin",
                "within the margin, ±0.9",
            ],
        ),
        (
            *(spread_out(30), spread_out(30, at=3), 1),
            [
                "Different: chance does not account for costs/test",
                "Welch's t",
                "in less than 0.02%",
            ],
        ),
        (
            *(spread_out(30), spread_out(30, deviation=3), 1),
            ["the spread is 3 times the expected", "Brown-Forsythe"],
        ),
        (
            *(spread_out(200), spread_out(200, at=0.4), 0),
            ["its margin; costs/test differs, by less than that", "the mean is 0.4 higher"],
        ),
        (
            *(spread_out(6), spread_out(6), 8),
            ["Inconclusive: 6 and 6 seeds cannot tell; about", "more of each", "not shown to be"],
        ),
        (
            *(spread_out(30), fails(2), 8),
            ["2 of 30 seeds end without a number", "-3 to +18 points", "Newcombe"],
        ),
        (*(spread_out(30), fails(15), 1), ["15 of 30 seeds", "Fisher's exact test"]),
        (
            *(np.full(30, 0.5), np.full(30, 0.5), 0),
            ["every seed gives 0.5, on both sides"],
        ),
        (*(np.full(6, 0.5), np.full(6, 0.5), 8), ["too few, or too alike", "19 more of each"]),
        (*(np.zeros(3), spread_out(3), 8), ["--margin 'costs/test=X'"]),
        (
            *(np.full(30, 0.5), np.full(30, 0.500001), 0),
            ["what rounding may do", "differs, by less"],
        ),
        (*(np.full(30, np.nan), np.full(30, np.nan), 8), ["no mean can be compared"]),
    ],
)
def test_what_is_decided_and_said(decided, expected, obtained, code, says):
    done = decided(expected, obtained)
    assert done.returncode == code
    for words in says:
        assert words in done.stdout, done.stdout
    plain = done.stdout.splitlines()
    assert max(map(len, (line for line in plain if "─" in line))) <= 100


@pytest.mark.parametrize("count", [30, 6])
def test_size_power_margin_and_seeds_are_printed_with_every_verdict(decided, count):
    done = decided(spread_out(30), spread_out(count))
    assert f"30 and {count} seeds, where nothing differs" in done.stdout
    assert re.search(r"'different' is said in \d\.\d%", done.stdout)
    assert re.search(r"it is taken to be within in \d\.\d%, and found to be off in", done.stdout)
    assert "margin" in done.stdout


def test_a_margin_of_the_users(decided):
    assert decided(spread_out(30), spread_out(30), "--margin", "costs/*=0.1").returncode == 8
    assert decided(spread_out(6), spread_out(6), "--margin", "costs/*=9").returncode == 0


def test_every_form_says_the_same(decided, tmp_path):
    done = decided(spread_out(30), fails(15), "--format", "json", "-o", "page.html")
    document = SCHEMAS["equivalent"].model_validate_json(done.stdout)
    assert (document.exit_code, document.verdict) == (1, "different")
    [scalar] = document.scalars
    assert scalar.significant == ["rate"]
    assert scalar.apart == (0, 15)
    assert scalar.interval[0] < 0 < scalar.interval[1]
    page = (tmp_path / "page.html").read_text()
    assert "15 of 30 seeds end without a number" in page
    assert page.count("<figure>") == 1
    assert "<svg" in page
    done = decided(spread_out(30), fails(15), "--format", "markdown")
    assert "**Different: chance does not account for costs/test.**" in done.stdout
    assert "| costs/test (counts) | ❌ different |" in done.stdout


@pytest.mark.parametrize("values", [[1e300, -1e300] * 10, [np.nan] * 9 + [1.0], [5e-324] * 20])
def test_any_numbers_are_drawn(decided, tmp_path, values):
    done = decided(values, values, "-o", "page.html", "--format", "json")
    assert done.returncode in (0, 8)
    json.loads(done.stdout)
    assert (tmp_path / "page.html").stat().st_size > 1000


def test_what_is_written_by_strangers_is_text(decided, tmp_path):
    hostile = "<script>\x1b[31m|x"
    made = ensemble(**{hostile: spread_out(30)})
    made["workload"] = "<b>&\x1b]0;x"
    for form in ("text", "markdown"):
        done = decided(made, made, "-o", "page.html", "--format", form)
        assert done.returncode == 0
    assert "<script>" not in (tmp_path / "page.html").read_text()
    assert "<b>&\\" not in (tmp_path / "page.html").read_text()


def changed(**changes):
    return {**ensemble(costs__test=spread_out(9)), **changes}


def of_scalar(**changes):
    document = changed()
    [scalar] = document["scalars"].values()
    scalar.update(changes)
    return document


SCALAR = {"primary": True, "margin": {"value": 1.0, "deviations": None}, "values": [1.0] * 9}


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (changed(schema_version=9), "schema version 9"),
        (changed(seeds=[1, 1, *range(7)]), "a seed stands there twice"),
        (changed(seeds=[1, 2]), "not a value for each seed"),
        (changed(seeds=[-1, *range(8)]), "greater than or equal to 0"),
        (changed(seeds=["1", *range(8)]), "valid integer"),
        (changed(scalars={}), "at least 1"),
        (changed(scalars={f"{n}": SCALAR for n in range(21)}), "at most 20"),
        (changed(workload="x" * 501), "at most 500"),
        (of_scalar(values=["1.0"] * 9), "not a number"),
        (of_scalar(values=[True] * 9), "not a number"),
        (of_scalar(margin={"value": 0.5, "deviations": 1.0}), "is not that of its values"),
        (of_scalar(margin={"value": -1.0, "deviations": None}), "greater than or equal"),
        (of_scalar(margin={"value": "inf", "deviations": None}), "valid number"),
        (of_scalar(primary=1), "valid boolean"),
        (changed(origin=[]), "valid dictionary"),
        (changed(history=[{"accepted": "", "reason": ""}]), "is not what was accepted"),
    ],
)
def test_what_is_no_ensemble_is_named(decided, document, why):
    done = decided(document, spread_out(9))
    assert done.returncode == 6
    assert done.stderr.startswith("comparing\nkeras-repro: a.json ") or done.stderr.startswith(
        "keras-repro: a.json "
    )
    assert why in done.stderr


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"schema_version": 1}', b"[" * 10**5]
)
def test_damaged_files(tmp_path, keras_repro, content):
    (tmp_path / "a.json").write_bytes(content)
    done = keras_repro("equivalent", "a.json", "a.json")
    assert done.returncode == 6
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_is_too_large_is_not_read(tmp_path, keras_repro):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(17 << 20)
    done = keras_repro("equivalent", "a.json", "a.json")
    assert done.returncode == 6
    assert "too large" in done.stderr


def test_no_link_is_followed(tmp_path, keras_repro):
    (tmp_path / "b.json").write_text(json.dumps(changed()))
    (tmp_path / "a.json").symlink_to("b.json")
    done = keras_repro("equivalent", "a.json", "b.json")
    assert done.returncode == 6
    assert "it is a link" in done.stderr


def test_scalars_of_another_model(decided):
    done = decided(spread_out(9), ensemble(loss=spread_out(9)))
    assert done.returncode == 2
    assert "b.json has no costs/test of a.json" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("a.json",), 2, "name two ensembles"),
        ((), 2, "name two ensembles"),
        (("a", "b", "--backend", "jax"), 2, "--backend takes one workload"),
        (("a", "b", "--margin", "x"), 2, "--margin 'x' is no margin"),
        (("a", "b", "--margin", "x=0"), 2, "--margin 'x=0' is no margin"),
        (("a", "b", "--margin", "x=1e101"), 2, "--margin 'x=1e101' is no margin"),
        (("a", "b", "--margin", "x=nan"), 2, "--margin 'x=nan' is no margin"),
        (("a", "b", "--margin", "x=1_0"), 2, "--margin 'x=1_0' is no margin"),
        (("no.json", "b"), 3, "no ensemble in no.json"),
        (("regression:jax", "sine:jax"), 3, "keras-repro ensemble regression --backend jax"),
        (("regression:nope", "b"), 2, "nope"),
        (("--backend", "jax"), 3, "keras-repro ensemble --backend jax --accept"),
    ],
)
def test_what_is_missing_or_wrong_is_named(keras_repro, arguments, code, says):
    done = keras_repro("equivalent", *arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert done.stderr.startswith("keras-repro: ")


def test_the_last_and_the_accepted_one_are_found(tmp_path, keras_repro):
    last = tmp_path / "artifacts" / "regression" / "jax.ensemble.json"
    accepted = tmp_path / "baselines" / "regression" / "jax" / "ensemble.json"
    for path in (last, accepted):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(ensemble(costs__test=spread_out(30))))
    nobodys = keras_repro("equivalent", "--backend", "jax")
    assert nobodys.returncode == 6
    assert "nobody accepted baselines/regression/jax/ensemble.json" in nobodys.stderr
    document = json.loads(last.read_text())
    document |= {"reason": "first", "accepted": "2026-01-01T00:00:00+00:00"}
    digest = content_sha256(EnsembleFacts.model_validate(document))
    entry = {"accepted": document["accepted"], "reason": "first", "arrays_sha256": digest}
    accepted.write_text(json.dumps({**document, "history": [entry]}))
    assert keras_repro("equivalent", "--backend", "jax").returncode == 0
    assert keras_repro("equivalent", "regression", "--backend", "jax").returncode == 0
    assert keras_repro("equivalent", "regression:jax", accepted).returncode == 0
    done = keras_repro("equivalent", ":jax", accepted)
    assert done.returncode == 0
    assert "was changed" not in done.stderr
    document = json.loads(last.read_text())
    document["origin"]["script_sha256"] = "0" * 64
    last.write_text(json.dumps(document))
    done = keras_repro("equivalent", "--backend", "jax")
    assert done.returncode == 0
    assert "keras-repro: the script was changed since artifacts" in done.stderr


def test_the_page_never_takes_the_place_of_an_ensemble(tmp_path, keras_repro):
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(json.dumps(ensemble(costs__test=spread_out(30))))
    (tmp_path / "link.html").symlink_to("b.json")
    before = (tmp_path / "a.json").read_text()
    for output in ("a.json", "./b.json", "link.html"):
        done = keras_repro("equivalent", "a.json", "b.json", "-o", output)
        assert (done.returncode, "one of the two ensembles" in done.stderr) == (2, True)
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text() == before


def test_an_ensemble_of_which_nothing_counts_is_damaged(tmp_path, keras_repro):
    document = ensemble(costs__test=spread_out(30))
    document["scalars"]["costs/test"]["primary"] = False
    (tmp_path / "a.json").write_text(json.dumps(document))
    done = keras_repro("equivalent", "a.json", "a.json")
    assert done.returncode == 6
    assert "no scalar of it counts" in done.stderr


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_pipe_that_nobody_reads_is_no_difference(tmp_path, form):
    (tmp_path / "a.json").write_text(json.dumps(ensemble(costs__test=spread_out(9))))
    words = [sys.executable, "-m", "keras_repro", "equivalent", "a.json", "a.json"]
    words += ["--format", form]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        words, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    said = done.stderr.removeprefix("comparing\n")  # where that takes long
    assert (done.returncode, said) == (7, "")


@pytest.mark.parametrize("count", [2, 3, 4])
def test_few_seeds_never_say_that_as_few_would_do(decided, count):
    done = decided(spread_out(count), ensemble(costs__test=spread_out(count, at=200.0)))
    assert done.returncode == 8
    said = re.search(r"about (\d+) on each side would", " ".join(done.stdout.split()))
    assert int(said[1]) > count


def test_rates_that_are_shown_to_be_alike_are_no_difference():
    from keras_repro.numbers.chance.decide import Decision, Scalar, decide
    from keras_repro.numbers.chance.within import Margin

    few = np.concatenate([spread_out(985), np.full(15, np.nan)])
    [found] = decide([Scalar("costs/test", spread_out(1000), few, Margin(1.0, 1.0))])
    assert found.decision is Decision.EQUIVALENT


def test_what_else_differs_is_named(decided):
    other = ensemble(costs__test=spread_out(30), weights__0=spread_out(30))
    other["origin"]["packages"] = {"keras": "3.1"}
    done = decided(spread_out(30), other)
    assert "also different: keras 3 -> 3.1" in done.stdout
    assert "only one side has weights/0" in done.stdout


def test_what_counts_is_configured(tmp_path, keras_repro):
    from keras_repro.project import configuration

    (tmp_path / "train.py").write_text("import keras\n")
    text = '[workloads.w]\nscript = "train.py"\nprimary = ["weights/*"]\n'
    (tmp_path / "keras-repro.toml").write_text(text + 'margins = { "costs/*" = 0.5 }\n')
    workload = configuration.load(tmp_path / "keras-repro.toml").workloads["w"]
    assert workload.primary == ("weights/*",)
    assert workload.margins == {"costs/*": 0.5}
