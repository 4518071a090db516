"""`keras-repro history`, through the command line."""

import json

from tests.unit.made import changed


def test_history(accepted, run, keras_repro, tmp_path):
    document = json.loads((accepted / "baseline.json").read_text())
    del document["history"]  # as before there was any
    (accepted / "baseline.json").write_text(json.dumps(document))
    arrays = changed("weights/0.dense.kernel", 2)
    arrays["costs/train"][-1] = 0.25
    run(arrays, packages={"keras": "4"})
    assert (
        keras_repro("accept", "--backend", "jax", "--reason", "Keras [4]", "--yes").returncode == 0
    )
    done = keras_repro("history", "--backend", "jax", "--plot", "costs.svg")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.index("a good reason"), done.stdout.index("Keras [4]")
    assert first < second
    assert "the first baseline" in done.stdout[first:second]
    assert "keras 3 -> 4" in done.stdout[second:]
    assert "weights/0.dense.kernel drift by 5.0e-01" in " ".join(done.stdout[second:].split())
    assert "0.25" in done.stdout
    assert (tmp_path / "costs.svg").read_text().startswith("<?xml")
    history = json.loads((accepted / "baseline.json").read_text())["history"]
    assert [entry["final_cost"] for entry in history] == [1.0, 0.25]


def test_history_of_nothing(keras_repro):
    done = keras_repro("history")
    assert done.returncode == 3
    assert "keras-repro accept" in done.stderr


def test_a_plot_in_a_format_that_does_not_exist(accepted, keras_repro):
    done = keras_repro("history", "--plot", "costs.doc")
    assert done.returncode == 2
    assert "costs.doc" in done.stderr
    done = keras_repro("history", "--plot", "/proc/x/costs.png")
    assert done.returncode == 7
