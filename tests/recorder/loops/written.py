"""Scripts that write down each loss that they computed, and what was kept of them."""

import json
import re

HEAD = """
import hashlib, json
import keras
import numpy as np

np.random.seed(1)
keras.utils.set_random_seed(2)
x = np.random.rand(16, 3).astype("float32")
y = (x[:, :1] * 2 - x[:, 1:2]).astype("float32")
kept = {}


def keep(name, value):
    kept.setdefault(name, []).append(float(value).hex())


def dense(*units):
    return keras.Sequential([keras.Input((3,))] + [keras.layers.Dense(n) for n in units])


def digest(*models):
    values = [weight for model in models for weight in model.get_weights()]
    print("DIGEST", hashlib.sha256(b"".join(map(np.ndarray.tobytes, values))).hexdigest())


def first(model, prefix=""):
    \"\"\"Write down the weights as the initial ones of a model with Dense layers alone.\"\"\"
    for index, layer in enumerate(model.layers):
        for name, value in zip(("kernel", "bias"), layer.get_weights()):
            key = "%sinitial_weights/%d.dense.%s" % (prefix, index, name)
            kept[key] = [float(part).hex() for part in value.ravel()]
"""
END = "\nprint(json.dumps(kept))\n"
COSTS = re.compile(r"(model\d+/)?costs/")


def record(scripts, backend, body, name="script.py"):
    """Run a script under the recorder; return what is left, where it is what the script wrote."""
    recorded = scripts.record(backend, scripts.write(HEAD + body + END, name))
    assert recorded.status == 0, recorded.output
    given = json.loads(recorded.log.strip().splitlines()[-1])
    arrays = recorded.arrays
    for key, values in given.items():
        assert key in arrays, (key, sorted(arrays), recorded.facts["not_recorded"])
        assert [float(value).hex() for value in arrays[key].ravel()] == values, key
    assert {key for key in arrays if COSTS.match(key)} == {key for key in given if COSTS.match(key)}
    return recorded


def digest(output):
    """Return what the script made of its final weights."""
    [line] = [line for line in output.splitlines() if line.startswith("DIGEST")]
    return line


def changes_no_bit(scripts, backend, body):
    """Assert that a script ends with the same weights under the recorder as bare."""
    script = scripts.write(HEAD + body + END)
    bare = scripts.bare(backend, script)
    recorded = scripts.record(backend, script)
    assert recorded.status == 0, recorded.output
    assert digest(recorded.log) == digest(bare)
