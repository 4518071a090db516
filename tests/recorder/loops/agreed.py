"""Scripts that write down what they compute, and what the record has of it."""

import json

import numpy as np

# The last line printed is JSON: what must be kept, by name, as hexadecimal floats.
BEGIN = """
import json
import numpy as np
np.random.seed(5)
x = np.random.rand(12, 3).astype("float32")
y = np.random.rand(12, 1).astype("float32")
kept = {}

def keep(name, value):
    kept[name] = [float(part).hex() for part in np.ravel(value)]

def keep_weights(kind, values, *layers):
    names = [str(at) + ".dense." + part for at in layers for part in ("kernel", "bias")]
    for name, value in zip(names, values):
        keep(kind + "/" + name, value)
"""
END = """
print(json.dumps(kept))
"""


def agreed(recorded) -> dict[str, list[float]]:
    """Return what the script wrote down, once the record was found to agree with it."""
    assert recorded.status == 0, recorded.output
    written = {
        name: [float.fromhex(value) for value in values]
        for name, values in json.loads(recorded.output.splitlines()[-1]).items()
    }
    arrays = recorded.arrays
    for name, values in written.items():
        if values:
            assert name in arrays, (name, sorted(arrays), recorded.facts["not_recorded"])
            assert np.ravel(arrays[name]).astype(float).tolist() == values, name
        else:
            assert name not in arrays, name
    return written


def not_seen(recorded) -> list[str]:
    """Return what the record says of costs that it could not see."""
    return [
        text
        for name, text in recorded.facts["not_recorded"].items()
        if name.startswith("costs of a loop")
    ]
