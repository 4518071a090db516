"""Watch loops under TensorFlow 1's eager execution, with a tape and an optimizer.

What a loop computes within ``tf.function`` is traced once and then run unseen: that is said.
"""

from __future__ import annotations

import functools
import threading
from types import ModuleType
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops.place import not_among_outputs, place, safely


class Differentiated(NamedTuple):
    """A loss of which a tape has made gradients, by which variables."""

    loss: Any
    variables: List[Any]
    gradients: List[Any]


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once TensorFlow has been imported: nothing, unless it is TensorFlow 1."""

    def tensorflow(module: ModuleType) -> None:
        if module.__version__.startswith("1."):
            safely(capture, lambda: Steps(capture, module).watch())

    return {"tensorflow": tensorflow}


class Steps:
    """Joins what tapes differentiate with what optimizers apply."""

    def __init__(self, capture: Capture, tensorflow: Any) -> None:
        self._capture = capture
        self._tensorflow = tensorflow
        self._threads = threading.local()

    def watch(self) -> None:
        """Watch from now on. Once."""
        tape: Any = self._tensorflow.GradientTape
        tape.gradient = self._watched_gradient(tape.gradient)
        for optimizer in (
            self._tensorflow.compat.v1.train.Optimizer,
            self._tensorflow.keras.optimizers.Optimizer,
        ):
            optimizer.apply_gradients = self._watched_apply(optimizer.apply_gradients)

    def _watched_gradient(self, differentiate: Callable[..., Any]) -> Any:
        @functools.wraps(differentiate)
        def call(tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
            gradients = differentiate(tape, target, sources, *args, **kwargs)
            if not self._capture.running.in_keras:
                weights = args[0] if args else kwargs.get("output_gradients")
                safely(self._capture, self._note, target, sources, gradients, weights is not None)
            return gradients

        return call

    def _note(self, target: Any, sources: Any, gradients: Any, weighted: bool) -> None:
        if not self._tensorflow.executing_eagerly():
            return
        if not isinstance(sources, (list, tuple)):
            sources, gradients = [sources], [gradients]
        if isinstance(target, (list, tuple)) or weighted:
            target = None  # no value of its own was differentiated
        made = [one for one in gradients if one is not None]
        found = Differentiated(target, list(sources), made)
        same = {id(one) for one in sources}
        self._waiting = [
            one for one in self._waiting if {id(source) for source in one.variables} != same
        ] + [found]

    def _watched_apply(self, apply: Callable[..., Any]) -> Any:
        @functools.wraps(apply)
        def call(optimizer: Any, grads_and_vars: Any, *args: Any, **kwargs: Any) -> Any:
            if self._capture.running.in_keras or not self._outside_graphs():
                return apply(optimizer, grads_and_vars, *args, **kwargs)
            pairs = list(grads_and_vars)
            safely(self._capture, self._capture.before_update)
            result = apply(optimizer, pairs, *args, **kwargs)
            safely(self._capture, self._keep, pairs)
            return result

        return call

    def _keep(self, pairs: List[Any]) -> None:
        variables = [variable for _, variable in pairs]
        if self._capture.models.of_variables(variables) is None:
            return
        if not self._tensorflow.executing_eagerly():
            self._capture.loop_unseen(
                "%s: what is trained within tf.function cannot be seen here; hand each cost over "
                "by keras_repro.record.cost" % place()
            )
            return
        self._capture.loop_step(1)
        found = self._applied(pairs)
        if found is None or found.loss is None:
            self._capture.loop_unseen(not_among_outputs("an optimizer"))
        else:
            self._capture.loop_cost(found.variables, found.loss, updated=True)

    def _applied(self, pairs: List[Any]) -> Optional[Differentiated]:
        """Return what these gradients are of; None where that is not known."""
        gradients = {id(gradient) for gradient, _ in pairs}
        variables = {id(variable) for _, variable in pairs}
        waiting = [
            one for one in self._waiting if any(id(each) in variables for each in one.variables)
        ]
        exact = [one for one in waiting if any(id(each) in gradients for each in one.gradients)]
        # Gradients that were clipped are others: then what was differentiated last must be alone.
        found = exact or waiting
        if len(found) != 1:
            return None
        self._waiting = [one for one in self._waiting if one is not found[0]]
        return found[0]

    def _outside_graphs(self) -> bool:
        """Whether it is carried out, or traced to be: in a graph of old it is neither."""
        graph = self._tensorflow.compat.v1.get_default_graph
        return bool(self._tensorflow.executing_eagerly() or graph().building_function)

    @property
    def _waiting(self) -> List[Differentiated]:
        return getattr(self._threads, "waiting", [])

    @_waiting.setter
    def _waiting(self, waiting: List[Differentiated]) -> None:
        self._threads.waiting = waiting
