"""Projects to search: one script, and planted releases of what it imports."""

from collections.abc import Callable
from pathlib import Path

from tests.planted_index import PlantedIndex

SCRIPT = """
import keras
import numpy
import planted
from keras_repro import record

for step in range(4):
    record.cost(numpy.float32(step * planted.VALUE))
record.prediction(numpy.arange(3, dtype="float32"))
"""
WITH_COMPANION = SCRIPT.replace("import planted", "import planted, planted_companion").replace(
    "planted.VALUE", "(planted.VALUE + planted_companion.VALUE)"
)
# Importing Keras is nine tenths of a trial of that script, which has no model and needs none. This
# is what the recorder asks of Keras, for where Keras itself is not what is tried.
STAND_IN = """
from types import SimpleNamespace

__version__ = "3.15.1"
Layer = type("Layer", (), {"add_weight": lambda self: None, "__call__": lambda self: None})
layers = SimpleNamespace(Layer=Layer)
models = SimpleNamespace(Model=type("Model", (Layer,), {}))
Variable = type("Variable", (), {"assign": lambda self, value: None})
optimizers = SimpleNamespace(Optimizer=type("Optimizer", (), {"apply": lambda self: None}))
backend = SimpleNamespace(
    backend=lambda: "jax",
    floatx=lambda: "float32",
    epsilon=lambda: 1e-07,
    image_data_format=lambda: "channels_last",
)
"""


def write_project(folder: Path, *, real_keras: bool = False) -> None:
    """Write the script, and what it needs; beside it a stand-in for Keras, unless told not to."""
    (folder / "my.py").write_text(SCRIPT)
    (folder / "requirements.txt").write_text("planted\n")
    if not real_keras:
        (folder / "keras.py").write_text(STAND_IN)


def searching(keras_repro: Callable, folder: Path, index: PlantedIndex) -> Callable:
    """Return what searches the planted package's releases in a folder's project."""

    def run(*arguments, engine="local", **variables):
        return keras_repro(
            *("bisect", "release", "my.py", "--backend", "jax", "--package", "planted"),
            *("--engine", engine),
            *("--requirements", "requirements.txt", *arguments),
            cwd=folder,
            **index.variables,
            **variables,
        )

    return run


def plant(index: PlantedIndex, values: dict[str, float], **options: dict) -> None:
    """Add releases of the planted package by their values, some with options of their own."""
    for version, value in values.items():
        index.release("planted", version, value, **options.get(version, {}))
