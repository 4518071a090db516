"""The trail, through the command line: what differs first is named, and the baseline keeps it."""

import json
import re

import numpy as np
import pytest

from keras_repro.recorder import contract
from tests.unit.commands.conftest import ACCEPT
from tests.unit.commands.test_verify import committed
from tests.unit.made import ARRAYS, changed, make_run
from tests.unit.trails import links, rounded, with_change

CHECK = ("check", "--backend", "jax")
DATA = "data: the second argument (y) of the first fit"
STORY = (
    f"first link that differs: {DATA}; "
    "importing jax drew 10 words from numpy.random (none in the baseline)"
)
OTHER_PROCESSOR = {"cpu": {"model": "another", "instruction_sets": [], "cores": 2}}


def story():
    """Return the links where importing JAX drew what the script then had as its data."""
    found = with_change(links(), 6)
    found[1]["states"]["numpy.random"] = "moved"
    found[1]["drew"] = {"numpy.random": 10}
    return found


@pytest.fixture
def with_trail(run, keras_repro, tmp_path):
    """Return the folder of a baseline that keeps a trail."""
    run(trail=links())
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 0, done.stderr
    return tmp_path / "baselines" / "regression" / "jax"


def test_check_names_the_first_link_and_guesses_no_more(with_trail, run, keras_repro):
    run(changed("costs/train", 2), trail=story())
    done = keras_repro(*CHECK)
    assert done.returncode == 1
    assert f"  {STORY}" in done.stdout.splitlines()
    assert "costs/train differs from the start; outside the tolerance at once" in done.stdout
    assert "the initial weights, or the first data" not in done.stdout
    arrays = changed("costs/train", 1)
    arrays["costs/train"][3] *= 1.01
    run(arrays, trail=story())
    done = keras_repro(*CHECK)
    assert "costs/train first differs after step 2; outside" in done.stdout
    assert "the update of step 2" not in done.stdout


def test_without_a_trail_on_a_side_the_old_words_stay(accepted, with_trail, run, keras_repro):
    run(changed("costs/train", 2))
    done = keras_repro(*CHECK)
    assert "the initial weights, or the first data" in done.stdout
    assert "link" not in done.stdout
    assert "trail" not in done.stdout


def test_the_same_bits_name_nothing(with_trail, run, keras_repro):
    run(trail=with_change(links(), 6))
    for options in ((), ("-v",), ("--format", "markdown")):
        done = keras_repro(*CHECK, *options)
        assert done.returncode == 0
        assert "first link" not in done.stdout
    document = json.loads(keras_repro(*CHECK, "--format", "json").stdout)
    [backend] = document["backends"]
    assert "first_link" not in backend
    assert backend["trail"]["data"] == "differs"


def test_the_costs_narrow_the_step(with_trail, run, keras_repro):
    """Costs 0 and 1 are those of steps 1 and 2."""
    arrays = changed("costs/train", 1)
    arrays["costs/train"][2] *= 1.5
    after = links()
    for at, link in enumerate(after):
        if link["kind"] == "weights" and link["step"] > 2:
            after = with_change(after, at)
    run(arrays, trail=after)
    done = keras_repro(*CHECK)
    assert "cost: the cost of step 3 (the loss); data and weights before it are" in done.stdout


def test_what_only_rounds_differently_names_nothing(with_trail, run, keras_repro):
    arrays = {name: array * np.float32(1 + 3e-7) for name, array in ARRAYS.items()}
    run(arrays, trail=rounded(links()), **OTHER_PROCESSOR)
    done = keras_repro(*CHECK, "-v", "--format", "json")
    assert done.returncode == 0
    [backend] = json.loads(done.stdout)["backends"]
    assert "first_link" not in backend
    assert backend["trail"]["later weights"] == "close"
    run(arrays, trail=rounded(links()))  # on the same one, each bit counts
    [backend] = json.loads(keras_repro(*CHECK, "--format", "json").stdout)["backends"]
    assert backend["first_link"]["kind"] == "initial weights"


def test_a_change_is_told_from_rounding(with_trail, run, keras_repro):
    arrays = {name: array * np.float32(1 + 3e-7) for name, array in ARRAYS.items()}
    arrays["predictions/0"] = arrays["predictions/0"] * 2
    run(arrays, trail=rounded(with_change(links(), 9)), **OTHER_PROCESSOR)
    done = keras_repro(*CHECK)
    assert "first link that differs: weights: 0.dense.kernel after step 1 (norm" in done.stdout
    assert "the cost of step 1 is the same within rounding" in done.stdout


def test_json_and_markdown_have_the_link_and_the_trail(with_trail, run, keras_repro):
    run(changed("costs/train", 2), trail=story())
    [backend] = json.loads(keras_repro(*CHECK, "--format", "json").stdout)["backends"]
    assert backend["first_link"] == {
        "kind": "data",
        "place": "the second argument (y) of the first fit",
        "step": None,
        "last_step": None,
        "text": "the second argument (y) of the first fit",
        "explanations": ["importing jax drew 10 words from numpy.random (none in the baseline)"],
    }
    assert list(backend["trail"].items()) == [
        ("environment", "same"),
        ("generators", "differs"),
        ("data", "differs"),
        ("initial weights", "same"),
        ("first step", "same"),
        ("later weights", "same"),
        ("results", "differs"),
    ]
    text = keras_repro(*CHECK, "--format", "markdown").stdout
    assert (
        "| trail | environment | generators | data | initial weights | first step | later weights "
        "| results |"
    ) in text
    assert "| | ✅ same | ❌ differs | ❌ differs | ✅ same" in text
    assert "- First link that differs: data: the second argument (y) of the first fit" in text


def test_the_report_has_the_trail_under_the_backend(with_trail, run, keras_repro, tmp_path):
    run(changed("costs/train", 2), trail=story())
    assert keras_repro("report", "--backend", "jax", "-o", "r.html").returncode == 0
    page = (tmp_path / "r.html").read_text()
    assert f'<p class="steps">{STORY[0].upper()}{STORY[1:]}.</p>' in page
    assert '<th scope="col">initial weights</th>' in page
    assert "the initial weights, or the first data" not in page
    run(changed("costs/train", 2))
    assert keras_repro("report", "--backend", "jax", "-o", "r.html").returncode == 0
    page = (tmp_path / "r.html").read_text()
    assert "Trail of" not in page
    assert "the initial weights, or the first data" in page


def test_where_no_array_differs_a_trail_that_does_is_nothing_bad(
    with_trail, run, keras_repro, tmp_path
):
    def links_of_the_page():
        keras_repro("report", "--backend", "jax", "-o", "r.html")
        [row] = re.findall(
            r'<th scope="row">links</th>(.*?)</tr>', (tmp_path / "r.html").read_text()
        )
        return row

    run(trail=with_change(links(), 6))
    row = links_of_the_page()
    assert "differs" in row
    assert 'class="bad"' not in row
    run(changed("costs/train", 2), trail=with_change(links(), 6))
    assert 'class="bad"' in links_of_the_page()


def test_compare_calls_the_two_by_their_order(tmp_path, keras_repro):
    make_run(tmp_path / "a", trail=links())
    make_run(tmp_path / "b", changed("costs/train", 2), trail=story())
    done = keras_repro("compare", "a", "b")
    assert "importing jax drew 10 words from numpy.random (none in the first)" in done.stdout
    done = keras_repro("compare", "b", "a")
    assert "drew nothing from numpy.random (10 words in the first)" in done.stdout
    document = json.loads(keras_repro("compare", "a", "b", "--format", "json").stdout)
    assert document["first_link"]["kind"] == "data"
    text = keras_repro("compare", "a", "b", "--format", "markdown").stdout
    assert "First link that differs" in text


def test_a_baseline_keeps_the_trail_and_accept_says_its_size(with_trail, run, keras_repro):
    kept = (with_trail / contract.TRAIL).read_bytes()
    folder = run(changed("costs/train", 2), trail=story())
    assert kept != (folder / contract.TRAIL).read_bytes()
    done = keras_repro(*ACCEPT, "--yes")
    size = (folder / contract.TRAIL).stat().st_size
    assert f"trail.json adds {size:,} bytes to what git keeps" in done.stdout
    assert (with_trail / contract.TRAIL).read_bytes() == (folder / contract.TRAIL).read_bytes()
    assert keras_repro(*CHECK).returncode == 0
    run()  # one that has none
    assert keras_repro(*ACCEPT, "--yes").returncode == 0
    assert not (with_trail / contract.TRAIL).exists()
    assert "trail_sha256" not in json.loads((with_trail / "baseline.json").read_text())


def test_accepting_some_arrays_takes_the_runs_trail_and_judges_within_rounding(
    with_trail, run, keras_repro
):
    """The arrays that are left out are close to the run's, but need not be its bits."""
    run(changed("predictions/0", 2), trail=with_change(links(), 13))
    done = keras_repro(*ACCEPT, "--yes", "--only", "predictions/*")
    assert done.returncode == 0, done.stderr
    kept = json.loads((with_trail / contract.TRAIL).read_text())["links"]
    assert kept == with_change(links(), 13)
    run({**changed("predictions/0", 3)}, trail=rounded(with_change(links(), 13)))
    done = keras_repro(*CHECK)
    assert "first link that differs: results: predictions/0" in done.stdout


def test_a_trail_that_cannot_be_read_is_not_accepted(with_trail, run, keras_repro):
    before = {path.name: path.read_bytes() for path in with_trail.iterdir()}
    folder = run(changed("costs/train", 2), trail=story())
    (folder / contract.TRAIL).write_text("{}")
    done = keras_repro(*ACCEPT, "--yes")
    assert done.returncode == 6
    assert "trail.json is damaged" in done.stderr
    assert not done.stdout  # nobody is shown what cannot be accepted
    assert {path.name: path.read_bytes() for path in with_trail.iterdir()} == before


@pytest.mark.parametrize("harm", ["edited", "gone", "link", "damaged"])
def test_a_baselines_trail_that_was_edited_tells_nothing(
    with_trail, run, keras_repro, tmp_path, harm
):
    path = with_trail / contract.TRAIL
    content = path.read_text()
    path.unlink()
    if harm == "link":
        (tmp_path / "elsewhere").write_text(content)
        path.symlink_to(tmp_path / "elsewhere")
    elif harm != "gone":
        path.write_text(content.replace("96", "97") if harm == "edited" else "[")
    run(changed("costs/train", 2), trail=story())
    done = keras_repro(*CHECK)
    assert done.returncode == 1
    assert "the first link that differs cannot be named" in done.stdout
    assert "trail.json is not the file that was accepted" in done.stdout
    done = keras_repro("verify", "--backend", "jax")
    assert done.returncode == 6
    assert "trail.json" in done.stdout


def test_compare_with_a_baseline_whose_trail_was_edited(with_trail, tmp_path, keras_repro):
    make_run(tmp_path / "b", changed("costs/train", 2), trail=story())
    for order in ((with_trail, "b"), ("b", with_trail)):
        assert "first link that differs: data" in keras_repro("compare", *order).stdout
    (with_trail / contract.TRAIL).write_text('{"schema_version": 1, "links": []}')
    for order in ((with_trail, "b"), ("b", with_trail)):
        done = keras_repro("compare", *order)
        assert "the first link that differs cannot be named" in done.stdout


def test_what_differs_after_the_last_link_is_named_in_the_order_of_time(
    with_trail, run, keras_repro
):
    """Weights are before what is predicted and tested with them."""
    arrays = changed("weights/0.dense.kernel", 2)
    for name in ("costs/test", "predictions/0"):
        arrays[name] = arrays[name] * 2
    run(arrays, trail=links())
    said = "first link that differs: weights: weights/0.dense.kernel and 2 more after step 8; "
    assert f"{said}the costs of steps 1 to 5 are the same bits" in keras_repro(*CHECK).stdout


def test_verify_knows_the_trail(with_trail, keras_repro, tmp_path):
    committed(tmp_path)
    done = keras_repro("verify", "--backend", "jax")
    assert done.returncode == 0
    assert re.search(r"trail +good +15 links have the SHA-256 of baseline\.json", done.stdout)
    done = keras_repro("verify", "--backend", "jax", "--format", "markdown")
    assert "| baseline | arrays | trail | history | git |" in done.stdout
    (with_trail / contract.TRAIL).write_text((with_trail / contract.TRAIL).read_text() + "\n")
    done = keras_repro("verify", "--backend", "jax", "--format", "json")
    assert done.returncode == 6
    [one] = json.loads(done.stdout)["baselines"]
    found = {part["part"]: (part["result"], part["says"]) for part in one["parts"]}
    assert found["trail"] == ("bad", "trail.json is not the file that was accepted")
    assert found["git"][0] == "bad"
    assert found["arrays"][0] == found["history"][0] == "good"


def test_a_trail_that_nobody_accepted(accepted, run, keras_repro, tmp_path):
    committed(tmp_path)
    (accepted / contract.TRAIL).write_text(json.dumps({"schema_version": 1, "links": links()}))
    run(changed("costs/train", 2), trail=story())
    done = keras_repro(*CHECK)
    assert "first link that differs:" not in done.stdout
    assert "is not the file that was accepted" not in done.stdout
    done = keras_repro("verify", "--backend", "jax")
    assert done.returncode == 6
    assert "trail.json was not accepted" in done.stdout
    (accepted / contract.TRAIL).unlink()
    done = keras_repro("verify", "--backend", "jax")
    assert done.returncode == 0
    assert "trail" not in done.stdout


def test_baselines_without_a_trail_are_said_once(accepted, run, keras_repro, tmp_path):
    make_run(tmp_path / "artifacts" / "regression" / "torch")
    assert keras_repro("accept", "--backend", "torch", "--reason", "r", "--yes").returncode == 0
    run(trail=links())
    make_run(tmp_path / "artifacts" / "regression" / "torch", trail=links())
    both = (*CHECK, "--backend", "torch")
    line = (
        "the baselines of jax and torch keep no trail: the first link that differs cannot be "
        "named; accept them anew with this version"
    )
    done = keras_repro(*both)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == line
    assert done.stdout.count("trail") == 1
    text = keras_repro(*both, "--format", "markdown").stdout
    assert text.splitlines()[-1] == line
    assert keras_repro("report", *both[1:], "-o", "r.html").returncode == 0
    assert (tmp_path / "r.html").read_text().count("keep no trail") == 1
    alone = keras_repro(*CHECK).stdout
    assert "the baseline of jax keeps no trail" in alone
    assert "accept it anew" in alone
    assert keras_repro(*ACCEPT, "--yes").returncode == 0
    assert "keep no trail" not in keras_repro(*CHECK).stdout


def test_what_a_hostile_trail_says_is_text(with_trail, run, keras_repro, tmp_path):
    after = with_change(links(), 6)
    after[6]["argument"] = "\x1b[31m<script>alert(1)</script>|[x](javascript:1)"
    run(changed("costs/train", 2), trail=after)
    for form in ("text", "json", "markdown"):
        done = keras_repro(*CHECK, "--format", form)
        assert done.returncode == 1
        assert "\x1b" not in done.stdout
        assert form == "json" or "first link" in done.stdout.lower()
        assert form != "markdown" or "<script>" not in done.stdout
    assert keras_repro("report", "--backend", "jax", "-o", "r.html").returncode == 0
    assert "<script>alert" not in (tmp_path / "r.html").read_text()
