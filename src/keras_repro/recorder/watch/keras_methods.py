"""Watch Keras' ``Model``: what its methods are given and return. Changes no bit of it."""

from __future__ import annotations

import functools
import inspect
import threading
from types import ModuleType
from typing import Any, Callable, ContextManager, Dict, Optional, Tuple

import numpy

from keras_repro.recorder.contract import TEST, TRAIN, ArrayName, Kind
from keras_repro.recorder.parity.probe import Probe
from keras_repro.recorder.watch.capture import HAND_OVER, TRAIL, Capture
from keras_repro.recorder.watch.numbers import Numbers
from keras_repro.recorder.watch.places import (
    OF_KERAS,
    called_by_keras,
    made_by_script,
    script_place,
)
from keras_repro.recorder.watch.results import metric_names
from keras_repro.recorder.watch.running import Call
from keras_repro.recorder.watch.ulps import moved_data
from keras_repro.recorder.watch.values import as_array

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


class KerasMethods:
    """Watches the ``Model`` class of a Keras (2.3.1 or 3), and its subclasses of the script's.

    ``probe`` looks at each model before its first use.
    """

    def __init__(self, capture: Capture, keras: ModuleType, probe: Optional[Probe]) -> None:
        self._capture = capture
        self._keras = keras
        self._probe = probe
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
        model_class.__call__ = self._called(model_class.__call__)
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
        # What the script's own way to train calls of Keras' is watched there, arguments and all.
        own_training = not of_keras and name in STEP_METHODS + FIT_METHODS

        @functools.wraps(method)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            running, capture = self._running, self._capture
            within = running.within(Call(model, name, of_keras))
            # super()'s of a method of the script's; fit's own evaluation, fit_generator's steps
            if running.has(model, name) or (running.calls and called_by_keras()):
                with running.within(Call(model, name, of_keras=True)):
                    return method(model, *args, **kwargs)
            capture.let_go()
            if own_training:
                return self._trained_by_script(method, within, model, args, kwargs)
            watched = capture.models.used(model)
            numbers = watched.numbers
            assert numbers is not None
            if self._probe is not None:
                with running.within(Call(model, "parity", of_keras=True)):
                    args, kwargs = self._probe.before(model, name, args, kwargs, numbers.prefix)
                capture.models.begin_anew(model)
            else:
                capture.before_update()
            if name in STEP_METHODS + FIT_METHODS:
                capture.training_begins()
            if self._probe is None and name in STEP_METHODS + FIT_METHODS:
                args, kwargs = self._changed(model, args, kwargs)
            capture.begin(watched)
            given_args, given_kwargs = args, kwargs
            args, kwargs = capture.given(watched, name, args, kwargs)
            if name in FIT_METHODS:
                args, kwargs = self._with_callback(method, model, args, kwargs)
            self._logs.last = None
            with within:
                result = method(model, *args, **kwargs)
            if not running.calls and threading.current_thread() is threading.main_thread():
                capture.guarded(TRAIL, capture.data.done)
            given = capture.guarded("what %s returned" % name, record, model, numbers, result)
            if given is not None:
                capture.keep_given(given_args, given_kwargs, *given)
            return result

        return call

    def _changed(
        self, model: Any, args: Tuple[Any, ...], kwargs: Dict[str, Any]
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Move and plant what is to be in a training; return its arguments."""
        models, guarded = self._capture.models, self._capture.guarded
        if models.ulps:
            floats = self._keras.backend.floatx()
            moved = guarded("moved training data", moved_data, args, kwargs, models.ulps, floats)
            args, kwargs = moved or (args, kwargs)
        plant = models.planted.before_training
        planted = guarded("what was planted", plant, self._keras, model, args, kwargs)
        return planted or (args, kwargs)

    def _trained_by_script(
        self,
        train: Callable[..., Any],
        within: ContextManager[None],
        model: Any,
        args: Tuple[Any, ...],
        kwargs: Dict[str, Any],
    ) -> Any:
        """Call the script's fit or train_on_batch; return what it does.

        What it returns are the metrics of a step whose loss was seen within. A step that was seen
        nowhere within is one by what it returns.
        """
        capture = self._capture
        numbers = capture.models.used(model).numbers
        assert numbers is not None
        if self._probe is None:
            capture.before_update()
        seen, steps, of_keras = capture.seen, capture.steps, capture.keras_steps
        costs = len(numbers.costs())
        self._logs.last = None
        with within:
            result = train(model, *args, **kwargs)
        capture.let_go()
        if train.__name__ in STEP_METHODS:
            what = "what %s returned" % train.__name__
            before = (seen, steps, of_keras, costs)
            capture.guarded(what, self._record_own_step, train, model, result, before)
        return result

    def _record_own_step(
        self, train: Callable[..., Any], model: Any, result: Any, before: Tuple[int, int, int, int]
    ) -> None:
        """Keep a step of the script's own; ``before`` has what was counted before it."""
        capture = self._capture
        seen, steps, of_keras, costs = before
        numbers = capture.models.used(model).numbers
        assert numbers is not None
        try:
            values = {name: as_array(value) for name, value in self._named(model, result).items()}
        except ValueError:  # no numbers
            values = {}
        if capture.keras_steps > of_keras:
            self._take_for_one_step(numbers, values, costs, capture.keras_steps - of_keras)
        elif capture.seen > seen:
            values.pop("loss", None)
            capture.keep_values(numbers, TRAIN, values)
        elif values:
            if capture.steps > steps:  # the steps are counted, their losses unseen
                capture.keep_values(numbers, TRAIN, values)
            else:
                capture.step_done(model, values)
        elif capture.steps == steps:
            capture.count_step()
            capture.loop_unseen(
                "%s.%s does not return its cost; %s"
                % (type(model).__name__, train.__name__, HAND_OVER)
            )

    def _take_for_one_step(
        self, numbers: Numbers, values: Dict[str, Any], costs: int, steps: int
    ) -> None:
        """Keep the cost that a step of the script's own returns for those of Keras' within it."""
        within = numbers.costs()[costs:]
        cost = values.get("loss")
        if cost is None or cost.size != 1 or len(within) != steps:
            return
        if not numpy.array_equal(cost, within[-1]):
            numbers.costs()[costs:] = [cost.reshape(())]
            self._capture.count_step(1 - steps)

    def _called(self, method: Callable[..., Any]) -> Any:
        """Tell what the script itself calls a model with; within another, or in Keras, nothing."""
        running = self._running

        @functools.wraps(method)
        def call(model: Any, *args: Any, **kwargs: Any) -> Any:
            if running.in_keras or any(each.method == "__call__" for each in running.calls):
                return method(model, *args, **kwargs)
            given = args[0] if args else kwargs.get("inputs")
            if not _is_symbolic(given):
                self._capture.guarded(TRAIL, self._capture.called, model, given)
            with running.within(Call(model, "__call__", of_keras=False)):
                return method(model, *args, **kwargs)

        return call

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
            self._capture.model_made(model, by_script=made_by_script())
            return made

        return call

    def _record_step(self, model: Any, numbers: Numbers, result: Any) -> None:  # noqa: ARG002
        self._capture.step_done(model, self._named(model, result))

    def _record_test(self, model: Any, numbers: Numbers, result: Any) -> Tuple[ArrayName, str]:
        self._capture.before_update(again=True)  # at one that its first test has built
        self._capture.keep_values(numbers, TEST, self._named(model, result))
        return numbers.next(Kind.TEST), "xy"

    def _record_prediction(
        self, model: Any, numbers: Numbers, result: Any
    ) -> Tuple[ArrayName, str]:
        self._capture.before_update(again=not self._capture.models.add(model).variables)
        return self._capture.keep_prediction(numbers, result, script_place()), "x"

    def _record_fit(self, model: Any, numbers: Numbers, result: Any) -> None:  # noqa: ARG002
        self._capture.keep_history(numbers, getattr(result, "history", {}))

    def _with_callback(
        self,
        fit: Callable[..., Any],
        model: Any,
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
                # An execution may have done several steps.
                done = max(batch - self.last, 1)
                capture.guarded("costs of fit", capture.step_done, model, values, done)
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
            return dict(result)
        made, named = getattr(self._logs, "last", None) or (None, {})
        if named and made is result:  # and not what a method of the script's made of it
            return dict(named)
        values = list(result) if isinstance(result, (list, tuple)) else [result]
        return dict(zip(metric_names(model, len(values)), values))


def _is_symbolic(value: Any) -> bool:
    """Whether a model is called to make another of it, and not to compute."""
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    return type(first).__name__ == "KerasTensor" or hasattr(first, "_keras_shape")
