"""What keras-repro parity finds outside layers, in odd calls and late; and its minimal scripts."""

import re
import shutil

import pytest

from keras_repro import backends
from keras_repro.errors import ExitCode
from keras_repro.recorder import contract
from keras_repro.report.parity import minimal
from keras_repro.studies.parity.findings import KINDS, Finding, LayerParity
from keras_repro.studies.parity.judge import judge
from keras_repro.studies.parity.recorded import read_side
from keras_repro.studies.parity.study import Pair
from tests.conftest import ROOT, Scripts

WRITTEN = ROOT / "tests" / "scripts" / "parity"
DRIVER = """
import glob, runpy
for path in sorted(glob.glob("*-*.py")):
    print("script", path)
    runpy.run_path(path)
"""


@pytest.fixture
def compared(tmp_path, keras_repro, engine):
    """Compare two backends on a script; return the process, and the models by their names."""

    def run(name, reference, against, *options, **variables):
        if (WRITTEN / name).exists():
            shutil.copy(WRITTEN / name, tmp_path / name)
        sides = ("--reference", reference, "--against", against, "--engine", engine)
        arguments = [f"--env={key}={value}" for key, value in variables.items()]
        done = keras_repro("parity", name, *sides, *arguments, *options, cwd=tmp_path)
        folder = tmp_path / "artifacts" / name.removesuffix(".py") / "parity"
        found = judge(*(read_side(folder / side) for side in (reference, against)))
        return done, {model.name: model for model in found}

    return run


def verdicts(model):
    return {layer.verdict for layer in model.layers}


def test_what_parts_in_the_first_batch(compared):
    done, found = compared("first_batch.py", "jax", "torch")
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
    done, found = compared("own_training.py", "jax", "torch")
    assert done.returncode == 0, done.stdout + done.stderr
    for side in ("jax", "torch"):
        assert found[f"trained_on_{side}"].own_weights
        assert "the script had trained or loaded 0.dense" in found[f"trained_on_{side}"].notes[0]
    said = " ".join(done.stdout.split())
    assert "torch computes in each layer what jax does, as far as can be told: 6 layers" in said
    assert not found["inner"].own_weights
    log = tmp_path / "artifacts" / "own_training" / "parity" / "torch" / contract.LOG
    assert "inner keeps its weights: True" in log.read_text()


LATER = """
import keras
import numpy as np

draw = np.random.RandomState(0)
x, y = draw.rand(64, 8).astype("float32"), draw.rand(64, 1).astype("float32")
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.1), "mse")
for step in range(10):
    if step == 2 and keras.backend.backend() == "torch":
        model.optimizer.learning_rate = 1e-5
    model.train_on_batch(x, y)
"""


def test_what_parts_after_the_first_batch(compared, tmp_path):
    (tmp_path / "later.py").write_text(LATER)
    done, found = compared("later.py", "jax", "torch")
    assert done.returncode == 1, done.stdout + done.stderr
    assert verdicts(found["sequential"]) == {"agrees"}
    said = " ".join(done.stdout.split())
    assert "after the first batch, whose layers, loss and gradients agree: the costs part" in said
    assert re.search(r"from step 3 on by [\d.e-]+; look at what the script does between", said)


def test_an_error_is_said_in_its_own_words(keras_repro, tmp_path, engine):
    (tmp_path / "fails.py").write_text(
        "import numpy as np, keras\n"
        "here = keras.backend.backend() == 'torch'\n"
        "m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])\n"
        "m.predict(np.full((4, 3), 2.0 if here else 1.0, 'float32'), verbose=0)\n"
    )
    sides = ("--reference", "jax", "--against", "torch", "--engine", engine)
    done = keras_repro("parity", "fails.py", *sides)
    assert done.returncode == 4
    said = " ".join(done.stdout.split())
    assert "torch: the first batch (batch/x/0) is not the reference's" in said
    assert "exit status" not in said
    assert "ParityError" not in said


def test_a_backend_among_the_arguments_is_an_error(keras_repro, tmp_path):
    (tmp_path / "any.py").write_text(
        "raise SystemExit('given ' + ' '.join(__import__('sys').argv))"
    )
    done = keras_repro("parity", "any.py", "--reference", "jax", "--against", "torch", "tensorflow")
    assert done.returncode == 2
    assert "write --against tensorflow" in done.stderr


def every_script(pair, folder, sides, models):
    """Write a minimal script for every array of every layer, as if it parted there."""
    folder.mkdir(exist_ok=True)
    number, refused = 0, {}
    for model in models.values():
        for layer in model.layers:
            for finding in layer.findings:
                why = finding.why or "differs by nothing"
                alone = Finding(**{**vars(finding), "why": why})
                values = {**vars(layer), "findings": [alone]}
                made = minimal.minimal_script(
                    pair, sides[0], LayerParity(**values), f"{number}-{finding.kind}"
                )
                if made.problem:
                    refused[layer.name] = made.problem
                    continue
                (folder / f"{number}-{finding.kind}.py").write_text(made.script)
                (folder / f"{number}-{finding.kind}.npz").write_bytes(made.data)
                number += 1
    return refused


def run_all(engine, folder, backend):
    """Run all scripts of a folder on a backend; return the difference that each prints."""
    (folder / "driver.py").write_text(DRIVER)
    output = Scripts(engine, folder).bare(backend, folder / "driver.py")
    found = re.findall(r"^script (\S+)$.*?^\w+ largest difference: (\S+)$", output, re.M | re.S)
    assert len(found) == len(list(folder.glob("*-*.py"))), output
    return {name: float(figure) for name, figure in found}


def test_minimal_scripts_run_and_show_the_difference(compared, tmp_path, engine):
    options = ("-o", "p.html", "--format", "markdown")
    done, found = compared("minimal.py", "jax", "torch", *options)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "[script](p-layers/jax-torch-model2-lstm.py) |" in done.stdout
    assert "| `Flatten` (flatten_1) | agrees |" in done.stdout
    names = {path.stem for path in (tmp_path / "p-layers").glob("*.py")}
    assert names == {f"jax-torch-{name}" for name in ("lstm", "normal", "model2-lstm")}
    here = run_all(engine, tmp_path / "p-layers", "jax")
    there = run_all(engine, tmp_path / "p-layers", "torch")
    assert max(here.values()) < 1e-6
    assert min(there.values()) > 1e-3
    text = (tmp_path / "p-layers" / "jax-torch-model2-lstm.py").read_text()
    assert len(text.rpartition("from_config(config)")[2].splitlines()) <= 10
    assert 'if keras.backend.backend() == "torch":  # so the script has it' in text

    folder = tmp_path / "artifacts" / "minimal" / "parity"
    sides = [read_side(folder / name) for name in ("jax", "torch")]
    pair = Pair(*backends.select(("jax", "torch")), ExitCode.DRIFT)
    assert not every_script(pair, tmp_path / "every", sides, found)
    differences = run_all(engine, tmp_path / "every", "jax")
    kinds = {name.partition("-")[2] for name in differences}
    assert kinds == {f"{kind}.py" for kind in KINDS}
    assert max(differences.values()) < 1e-5, differences


def test_what_keras_2_scripts_do_and_their_minimal_scripts(compared, tmp_path, engine):
    done, found = compared("keras2.py", "theano", "tensorflow1", "-o", "p.html")
    [model] = found.values()
    parting = [layer.name for layer in model.layers if layer.parting]
    assert parting == ["slope"], done.stdout + done.stderr
    assert "shuffling in fit" in done.stdout
    assert {path.name for path in (tmp_path / "p-layers").glob("*.py")} == {
        "theano-tensorflow1-slope.py"
    }
    folder = tmp_path / "artifacts" / "keras2" / "parity"
    sides = [read_side(folder / name) for name in ("theano", "tensorflow1")]
    pair = Pair(*backends.select(("theano", "tensorflow1")), ExitCode.DRIFT)
    refused = every_script(pair, tmp_path / "every", sides, found)
    assert set(refused.values()) <= {"Convolution is the script's own", "Twice is the script's own"}
    shutil.copytree(tmp_path / "p-layers", tmp_path / "every", dirs_exist_ok=True)
    here = run_all(engine, tmp_path / "every", "theano")
    there = run_all(engine, tmp_path / "every", "tensorflow1")
    assert max(here.values()) < 1e-5, here
    assert there["theano-tensorflow1-slope.py"] > 1e-3
