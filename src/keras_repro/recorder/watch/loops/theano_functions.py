"""Watch loops on Theano: what is differentiated, and which functions change weights by it."""

from __future__ import annotations

import functools
import weakref
from types import ModuleType
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops.place import not_among_outputs, safely

TRAINED = "_keras_repro_trained"  # set on a compiled function
DIFFERENTIATED = "_keras_repro_differentiated"  # set on a loss, which lives as long as its graph


class Differentiated(NamedTuple):
    """A value of which gradients were made, by which variables."""

    loss: Any
    variables: List[Any]
    gradients: List[Any]


class Trained(NamedTuple):
    """A loss by which a function changes variables, its key in what that returns, the models."""

    variables: List[Any]
    key: Any
    returned: bool
    models: List[Any]


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once Theano has been imported."""
    return {"theano": lambda module: safely(capture, Functions(capture).watch, module)}


class Functions:
    """Watches what a process differentiates and compiles with Theano."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._losses: List[Any] = []  # weakly: a graph may hold a model's weights
        self._ancestors: Any = None

    def watch(self, theano: Any) -> None:
        """Watch from now on. Once."""
        self._ancestors = theano.gof.graph.ancestors
        grad = self._watched_grad(theano.gradient.grad)
        for module in (theano, theano.gradient, theano.tensor):
            module.grad = grad
        theano.function = theano.compile.function = self._watched_function(theano.function)
        self._watch_calls(theano.compile.function_module.Function)

    def _watched_grad(self, grad: Callable[..., Any]) -> Any:
        @functools.wraps(grad)
        def call(cost: Any, wrt: Any, *args: Any, **kwargs: Any) -> Any:
            gradients = grad(cost, wrt, *args, **kwargs)
            safely(self._capture, self._note, cost, wrt, gradients)
            return gradients

        return call

    def _note(self, cost: Any, wrt: Any, gradients: Any) -> None:
        several = isinstance(wrt, (list, tuple))
        variables, made = (list(wrt), list(gradients)) if several else ([wrt], [gradients])
        if cost is None or not any(hasattr(variable, "get_value") for variable in variables):
            return  # known_grads, or by something that is no weight
        known = vars(cost).setdefault(DIFFERENTIATED, Differentiated(cost, [], []))
        if not known.variables:
            self._losses = [loss for loss in self._losses if loss() is not None]
            self._losses.append(weakref.ref(cost))
        known.variables.extend(variables)
        known.gradients.extend(made)

    def _watched_function(self, make: Callable[..., Any]) -> Any:
        @functools.wraps(make)
        def call(
            inputs: Any,
            outputs: Any = None,
            mode: Any = None,
            updates: Any = None,
            *rest: Any,
            **kw: Any,
        ) -> Any:
            made = make(inputs, outputs, mode, updates, *rest, **kw)
            if updates:
                safely(self._capture, self._look_at, made, outputs, updates)
            return made

        return call

    def _look_at(self, made: Any, outputs: Any, updates: Any) -> None:
        pairs = dict(updates.items() if hasattr(updates, "items") else updates)
        trained = []
        known = [
            vars(loss)[DIFFERENTIATED]
            for loss in (one() for one in self._losses)
            if loss is not None
        ]
        for loss in known:
            new = [pairs[variable] for variable in loss.variables if variable in pairs]
            before = set(self._ancestors(new)) if new else set()
            if any(gradient in before for gradient in loss.gradients):
                trained.append(loss)
        in_keras = self._capture.running.in_keras
        vars(made)[TRAINED] = [
            _returned(loss, outputs)._replace(
                models=[] if in_keras else self._capture.models.with_any_of(loss.variables)
            )
            for loss in self._outermost(trained)
        ]

    def _outermost(self, trained: List[Differentiated]) -> List[Differentiated]:
        """Leave out the losses whose gradients are a part of another's, as in meta-learning."""
        if len(trained) < 2:
            return trained
        before = [set(self._ancestors([loss.loss])) for loss in trained]
        return [
            loss
            for loss in trained
            if not any(gradient in others for others in before for gradient in loss.gradients)
        ]

    def _watch_calls(self, function_class: Any) -> None:
        run = function_class.__call__

        @functools.wraps(run)
        def call(function: Any, *args: Any, **kwargs: Any) -> Any:
            trained: Optional[List[Trained]] = vars(function).get(TRAINED)
            if trained is None or self._capture.running.in_keras:
                return run(function, *args, **kwargs)
            safely(self._capture, self._capture.before_update)
            result = run(function, *args, **kwargs)
            safely(self._capture, self._keep, trained, result)
            return result

        function_class.__call__ = call

    def _keep(self, trained: List[Trained], result: Any) -> None:
        steps = 0
        for variables, key, returned, _ in trained:
            if self._capture.models.of_variables(variables) is None:
                continue
            steps = 1
            try:
                if not returned:
                    raise ValueError("it is not returned")
                cost = result if key is None else result[key]
                self._capture.loop_cost(variables, cost, updated=True)
            except ValueError:
                self._capture.loop_unseen(not_among_outputs("a Theano function"))
        if steps:
            self._capture.loop_step(1)


def _returned(loss: Differentiated, outputs: Any) -> Trained:
    items: List[Tuple[Any, Any]]
    if isinstance(outputs, dict):
        items = list(outputs.items())
    elif isinstance(outputs, (list, tuple)):
        items = list(enumerate(outputs))
    else:
        items = [(None, outputs)]
    for key, output in items:
        if getattr(output, "variable", output) is loss.loss:
            return Trained(loss.variables, key, True, [])
    return Trained(loss.variables, None, False, [])
