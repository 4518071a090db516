"""Keep what a script computes by watching Keras' ``Model``. Changes no bit of it.

Nothing here draws a random number, and under a graph (TensorFlow 1) nothing adds an operation
that Keras would not add itself at that point: there an operation's seed depends on how many
came before it.
"""

from __future__ import annotations

import functools
import inspect
import re
import sys
import threading
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

from keras_repro.recorder.arrays import ArrayWriter, as_series
from keras_repro.recorder.contract import RESERVED, TEST, TRAIN, ArrayName, Kind
from keras_repro.recorder.parity.probe import Probe
from keras_repro.recorder.watch import inputs
from keras_repro.recorder.watch.numbers import Numbers, WatchedModel
from keras_repro.recorder.watch.results import leaves, metric_names, safe
from keras_repro.recorder.watch.values import as_array
from keras_repro.recorder.weights import copy_weights, each_weight

STEP_METHODS = ("train_on_batch",)
FIT_METHODS = ("fit", "fit_generator")
TEST_METHODS = ("test_on_batch", "evaluate", "evaluate_generator")
PREDICT_METHODS = ("predict", "predict_on_batch", "predict_generator")
# Called once the model is built and before its first step: where the initial weights stand.
MAKE_FUNCTION_METHODS = tuple(
    prefix + kind
    for prefix in ("make_", "_make_")
    for kind in ("train_function", "test_function", "predict_function")
)


class Capture:
    """Watches every Keras model of a script and writes what they compute to ``arrays``.

    The first model's arrays are named as in DESIGN; a second model's carry ``model2/`` in
    front, in the order in which the script first uses them. ``on_step`` is called with the
    number of training steps done. What the models were given to test and to predict goes to
    ``given``, where it is small. What the script hands over by ``keras_repro.record`` is kept as
    if the first model had shown it. ``probe`` looks at each model before its first use.
    """

    def __init__(
        self,
        arrays: ArrayWriter,
        given: ArrayWriter,
        on_step: Callable[[int], None],
        probe: Optional[Probe] = None,
    ) -> None:
        self._probe = probe
        self.keras: Optional[ModuleType] = None
        self.steps = 0
        self._arrays = arrays
        self._given = given
        self._on_step = on_step
        self.not_recorded: Dict[str, str] = {}
        self._models: List[WatchedModel] = []
        self._first = Numbers(1)
        self._made: List[Any] = []  # every model, in the order in which the script made them
        self._recorded = False  # by the script itself
        self._depth = threading.local()
        self._logs = threading.local()

    def watch(self, keras: ModuleType) -> None:
        """Watch the ``Model`` class of this Keras (2.3.1 or 3)."""
        self.keras = keras
        if self._probe is not None:
            self._probe.watch(keras)
        model_class = keras.models.Model
        for names, record in (
            (STEP_METHODS, self._record_step),
            (FIT_METHODS, self._record_fit),
            (TEST_METHODS, self._record_test),
            (PREDICT_METHODS, self._record_prediction),
        ):
            for name in names:
                if hasattr(model_class, name):
                    setattr(model_class, name, self._watched(getattr(model_class, name), record))
        for name in MAKE_FUNCTION_METHODS:
            if hasattr(model_class, name):
                setattr(model_class, name, self._then_initial(getattr(model_class, name)))
        # Keras 3's Model makes something else of itself, before any __init__.
        maker = "__new__" if "__new__" in vars(model_class) else "__init__"
        setattr(model_class, maker, self._then_remembered(getattr(model_class, maker), maker))
        if hasattr(model_class, "_flatten_metrics_in_order"):  # Keras 3
            self._hear_names(model_class)
        # Only TensorFlow 1 makes a model's weights unreadable; elsewhere it lives on.
        if keras.__version__.startswith("2.") and hasattr(keras.backend, "clear_session"):
            self._keep_weights_of_cleared_sessions(keras)

    def finish(self) -> None:
        """Write all that was kept until now: costs, metrics, final weights."""
        if self._recorded:
            self._watch_the_unused()
        for numbers in [self._first] + [watched.numbers for watched in self._models[1:]]:
            for name in sorted(numbers.series, key=str):
                self._write_series(name, numbers.series[name])
        for watched in self._models:
            kept = watched.final
            for rest, value in each_weight(watched.model) if kept is None else kept.items():
                self._write(watched.numbers.name(Kind.WEIGHT, rest), value)

    def record_cost(self, value: Any, kind: str) -> None:
        """Keep a cost of the script's own loop. Raises ValueError."""
        if kind not in (TRAIN, TEST):
            raise ValueError("record.cost: kind %r is neither 'train' nor 'test'" % (kind,))
        cost = as_array(value)
        if cost.size != 1:
            raise ValueError("record.cost: %s is not one number" % (cost.shape,))
        self._recorded = True
        self._first.add(Kind.COST, kind, cost.reshape(()).copy())
        if kind == TRAIN:
            self._count_step()

    def record_prediction(self, value: Any) -> None:
        """Keep what the script's own loop predicted. Raises ValueError."""
        prediction = as_array(value)
        self._recorded = True
        self._arrays.write(str(self._first.next(Kind.PREDICTION)), prediction)

    def record_array(self, name: str, value: Any) -> None:
        """Keep an array of the script's own under its name. Raises ValueError."""
        if not isinstance(name, str) or not re.fullmatch(
            r"[\w-][\w.-]*(/[\w-][\w.-]*)*", name, re.ASCII
        ):
            raise ValueError(
                "record.array: %r is no name; use letters, digits and . _ - /" % (name,)
            )
        if RESERVED.fullmatch(name):
            raise ValueError("record.array: %r is a name of keras-repro's; take another" % name)
        array = as_array(value)
        self._recorded = True
        self._arrays.write(name, array)

    def _watch_the_unused(self) -> None:
        """Watch the models that no Keras method used, for their weights."""
        seen = {id(weight) for watched in self._models for weight in watched.model.weights}
        for model in self._made:
            weights = {id(weight) for weight in getattr(model, "weights", [])}
            if not weights <= seen:
                self._model(model)
                seen |= weights

    def _watched(self, method: Callable[..., Any], record: Callable[..., Any]) -> Any:
        @functools.wraps(method)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            depth = getattr(self._depth, "value", 0)
            if depth and _called_by_keras():  # fit's own evaluation, fit_generator's own steps
                return method(model, *args, **kwargs)
            watched = self._model(model)
            if self._probe is not None:
                args, kwargs = self._probe.before(
                    model, method.__name__, args, kwargs, watched.numbers.prefix
                )
            if record == self._record_fit:
                args, kwargs = self._with_callback(method, watched, args, kwargs)
            self._depth.value = depth + 1
            self._logs.last = None
            try:
                result = method(model, *args, **kwargs)
            finally:
                self._depth.value = depth
            given = record(watched, result)
            if given is not None:
                self._keep_given(args, kwargs, *given)
            return result

        return call

    def _then_initial(self, make_function: Callable[..., Any]) -> Any:
        @functools.wraps(make_function)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            result = make_function(model, *args, **kwargs)
            self._keep_initial(self._model(model))
            return result

        return call

    def _then_remembered(self, make: Callable[..., Any], maker: str) -> Any:
        @functools.wraps(make)
        def call(first: Any, *args: Any, **kwargs: Any) -> Any:
            made = make(first, *args, **kwargs)
            model = made if maker == "__new__" else first
            if not any(model is known for known in self._made):
                self._made.append(model)
            return made

        return call

    def _model(self, model: Any) -> WatchedModel:
        for watched in self._models:
            if watched.model is model:
                return watched
        number = len(self._models) + 1
        numbers = self._first if number == 1 else Numbers(number)
        watched = WatchedModel(model, numbers)
        self._models.append(watched)
        return watched

    def _keep_initial(self, watched: WatchedModel) -> None:
        if watched.has_initial or not watched.model.weights:
            return
        watched.has_initial = True
        for name, value in each_weight(watched.model):
            self._write(watched.numbers.name(Kind.INITIAL_WEIGHT, name), value)

    def _record_step(self, watched: WatchedModel, result: Any) -> None:
        self._record_values(watched, TRAIN, self._named(watched.model, result))
        self._count_step()

    def _record_test(self, watched: WatchedModel, result: Any) -> Tuple[ArrayName, str]:
        self._keep_initial(watched)
        self._record_values(watched, TEST, self._named(watched.model, result))
        return watched.numbers.next(Kind.TEST), "xy"

    def _record_prediction(self, watched: WatchedModel, result: Any) -> Tuple[ArrayName, str]:
        self._keep_initial(watched)  # predicting changes no weight
        name = watched.numbers.next(Kind.PREDICTION)
        for suffix, value in leaves(result):
            self._write(name._replace(rest=name.rest + suffix), value)
        return name, "x"

    def _keep_given(
        self, args: Tuple[Any, ...], kwargs: Dict[str, Any], name: ArrayName, letters: str
    ) -> None:
        try:
            inputs.keep(self._given, str(name), args, kwargs, letters)
        except (TypeError, ValueError):  # nothing of ours may end the script
            pass

    def _record_fit(self, watched: WatchedModel, result: Any) -> None:
        fit = watched.numbers.next(Kind.HISTORY)
        for name, values in getattr(result, "history", {}).items():
            series = fit._replace(rest="%s.%s" % (fit.rest, safe(name)))
            self._write_series(series, list(values))

    def _record_values(self, watched: WatchedModel, phase: str, values: Dict[str, Any]) -> None:
        for name, value in values.items():
            if name == "loss":
                watched.numbers.add(Kind.COST, phase, value)
            else:
                watched.numbers.add(Kind.METRIC, "%s.%s" % (phase, safe(name)), value)

    def _count_step(self) -> None:
        self.steps += 1
        self._on_step(self.steps)

    def _with_callback(
        self,
        fit: Callable[..., Any],
        watched: WatchedModel,
        args: Tuple[Any, ...],
        kwargs: Dict[str, Any],
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Return fit's arguments with one more callback, which sees each step's cost."""
        capture = self
        callback_class: Any = self.keras.callbacks.Callback  # type: ignore[union-attr]

        class StepCosts(callback_class):  # type: ignore[misc]
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
                values = {k: v for k, v in (logs or {}).items() if k not in ("batch", "size")}
                capture._record_values(watched, TRAIN, values)
                capture._count_step()

        parameters = list(inspect.signature(fit).parameters)
        place = parameters.index("callbacks") - 1 if "callbacks" in parameters else len(args)
        given: Any = args[place] if place < len(args) else kwargs.get("callbacks")
        if hasattr(given, "append") and not isinstance(given, list):  # Keras' CallbackList
            given.append(StepCosts())
            return args, kwargs
        callbacks = list(given) if isinstance(given, (list, tuple)) else [given] if given else []
        callbacks.append(StepCosts())
        if place < len(args):
            return args[:place] + (callbacks,) + args[place + 1 :], kwargs
        return args, dict(kwargs, callbacks=callbacks)

    def _hear_names(self, model_class: Any) -> None:
        """Keep the named values from which Keras 3 makes the list that a call returns."""
        flatten = model_class._flatten_metrics_in_order

        @functools.wraps(flatten)
        def call(model: Any, logs: Any) -> Any:
            self._logs.last = dict(logs)
            return flatten(model, logs)

        model_class._flatten_metrics_in_order = call

    def _named(self, model: Any, result: Any) -> Dict[str, Any]:
        """Return what a training or test call gave as {metric: value}, the cost as ``loss``."""
        if isinstance(result, dict):
            return result
        if getattr(self._logs, "last", None):
            return dict(self._logs.last)
        values = list(result) if isinstance(result, (list, tuple)) else [result]
        return dict(zip(metric_names(model, len(values)), values))

    def _keep_weights_of_cleared_sessions(self, keras: ModuleType) -> None:
        """Read the weights before ``clear_session`` makes them unreadable."""
        clear_session = keras.backend.clear_session

        @functools.wraps(clear_session)
        def call() -> Any:
            for watched in self._models:
                if watched.final is None:
                    watched.final = copy_weights(watched.model)
            return clear_session()

        keras.backend.clear_session = call

    def _write(self, name: ArrayName, value: Any) -> None:
        try:
            self._arrays.write(str(name), value)
        except (TypeError, ValueError) as error:  # nothing of ours may end the script
            self.not_recorded[str(name)] = str(error)

    def _write_series(self, name: ArrayName, values: List[Any]) -> None:
        try:
            self._write(name, as_series(values))
        except (TypeError, ValueError) as error:
            self.not_recorded[str(name)] = str(error)


def _called_by_keras() -> bool:
    caller = str(sys._getframe(2).f_globals.get("__name__", ""))
    return caller == "keras" or caller.startswith("keras.")
