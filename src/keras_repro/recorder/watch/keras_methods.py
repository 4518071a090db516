"""Watch Keras' ``Model``: what its methods are given and return. Changes no bit of it."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from types import ModuleType
from typing import Any, Callable, Dict, Optional, Tuple

from keras_repro.recorder.contract import TEST, TRAIN, ArrayName, Kind
from keras_repro.recorder.parity.probe import Probe
from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.numbers import Numbers
from keras_repro.recorder.watch.results import metric_names
from keras_repro.recorder.watch.running import Call

STEP_METHODS = ("train_on_batch",)
FIT_METHODS = ("fit", "fit_generator")
TEST_METHODS = ("test_on_batch", "evaluate", "evaluate_generator")
PREDICT_METHODS = ("predict", "predict_on_batch", "predict_generator")
# Called once the model is built and before its first step: where the first weights stand.
MAKE_FUNCTION_METHODS = tuple(
    prefix + kind
    for prefix in ("make_", "_make_")
    for kind in ("train_function", "test_function", "predict_function")
)
OF_KERAS = ("keras", "tensorflow", "tensorflow_core")  # the packages with a Keras in them


class KerasMethods:
    """Watches the ``Model`` class of a Keras (2.3.1 or 3), and its subclasses of the script's.

    ``probe`` looks at each model before its first use.
    """

    def __init__(self, capture: Capture, keras: ModuleType, probe: Optional[Probe]) -> None:
        self._capture = capture
        self._keras = keras
        self._probe = probe
        # In a graph of TensorFlow 1 weights are read where Keras starts its session itself.
        old = keras.__version__.startswith("2.")
        self._in_graph = old and keras.backend.backend() == "tensorflow"
        self._running = capture.running
        self._logs = threading.local()
        self._classes = {object}
        self._records: Dict[str, Callable[..., Any]] = {}
        for names, record in (
            (STEP_METHODS, self._record_step),
            (FIT_METHODS, self._record_fit),
            (TEST_METHODS, self._record_test),
            (PREDICT_METHODS, self._record_prediction),
        ):
            self._records.update(dict.fromkeys(names, record))

    def watch(self) -> None:
        """Watch from now on. Once."""
        model_class: Any = self._keras.models.Model
        for known in reversed(model_class.__mro__):
            self._watch_class(known)
        for name in MAKE_FUNCTION_METHODS:
            if hasattr(model_class, name):
                setattr(model_class, name, self._then_first(getattr(model_class, name)))
        # Keras 3's Model makes something else of itself, before any __init__.
        maker = "__new__" if "__new__" in vars(model_class) else "__init__"
        setattr(model_class, maker, self._then_remembered(getattr(model_class, maker), maker))
        if hasattr(model_class, "_flatten_metrics_in_order"):  # Keras 3
            self._hear_names(model_class)

    def _watch_class(self, known: Any) -> None:
        """Watch the methods that a class itself defines."""
        if known in self._classes:
            return
        self._classes.add(known)
        of_keras = known.__module__.partition(".")[0] in OF_KERAS
        for name, record in self._records.items():
            method = vars(known).get(name)
            if inspect.isfunction(method):
                setattr(known, name, self._watched(method, record, of_keras))

    def _watched(
        self, method: Callable[..., Any], record: Callable[..., Any], of_keras: bool
    ) -> Any:
        name = method.__name__

        @functools.wraps(method)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            running = self._running
            within = running.within(Call(model, name, of_keras))
            # super()'s of a method of the script's; fit's own evaluation, fit_generator's steps
            if running.has(model, name) or (running.calls and _called_by_keras()):
                with within:
                    return method(model, *args, **kwargs)
            numbers = self._capture.models.used(model).numbers
            assert numbers is not None
            if self._probe is not None:
                args, kwargs = self._probe.before(model, name, args, kwargs, numbers.prefix)
                self._capture.models.begin_anew(model)
            else:
                self._look()
            if record == self._record_fit:
                args, kwargs = self._with_callback(method, numbers, args, kwargs)
            self._logs.last = None
            with within:
                result = method(model, *args, **kwargs)
            given = record(model, numbers, result)
            if given is not None:
                self._capture.keep_given(args, kwargs, *given)
            return result

        return call

    def _look(self, again: bool = False) -> None:
        if not self._in_graph:
            self._capture.before_update(again)

    def _then_first(self, make_function: Callable[..., Any]) -> Any:
        @functools.wraps(make_function)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            result = make_function(model, *args, **kwargs)
            self._capture.models.add(model)
            self._capture.before_update(again=True)
            return result

        return call

    def _then_remembered(self, make: Callable[..., Any], maker: str) -> Any:
        @functools.wraps(make)
        def call(first: Any, *args: Any, **kwargs: Any) -> Any:
            made = make(first, *args, **kwargs)
            model = made if maker == "__new__" else first
            for known in reversed(type(model).__mro__):
                self._watch_class(known)
            self._capture.models.add(model)
            return made

        return call

    def _record_step(self, model: Any, numbers: Numbers, result: Any) -> None:
        self._capture.keep_values(numbers, TRAIN, self._named(model, result))
        self._capture.count_step()

    def _record_test(self, model: Any, numbers: Numbers, result: Any) -> Tuple[ArrayName, str]:
        self._look(again=True)  # at one that its first test has built
        self._capture.keep_values(numbers, TEST, self._named(model, result))
        return numbers.next(Kind.TEST), "xy"

    def _record_prediction(
        self, model: Any, numbers: Numbers, result: Any
    ) -> Tuple[ArrayName, str]:
        self._look(again=not self._capture.models.add(model).variables)
        return self._capture.keep_prediction(numbers, result), "x"

    def _record_fit(self, model: Any, numbers: Numbers, result: Any) -> None:  # noqa: ARG002
        self._capture.keep_history(numbers, getattr(result, "history", {}))

    def _with_callback(
        self,
        fit: Callable[..., Any],
        numbers: Numbers,
        args: Tuple[Any, ...],
        kwargs: Dict[str, Any],
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Return fit's arguments with one more callback, which sees each step's cost."""
        capture = self._capture
        callback_class: Any = self._keras.callbacks.Callback

        class StepCosts(callback_class):  # type: ignore[misc]
            last = -1  # step of this epoch

            def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
                self.last = -1

            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                values = {k: v for k, v in (logs or {}).items() if k not in ("batch", "size")}
                capture.keep_values(numbers, TRAIN, values)
                # An execution may have done several steps.
                capture.count_step(max(batch - self.last, 1))
                self.last = batch

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
            result = flatten(model, logs)
            self._logs.last = (result, dict(logs))
            return result

        model_class._flatten_metrics_in_order = call

    def _named(self, model: Any, result: Any) -> Dict[str, Any]:
        """Return what a training or test call gave as {metric: value}, the cost as ``loss``."""
        if isinstance(result, dict):
            return result
        made, named = getattr(self._logs, "last", None) or (None, {})
        if named and made is result:  # and not what a method of the script's made of it
            return dict(named)
        values = list(result) if isinstance(result, (list, tuple)) else [result]
        return dict(zip(metric_names(model, len(values)), values))


def _called_by_keras() -> bool:
    return str(sys._getframe(2).f_globals.get("__name__", "")).partition(".")[0] in OF_KERAS
