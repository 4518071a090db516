"""A count of what a script computed, written down by the script itself.

Nothing here asks keras-repro for anything: values come from the script, weights by Keras' own
``get_weights``. At the end of the script one line is printed, which a test holds against the
record: each array by the name that it should have, ``PARTLY`` the kinds of which there may be
more, the training steps where the script counted them otherwise than by its costs, and what the
record should say that it has not.
"""

import atexit
import hashlib
import json
import re

import numpy as np

MARK = "written down: "
arrays, series, partly, numbers = {}, {}, [], {}
told = {"steps": None, "unseen": []}


def prefix(of):
    return "" if of == 1 else "model%d/" % of


def plain(value):
    """Return a number or a tensor, whosever it is, as a NumPy array."""
    value = value.detach().cpu() if hasattr(value, "detach") else value
    return np.asarray(value)


def array(name, value):
    """Write an array down by its bits."""
    value = plain(value)
    assert name not in arrays, name
    arrays[name] = {
        "dtype": value.dtype.name,
        "shape": list(value.shape),
        "sha256": hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest(),
    }


def value(name, number):
    """Write the next number of a series down."""
    series.setdefault(name, []).extend(float(part).hex() for part in np.ravel(plain(number)))


def following(kind, of):
    """Return the next number of a kind that is numbered."""
    numbers[kind, of] = numbers.get((kind, of), -1) + 1
    return numbers[kind, of]


def cost(number, of=1, kind="train"):
    value(prefix(of) + "costs/" + kind, number)


def metric(name, number, of=1):
    """Write a metric down; its name begins with ``train.`` or ``test.``."""
    value(prefix(of) + "metrics/" + name, number)


def evaluated(result, names=("loss",), of=1):
    """Write down what evaluate returned: the loss, then metrics."""
    for name, number in zip(names, np.ravel(result)):
        cost(number, of, "test") if name == "loss" else metric("test." + name, number, of)


def stepped(result, names=("loss",), of=1):
    """Write down what train_on_batch returned."""
    for name, number in zip(names, np.ravel(result)):
        cost(number, of) if name == "loss" else metric("train." + name, number, of)


def history(fitted, of=1):
    """Write down the history that fit returned; return it."""
    place = following("history", of)
    for name, numbers_of_it in fitted.history.items():
        value("%shistory/%d.%s" % (prefix(of), place, name), numbers_of_it)
    return fitted


def prediction(result, of=1):
    """Write down what predict returned; return it."""
    place = "%spredictions/%d" % (prefix(of), following("predictions", of))
    items = [("", result)]
    if isinstance(result, dict):
        items = [("." + key, part) for key, part in result.items()]
    elif isinstance(result, (list, tuple)):
        items = [(".%d" % index, part) for index, part in enumerate(result)]
    for suffix, part in items:
        array(place + suffix, part)
    return result


def predictions_in_a_row(results, of=1):
    """Write down what predict returned in a loop, from one line: one array, with a first axis."""
    first = following("predictions", of)
    for _ in results[1:]:
        last = following("predictions", of)
    array("%spredictions/%d-%d" % (prefix(of), first, last), np.stack(results))


def began(model, of=1):
    """Write down the weights of a model as they were made."""
    weights("initial_weights", model, of)


def ended(model, of=1):
    """Write down the weights of a model at the end."""
    weights("weights", model, of)


def weights(kind, model, of):
    for name, weight in each(model, "", set()):
        array("%s%s/%s" % (prefix(of), kind, name), weight)


def each(model, place, seen):
    """Yield the name and the value of each weight of a model, parts that are models included."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    for index, layer in enumerate(layers):
        is_model = hasattr(layer, "fit")
        kind = type(layer).__name__
        if kind in ("Model", "Functional"):
            kind = "model"
        kind = re.sub("([a-z0-9])([A-Z][a-z])", r"\1_\2", kind).lower()
        here = "%s%d.%s." % (place, index, kind)
        if is_model:
            for pair in each(layer, here, seen):
                yield pair
        names = []
        for variable, weight in zip(layer.weights, layer.get_weights()):
            name = variable.name.split("/")[-1].split(":")[0]
            names.append(name)
            if id(variable) not in seen:
                seen.add(id(variable))
                count = names.count(name)
                yield here + (name if count == 1 else "%s_%d" % (name, count)), weight


def steps(of=1):
    """Return a callback that writes down the cost and the metrics of each step of fit."""
    import keras

    class Steps(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for name, number in logs.items():
                if name not in ("batch", "size"):
                    stepped(number, [name], of)

    return Steps()


def only_partly(*kinds):
    """Say of which kinds there may be more in the record."""
    partly.extend(kinds)


def step_count(count):
    """Say how many training steps there were."""
    told["steps"] = count


def unseen(what):
    """Say what the record says that it has not."""
    told["unseen"].append(what)


@atexit.register
def show():
    print(MARK + json.dumps(dict(told, arrays=arrays, series=series, PARTLY=partly)))
