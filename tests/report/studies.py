"""What bisect and parity find, of runs that were never trained: for the pages that show it."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np

from keras_repro import backends
from keras_repro.errors import ExitCode
from keras_repro.numbers.differences import Tolerance
from keras_repro.packages.resolve import Move
from keras_repro.project.workload import Workload
from keras_repro.recorder import contract
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.runs.run import read_run
from keras_repro.studies import judge
from keras_repro.studies.bisect import run as searching
from keras_repro.studies.bisect.explanation import Blame, Explanation, Moved
from keras_repro.studies.bisect.search import Bisection, Search
from keras_repro.studies.bisect.searchable import NothingThereError, Point, Range, Unit
from keras_repro.studies.check import Place
from keras_repro.studies.judge import Judge
from keras_repro.studies.parity.findings import Another, Finding, LayerParity, ModelParity
from keras_repro.studies.parity.study import Pair, Parity
from keras_repro.studies.trial import Trial
from tests.unit.made import make_run

RELEASES = [f"0.{minor}.{patch}" for minor in (4, 5, 6) for patch in range(4)]
CHANGED, SKIPPED = ("0.4.1", "0.5.0", "0.5.1", "0.6.0", "0.6.3"), ("0.4.2", "0.6.1")
ENGINE = SimpleNamespace(name="local", stop=lambda: None)


class Planted:
    """Twelve releases of JAX, with what the runs that use them left."""

    def __init__(self, folder, changed, skipped):
        [jax] = backends.select(("jax",))
        workload = Workload("regression", folder, "regression.py", argument="regression.py")
        place = Place(workload, folder / "artifacts", folder / "baselines")
        points = [Point(label, f"2025-{at:02}-15") for at, label in enumerate(RELEASES, 1)]
        good = f"jax {RELEASES[0]}"
        self.range = Range(place, jax, Unit.RELEASE, "jax", good, points, every=True)
        self.skipped = skipped
        self.trials = {}
        rng = np.random.default_rng(0)
        costs, weights = np.geomspace(1, 0.1, 50), 1 + rng.random((4, 4))
        for at, label in enumerate(RELEASES):
            if label in changed:
                costs = costs * (1 + 10.0 ** (at / 2 - 6) * rng.random(50))
                weights = weights if label == "0.5.0" else weights + 10.0 ** (at / 2 - 6)
            arrays = {
                "costs/train": costs.astype(np.float32),
                "costs/test": costs[-1:].astype(np.float32),
                "weights/0.dense.kernel": weights.astype(np.float32),
                "predictions/0": (weights @ weights).astype(np.float32),
            }
            run = read_run(make_run(folder / "trials" / label, arrays))
            self.trials[label] = Trial(jax, run, "", 3.5 + at / 10, cached=at == 3)

    @contextmanager
    def at(self, point):
        if point.label in self.skipped:
            raise NothingThereError(f"does not install: jax {point.label} has no wheel")
        yield self.range.place.of, self.range.backend

    def explain(self, good, bad, differs):
        """Explain one change after another, each in another way."""
        self.explained = getattr(self, "explained", 0) + 1
        jax = Moved(Move("jax", "0.4.0", "0.4.1"), (Move("jaxlib", "0.4.0", "0.4.1"),))
        numpy, scipy = Moved(Move("numpy", "2.3.5", "2.4.6")), Moved(Move("scipy", "1.15", "1.16"))
        each = {str(numpy): True, str(scipy): False}
        return [
            Explanation(jax, (), Blame.SUSPECT),
            Explanation(jax, (numpy, scipy), Blame.COMPANION, False, True, each, (numpy,)),
            Explanation(jax, (scipy,), Blame.SUSPECT, True, False),
            Explanation(jax, (numpy,), Blame.TOGETHER, False, False),
            Explanation(jax, (numpy,), Blame.UNKNOWN),
        ][self.explained % 5 - 1]


def bisection(folder, monkeypatch, changed=CHANGED, skipped=SKIPPED, workload="") -> Bisection:
    """Search twelve releases for each at which the numbers change."""
    planted = Planted(folder, changed, skipped)
    if workload:
        object.__setattr__(planted.range.place.of, "name", workload)
    monkeypatch.setattr(
        judge, "try_in", lambda _, backend, engine, progress: planted.trials[progress.label]
    )
    tolerance = Tolerance(1e-6, 0.0)
    return searching.bisect(Search(planted, Judge(lambda _: tolerance)), ENGINE)


def parity(folder, parting=("3.conv2d_transpose", "7.dense"), count=10, model="net") -> Parity:
    """Compare backends with JAX: one parts in some layers, one agrees, one failed."""
    jax, torch, tensorflow, theano = backends.select(("jax", "torch", "tensorflow", "theano"))
    run = _reference(folder, parting)
    layers = [_layer(at, parting) for at in range(count)]
    agreeing = [_layer(at, ()) for at in range(count)]
    pairs = [
        Pair(jax, torch, ExitCode.DRIFT, models=[_model(model, layers)], reference_run=run),
        Pair(jax, tensorflow, ExitCode.OK, models=[_model(model, agreeing)], reference_run=run),
        Pair(jax, theano, ExitCode.RUN_FAILED, "ImportError: no module x", reference_run=run),
    ]
    return Parity("convnet", pairs, ["dropout (Dropout)"])


def _model(name, layers) -> ModelParity:
    return ModelParity(name, "", "fit", layers, None, [])


def _layer(at, parting) -> LayerParity:
    names = ("conv2d", "batch_normalization", "gelu", "conv2d_transpose", "dropout")
    name = "dense" if at % 5 == 2 and at > 2 else names[at % 5]
    place = f"{at}.{name}"
    class_name = name.title().replace("_", "").replace("d", "D", name.count("2d"))
    facts = (f"layers/{place}/1", place, name, class_name, "keras.src.layers")
    if name == "dropout":
        return LayerParity(*facts, {}, {}, [], problem="it draws random numbers")
    parts = place in parting
    why = "means something else: the two differ by 2.0e-02 in float64" if parts else ""
    apart = 0.02 if parts else 0.0 if name == "gelu" else 10.0 ** -(6 + at % 3)
    findings = [
        _finding("inference", "output in inference", apart, why),
        _finding("training", "output in training", Another.SHAPE if parts else 0.0, why),
        _finding("weight_gradient", "gradient of weight kernel", 1e-8),
    ]
    config = {"units": 3, "activation": "gelu"}
    against = {**config, "activation": "relu"} if parts else config
    passed = None if apart == 0 else apart * 5
    arguments = "inputs[0]" if at == 3 else ""
    return LayerParity(*facts, config, against, findings, passed=passed, arguments=arguments)


def _finding(kind, label, apart, why="") -> Finding:
    if isinstance(apart, Another):
        return Finding(kind, 0, label, apart, why=why)
    rounding = min(apart, 3e-7)
    return Finding(kind, 0, label, apart, apart if why else 0.0, rounding, rounding / 2, why)


def _reference(folder, parting):
    """Make the reference's run, which keeps what a minimal script needs of a layer."""
    made = make_run(folder / "jax")
    writer = ArrayWriter(str(made / contract.PARITY))
    for place in parting:
        for name in ("input/0", "inference/0"):
            writer.write(f"layers/{place}/1/{name}", np.ones((2, 3), np.float32))
    writer.close()
    facts = {"schema_version": contract.PARITY_SCHEMA, "models": []}
    (made / contract.PARITY_FACTS).write_text(json.dumps(facts))
    return read_run(made)
