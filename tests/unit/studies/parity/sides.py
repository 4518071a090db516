"""Write what a run with one layer keeps, and read it."""

import json
from pathlib import Path

import numpy as np

from keras_repro.recorder import contract
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.studies.parity import recorded

EXACT = np.linspace(-1, 1, 64).reshape(8, 8)
ROUNDED = EXACT.astype(np.float32)
KEY = "layers/0.dense/1"


def side(folder: Path, arrays=None, config=None, model=None, **call) -> recorded.Side:
    """Make what a run with one layer keeps; a call's keywords replace facts."""
    folder.mkdir(exist_ok=True)
    writer = ArrayWriter(str(folder / contract.PARITY))
    for name, array in (arrays or {}).items():
        writer.write(name if name.startswith(("loss", "grad")) else f"{KEY}/{name}", array)
    writer.close()
    facts = {
        **{"key": KEY, "place": "0.dense", "call": 1, "name": "dense", "class": "Dense"},
        **{"module": "keras.layers", "config": config or {"units": 8}, "trainable": ["kernel"]},
        **call,
    }
    models = [{"prefix": "", "model": "m", "method": "fit", "calls": [facts], **(model or {})}]
    document = {"schema_version": contract.PARITY_SCHEMA, "models": models, "switched_off": []}
    (folder / contract.PARITY_FACTS).write_text(json.dumps(document))
    return recorded.read_side(folder)
