"""Scripts as people write them are recorded whole, as they themselves have written it down.

Each calls ``written_down``, beside it, with what it computed. The record must have all of that
with the same bits, and nothing else of its kinds; a bare run must write down the same.
``make people`` has each of them run on every backend; else each runs on one, which the commit
decides.
"""

import hashlib
import json
import random
import shutil

import numpy as np
import pytest

from keras_repro.recorder import contract
from tests.conftest import BACKENDS
from tests.recorder.test_people import EVERYWHERE, FOLDER, NEW, OLD, chosen, commit

TENSORFLOW, TORCH, JAX = ("tensorflow",), ("torch",), ("jax",)

# Where each runs, and what it is about.
SCRIPTS = {
    "accumulate_tape": (
        TENSORFLOW,
        "gradients added up before they are applied, by a loop and under fit",
    ),
    "actor_critic_buffer": (TENSORFLOW, "DDPG: a method that is a tf.function, target networks"),
    "autoencoder": (BACKENDS, "an encoder and a decoder that share the layers of a third model"),
    "averaged_weights": (NEW, "moving averages, accumulation and a schedule by the optimizer"),
    "callback_trains": (BACKENDS, "callbacks that evaluate, predict and train another model"),
    "callbacks_of_all_kinds": (
        BACKENDS,
        "schedules, stopping early and going back, a log, lambdas",
    ),
    "child_fork": (("theano", "torch"), "forked workers that use the model, beside the parent"),
    "convnet": (BACKENDS, "pictures from an npz file"),
    "custom_parts": (NEW, "a layer, a metric and a schedule of its own, losses that layers add"),
    "dcgan_tapes": (TENSORFLOW, "a GAN with two tapes in one tf.function"),
    "deep_dream": (OLD, "K.gradients by an input, after fit"),
    "digits_mlp": (BACKENDS, "the classifier that everybody begins with"),
    "distillation": (NEW, "a subclassed model of two models, with a compute_loss of its own"),
    "ensemble": (BACKENDS, "models that are parts of another one"),
    "estimator": (BACKENDS, "arguments, JSON, CSV, a class in the manner of scikit-learn"),
    "federated": (BACKENDS, "a model for each client and round, weights averaged by hand"),
    "gan_alternating": (BACKENDS, "a GAN of two compiled models, train_on_batch in turns"),
    "gan_torch": (TORCH, "a GAN with two of PyTorch's optimizers"),
    "grad_scaler": (TORCH, "automatic mixed precision with a GradScaler"),
    "gradient_accumulation": (TORCH, "several backward passes a step, a subclassed model"),
    "grid_search": (("tensorflow1", *NEW), "clear_session between models"),
    "imbalanced": (BACKENDS, "class weights and sample weights"),
    "jax_agent": (JAX, "a jitted method of a class that is static to it"),
    "jax_jitted_step": (JAX, "a jitted step whose state goes back to the model"),
    "jax_scan": (JAX, "lax.scan over steps and epochs"),
    "jax_value_and_grad": (JAX, "a loop without jit"),
    "jax_value_of_pytree": (JAX, "a jitted step of weights that never go back to the model"),
    "k_function_loop": (OLD, "K.function and get_updates"),
    "kfold_housing": (BACKENDS, "a model for each fold, dropped after it"),
    "leaves_at_once": (("theano", "jax", "torch"), "os._exit at the end"),
    "lstm_forecast": (BACKENDS, "a series, and prediction step by step"),
    "metric_names": (("theano", *NEW), "metrics whose names are the same once they are made safe"),
    "mixed_precision": (NEW, "bfloat16 inside"),
    "notebook": (BACKENDS, "a notebook as a script, with plots"),
    "own_train_on_batch": (BACKENDS, "a train_on_batch of its own"),
    "pinn_lbfgs": (TORCH, "gradients by the inputs, and LBFGS"),
    "predict_in_a_loop": (BACKENDS, "thirty predictions of one line, and a few of another"),
    "py_dataset": (NEW, "a PyDataset with workers and sample weights"),
    "q_learning": (BACKENDS, "a target network by set_weights, prediction at each move"),
    "quantized": (NEW, "int8 in the place of weights that were trained"),
    "regularized": (BACKENDS, "regularizers, constraints, noise, batch normalization"),
    "resume_training": (BACKENDS, "checkpoints of whole models, one of which trains on"),
    "review_embedding": (BACKENDS, "texts from a file, an embedding"),
    "save_keras3": (NEW, "the .keras format, a registered layer, a clone"),
    "scaled_losses": (NEW, "float16 in a loop, losses that the optimizer scales"),
    "seq2seq": (("tensorflow1", *NEW), "encoder and decoder, and two models to decode with"),
    "session_loop": (("tensorflow1",), "tf.Session and tf.train around Keras' layers"),
    "siamese": (BACKENDS, "one network twice in a model"),
    "steps_per_execution": (("tensorflow", "jax"), "eight steps in one call"),
    "subclassed_late": (BACKENDS, "a subclassed model that its first batch builds"),
    "tagger": (("tensorflow1", *NEW), "layers in layers, masks"),
    "tape_eager": (TENSORFLOW, "GradientTape, eager"),
    "tape_function": (TENSORFLOW, "GradientTape in a tf.function, a subclassed model"),
    "text_generation": (BACKENDS, "a callback that predicts, a recurrent network"),
    "tf_data_pipeline": (TENSORFLOW, "windows by tf.data, tf.keras"),
    "tf_keras_old": (("tensorflow1",), "tf.keras of TensorFlow 1"),
    "theano_updates": (("theano",), "a Theano function with updates by hand"),
    "torch_classifier": (TORCH, "PyTorch's loop with its optimizer and a scheduler"),
    "torch_dataset": (TORCH, "a Dataset and a DataLoader for fit"),
    "torch_keras_optimizer": (TORCH, "PyTorch's loop with Keras' optimizer"),
    "train_step_jax": (JAX, "a train_step of its own"),
    "train_step_tensorflow": (TENSORFLOW, "a train_step of its own"),
    "train_step_torch": (TORCH, "a train_step of its own"),
    "transfer": (BACKENDS, "weights from a file, frozen, then fine-tuned"),
    "transformer": (NEW, "attention, positions, masks, a schedule of its own"),
    "two_outputs": (BACKENDS, "three inputs, two outputs, weighted losses, by names"),
    "two_phase": (TENSORFLOW, "fit, a tape, fit"),
    "vae": (NEW, "a variational autoencoder with a layer that samples"),
    "vae_keras2": (OLD, "a variational autoencoder with a Lambda and the model's add_loss"),
    "wgan_gp": (TENSORFLOW, "a train_step with several optimizer steps, a compile of its own"),
}
ARGUMENTS = {"estimator": ("--seed", "4", "data/points.csv")}
PAIRS = [(name, backend) for name, (accepting, _) in SCRIPTS.items() for backend in accepting]
SOME = 16  # where not all run; others with each commit
RUNS = chosen(PAIRS)
if not EVERYWHERE:
    RUNS = sorted(random.Random(commit()).sample(RUNS, min(SOME, len(RUNS))))
MARK = "written down: "


def written_down(output):
    [line] = [text for text in output.splitlines() if text.startswith(MARK)]
    return json.loads(line[len(MARK) :])


def differences(count, arrays, facts):
    """Return in what the record is not what the script wrote down, a line each."""
    found = []
    for name, wanted in count["series"].items():
        values = np.array([float.fromhex(text) for text in wanted])
        if name not in arrays:
            found.append(f"{name} is missing")
        elif not np.array_equal(np.ravel(arrays[name]).astype(float), values, equal_nan=True):
            found.append(f"{name} is {np.ravel(arrays[name])}, not {values}")
    for name, wanted in count["arrays"].items():
        known = facts["arrays"].get(name)
        if known is None:
            found.append(f"{name} is missing")
            continue
        digest = hashlib.sha256(np.ascontiguousarray(arrays[name]).tobytes()).hexdigest()
        kept = {"dtype": known["dtype"], "shape": known["shape"], "sha256": digest}
        if kept != wanted:
            found.append(f"{name} is another array: {kept}, not {wanted}")
    for name in arrays:
        kind = contract.ArrayName.parse(name).kind.value
        if kind not in count["PARTLY"] and name not in {**count["series"], **count["arrays"]}:
            found.append(f"{name} is more than was written down")
    steps = count["steps"] or sum(
        len(values) for name, values in count["series"].items() if name.endswith("costs/train")
    )
    if sorted(facts["not_recorded"]) != count["unseen"]:
        found.append(f"it says that it has not {facts['not_recorded']}")
    if facts["steps"] != steps:
        found.append(f"{facts['steps']} steps, not {steps}")
    return found


@pytest.mark.parametrize(("name", "backend"), RUNS)
def test_the_record_is_what_the_script_wrote_down(name, backend, scripts):
    shutil.copytree(FOLDER, scripts.folder, dirs_exist_ok=True)
    script, arguments = scripts.folder / f"{name}.py", ARGUMENTS.get(name, ())
    recorded = scripts.record(backend, script, *arguments)
    assert recorded.status == 0, recorded.output
    count = written_down(recorded.log)
    found = differences(count, recorded.arrays, recorded.facts)
    assert not found, "\n".join(found)
    assert written_down(scripts.bare(backend, script, *arguments, seeded=True)) == count


@pytest.mark.parametrize("backend", ["jax", "tensorflow"])
def test_keras_in_other_processes_alone_is_said(backend, scripts):
    script = shutil.copy(FOLDER / "child_process.py", scripts.folder / "child_process.py")
    failed = scripts.record(backend, script)
    assert failed.status == contract.EXIT_FAILED
    assert "the processes that it started are not watched" in failed.facts["reason"]
