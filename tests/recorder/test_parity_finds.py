"""What keras-repro parity finds outside layers and in odd calls; and its minimal scripts."""

import shutil

import pytest

from keras_repro.recorder import contract
from keras_repro.studies.parity.findings import KINDS
from tests.conftest import ROOT
from tests.recorder.compared import compare
from tests.recorder.minimal_scripts import run_all, write_every

WRITTEN = ROOT / "tests" / "scripts" / "parity"


@pytest.fixture
def compared(tmp_path, server, engine):
    """Compare two backends on a script."""

    def run(name, reference, against, *options):
        script = shutil.copy(WRITTEN / name, tmp_path / name)
        return compare(server, engine, script, reference, against, options=options)

    return run


def verdicts(model):
    return {layer.verdict for layer in model.layers}


def test_what_parts_in_the_first_batch(compared):
    made = compared("first_batch.py", "jax", "torch")
    done, found = made.done, made.models()
    assert done.returncode == 1, done.stdout + done.stderr
    # In the model, and in no layer.
    for name, label in (("after", "the model's output"), ("between", "the input of 1.dense")):
        assert verdicts(found[name]) == {"agrees"}
        assert [finding.label for finding in found[name].between] == [label]
    assert found["missing"].layers[1].parting[0].why == "the other backend does not call it"
    # In a layer, whatever its call is like.
    assert [layer.verdict for layer in found["explicit_mask"].layers] == ["agrees", "parts"]
    [counting] = found["counting"].layers
    assert counting.verdict == "parts"
    alone = "alone it does not compute on the other what it does in the model: 6.7e-01 apart"
    assert alone in counting.notes
    assert found["infinite"].layers[0].parting[0].why.startswith("is infinite with another sign")
    trained = {layer.class_name: layer.verdict for layer in found["only_in_training"].layers}
    assert trained == {"Dense": "agrees", "LeakyReLU": "parts"}
    # A loss is there only with the first targets.
    assert found["late_loss"].loss.parts
    assert verdicts(found["late_loss"]) == {"agrees"}
    # What is sound.
    for name in ("float32", "drawing", "two_of_one_name", "masks", "not_a_number", "mixed"):
        model = found[name]
        # Where a query is masked, PyTorch's attention has gradients that its outputs deny.
        sound = [layer for layer in model.layers if layer.class_name != "MultiHeadAttention"]
        assert {layer.verdict for layer in sound} == {"agrees"}, (name, done.stdout)
        assert not model.between
        assert not any(gradient.parts for gradient in model.gradients)
        assert not any("no gradients" in note for layer in model.layers for note in layer.notes)
    assert not found["mixed"].loss.parts
    labels = [finding.label for finding in found["two_of_one_name"].layers[0].findings]
    assert {"gradient of weight kernel 1", "gradient of weight kernel 2"} <= set(labels)
    attention = next(x for x in found["masks"].layers if x.class_name == "MultiHeadAttention")
    assert attention.passed < 1e-6
    assert not [finding for finding in attention.parting if "gradient" not in finding.kind]
    for draw in ("dropout", "shuffle", "binomial", "beta", "gamma", "categorical", "randint"):
        assert f"{draw} in first_batch.py" in " ".join(done.stdout.split())
    assert found["more"].problem == "the reference's run does not use this model"
    # Of several models it is said which.
    assert "torch parts from jax in 1.softmax (Softmax, softmax) of missing" in done.stdout
    assert "the costs of late_loss differ from step 0" in done.stdout


def test_weights_that_the_script_has_changed_are_left_to_it(compared, tmp_path):
    made = compared("own_training.py", "jax", "torch")
    done, found = made.done, made.models()
    assert done.returncode == 0, done.stdout + done.stderr
    for side in ("jax", "torch"):
        assert found[f"trained_on_{side}"].own_weights
        assert "the script had trained or loaded 0.dense" in found[f"trained_on_{side}"].notes[0]
    said = " ".join(done.stdout.split())
    assert "torch computes in each layer what jax does, as far as can be told: 6 layers" in said
    assert not found["inner"].own_weights
    log = tmp_path / "artifacts" / "own_training" / "parity" / "torch" / contract.LOG
    assert "inner keeps its weights: True" in log.read_text()


def test_a_layer_that_looks_at_the_numbers_is_called_once_on_jax_too(compared, tmp_path):
    done = compared("looks.py", "jax", "torch").done
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("not a fourth time") >= 2, done.stdout  # nor are errors passed over
    runs = [tmp_path / "artifacts" / "looks" / "parity" / name for name in ("jax", "torch")]
    logs = [(run / contract.LOG).read_text() for run in runs]
    assert logs[0] == logs[1]  # as many calls, as much drawn
    assert "looks 6" in logs[0]


def test_an_error_is_said_in_its_own_words(keras_repro, tmp_path, engine):
    (tmp_path / "fails.py").write_text(
        "import numpy as np, keras\n"
        "here = keras.backend.backend() == 'tensorflow'\n"
        "m = keras.models.Sequential([keras.layers.Dense(2, input_shape=(3,))])\n"
        "m.predict(np.full((4, 3), 2.0 if here else 1.0, 'float32'), verbose=0)\n"
    )
    sides = ("--reference", "theano", "--against", "tensorflow1", "--engine", engine)
    done = keras_repro("parity", "fails.py", *sides)
    assert done.returncode == 4
    said = " ".join(done.stdout.split())
    assert "tensorflow1: the first batch (batch/x/0) is not the reference's" in said
    assert "exit status" not in said
    assert "ParityError" not in said


def test_a_backend_among_the_arguments_is_an_error(keras_repro, tmp_path):
    (tmp_path / "any.py").write_text(
        "raise SystemExit('given ' + ' '.join(__import__('sys').argv))"
    )
    done = keras_repro("parity", "any.py", "--reference", "jax", "--against", "torch", "tensorflow")
    assert done.returncode == 2
    assert "write --against tensorflow" in done.stderr


def test_minimal_scripts_run_and_show_the_difference(compared, tmp_path, engine):
    options = ("-o", "p.html", "--format", "markdown")
    made = compared("minimal.py", "jax", "torch", *options)
    assert made.done.returncode == 1, made.done.stdout + made.done.stderr
    assert "[script](p-layers/jax-torch-model2-lstm.py) |" in made.done.stdout
    assert "| `Flatten` (flatten_1) | agrees |" in made.done.stdout
    written = {path.name for path in (tmp_path / "p-layers").glob("*.py")}
    assert written == {f"jax-torch-{name}.py" for name in ("lstm", "normal", "model2-lstm")}
    text = (tmp_path / "p-layers" / "jax-torch-model2-lstm.py").read_text()
    assert len(text.rpartition("from_config(config)")[2].splitlines()) <= 10
    assert 'if keras.backend.backend() == "torch":  # so the script has it' in text
    there = run_all(engine, tmp_path / "p-layers", "torch")
    assert min(there.values()) > 1e-3

    every = tmp_path / "every"
    assert not write_every(made, every, made.models())
    kinds = {path.stem.partition("-")[2] for path in every.glob("*.py")}
    assert kinds == set(KINDS)
    shutil.copytree(tmp_path / "p-layers", every, dirs_exist_ok=True)
    here = run_all(engine, every, "jax")
    assert set(here.values()) == {0.0}, here  # compiled as in the run, so rounded as there


def test_what_keras_2_scripts_do_and_their_minimal_scripts(compared, tmp_path, engine):
    made = compared("keras2.py", "theano", "tensorflow1", "-o", "p.html")
    [model] = made.models().values()
    parting = [layer.name for layer in model.layers if layer.parting]
    assert parting == ["slope"], made.done.stdout + made.done.stderr
    assert "shuffling in fit" in made.done.stdout
    assert {path.name for path in (tmp_path / "p-layers").glob("*.py")} == {
        "theano-tensorflow1-slope.py"
    }
    every = tmp_path / "every"
    refused = write_every(made, every, made.models())
    assert set(refused.values()) <= {"Convolution is the script's own", "Twice is the script's own"}
    shutil.copytree(tmp_path / "p-layers", every, dirs_exist_ok=True)
    here = run_all(engine, every, "theano")
    there = run_all(engine, every, "tensorflow1")
    assert max(here.values()) < 1e-5, here
    assert there["theano-tensorflow1-slope.py"] > 1e-3
