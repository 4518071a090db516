"""Made-up trails: the links of a training of some steps, as docs/reference/trail.md has them."""

import copy
import functools
import hashlib

import numpy as np

FIRST_LINE, IMPORT = "the script's first line", "import jax"
WEIGHTS = ("0.dense.kernel", "1.batch_normalization.moving_mean", "10.dense.bias")


def told(array, figures=True):
    """Return what a trail tells of an array."""
    array = np.asarray(array)
    head = f"{array.dtype.name} {array.shape};".encode()
    digest = hashlib.blake2b(head + array.tobytes(), digest_size=8).hexdigest()
    value = {"digest": digest, "dtype": array.dtype.name, "shape": list(array.shape)}
    if figures and array.size and array.dtype.kind in "biuf":
        wide = array.astype(np.float64).reshape(-1)
        figures = wide.mean(), wide.min(), wide.max(), np.linalg.norm(wide)
        names = ("mean", "minimum", "maximum", "norm")
        value |= {
            name: float(figure) if np.isfinite(figure) else str(figure)
            for name, figure in zip(names, figures, strict=True)
        }
    return value


def state(*seed):
    return hashlib.blake2b(repr(seed).encode(), digest_size=8).hexdigest()


def generators(at, step=0, drew=None, **changes):
    states = {"random": state("r"), "numpy.random": state("n"), **changes}
    link = {"kind": "generators", "at": at, "step": step, "states": states}
    return {**link, "drew": drew} if drew else link


def array(*seed, size=24):
    """Return the float32 numbers that a seed stands for."""
    number = int.from_bytes(hashlib.blake2b(repr(seed).encode(), digest_size=4).digest(), "big")
    return np.random.RandomState(number).uniform(0.5, 2, size).astype(np.float32)


def data(argument, value, step=0, call="fit", number=0, model=1, **more):
    place = {"model": model, "call": call, "number": number, "argument": argument}
    return {"kind": "data", **place, "step": step, "value": told(value), **more}


def weights(step, model=1, kind="weights", names=WEIGHTS):
    values = {name: told(array(name, step, model)) for name in names}
    return {"kind": kind, "model": model, "step": step, "weights": values}


def links(models=1, last=8):
    """Return the links of a script that reads a file, trains each model in turn, and predicts."""
    return copy.deepcopy(_links(models, last))


@functools.cache
def _links(models, last):
    found = [
        generators(FIRST_LINE),
        generators(IMPORT),
        {"kind": "file", "path": "data/points.csv", "step": 0, "bytes": 96, "digest": state("f")},
    ]
    for model in range(1, models + 1):
        found.append(generators(f"model {model} is made"))
        found.append(weights(0, model, "initial weights"))
        found.append(data("x", array("x", model), model=model))
        found.append(data("y", np.arange(24), model=model))
        found.append(generators("the first step", model=state("s")))
        cost = told(np.float32(1.5))
        found.append({"kind": "cost", "model": model, "step": 1, "value": cost})
        step = 1
        while step <= last:
            found.append(weights(step, model))
            step *= 2
        found.append(data("x", array("x", model), last, "predict", model=model))
    found.append(generators("the end", last))
    return found


def changed(value):
    """Return what is told of a value, of one that is another by far more than rounding."""
    norm = value.get("norm", 1.0)
    return {**value, "digest": state(value["digest"]), "norm": norm * 1.5 + 1}


def with_change(found, at, name=None):
    """Return the links with the one at a place another one: one weight of it, where named."""
    found = copy.deepcopy(found)
    link = found[at]
    match link["kind"]:
        case "generators":
            link["states"]["numpy.random"] = state("another")
        case "file":
            link["digest"] = state("another")
        case "data" | "cost":
            link["value"] = changed(link["value"])
        case _:
            name = name or next(iter(link["weights"]))
            link["weights"][name] = changed(link["weights"][name])
    return found


def rounded(found, factor=1e-7):
    """Return the links as another processor makes them: other bits of all that it computed."""
    found = copy.deepcopy(found)

    def other(value):
        if not value["dtype"].startswith("float"):
            return value
        figures = {
            name: value[name] * (1 + factor * (len(name) - 5))
            for name in ("mean", "minimum", "maximum", "norm")
        }
        return {**value, **figures, "digest": state(value["digest"], factor)}

    for link in found:
        if "value" in link:
            link["value"] = other(link["value"])
        if "weights" in link:
            link["weights"] = {name: other(value) for name, value in link["weights"].items()}
    return found
