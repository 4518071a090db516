"""Find what a ``tf.function`` differentiates among its outputs, and read it from each call."""

from __future__ import annotations

import functools
import os
from typing import Any, Callable, List, NamedTuple, Optional

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops.steps import Steps
from keras_repro.recorder.watch.loops.trouble import HAND_OVER, not_one_number, said
from keras_repro.recorder.watch.models import WatchedModel

LOOP = "_keras_repro_loop"  # set on a graph: what is done in it
# Operations whose output is their first input, bit by bit.
SAME = ("Identity", "StopGradient", "PreventGradient", "EnsureShape", "CheckNumerics", "Snapshot")


class Mark(NamedTuple):
    """A loss of a model: a tensor while its graph is traced, later which output; None for none.

    ``shape`` is that of one that is not one number.
    """

    model: WatchedModel
    loss: Any
    shape: Any = None


class Loop:
    """What is done in one graph: the losses that are differentiated, and how many updates."""

    def __init__(self) -> None:
        self.marks: List[Mark] = []
        self.updates = 0
        self.where = ""


class Traces:
    """Watches functions while they are traced, and when they are called.

    Raises:
        ImportError, AttributeError: this TensorFlow is made in another way.
    """

    def __init__(self, capture: Capture, steps: Steps) -> None:
        from tensorflow.python.eager import context  # noqa: PLC0415 - it is there by now
        from tensorflow.python.eager.polymorphic_function import (  # noqa: PLC0415
            concrete_function,
        )
        from tensorflow.python.framework import func_graph, ops  # noqa: PLC0415
        from tensorflow.python.ops import control_flow_v2_func_graphs as branches  # noqa: PLC0415
        from tensorflow.python.util import nest, tf_decorator  # noqa: PLC0415

        self._capture = capture
        self._steps = steps
        self._eager = context.executing_eagerly
        self._graph_class: Any = func_graph.FuncGraph
        self._default_graph = ops.get_default_graph
        self._parts = (
            branches.CondBranchFuncGraph,
            branches.WhileCondFuncGraph,
            branches.WhileBodyFuncGraph,
        )
        self._flatten = nest.flatten
        self._unwrap = tf_decorator.unwrap
        function_class: Any = concrete_function.ConcreteFunction
        call_flat = function_class._call_flat
        func_graph.func_graph_from_py_func = self._then_finished(func_graph.func_graph_from_py_func)
        function_class._call_flat = self._then_read(call_flat)

    def is_trace(self, graph: Any) -> bool:
        """Return whether a graph is that of a function that is being traced."""
        return isinstance(graph, self._graph_class)

    def mark(self, graph: Any, tensor: Any, watched: WatchedModel) -> None:
        """Take note of a tensor that is differentiated while ``graph`` is traced."""
        own = getattr(tensor, "graph", None)
        if not self.is_trace(own):
            return  # a number from outside, on which nothing in here depends
        loop = _loop(graph)
        # What is differentiated in a branch may not be at each call.
        loss = _root(tensor) if own is graph else None
        if tensor.shape.num_elements() not in (1, None):
            loop.marks.append(Mark(watched, None, tensor.shape))
        elif loss is None or not any(
            mark.model is watched and _same(mark.loss, loss) for mark in loop.marks
        ):
            loop.marks.append(Mark(watched, loss))

    def updated(self, graph: Any) -> None:
        """Take note of an update by an optimizer in a graph."""
        _loop(graph).updates += 1

    def _then_finished(self, trace: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(trace)
        def call(name: Any, python_func: Any, *args: Any, **kwargs: Any) -> Any:
            graph = trace(name, python_func, *args, **kwargs)
            if getattr(graph, LOOP, None) is not None:
                with said(self._capture):
                    self._finish(graph, python_func)
            return graph

        return call

    def _finish(self, graph: Any, python_func: Any) -> None:
        loop = getattr(graph, LOOP)
        if isinstance(graph, self._parts):  # of a function: what it returns is not what that does
            setattr(graph, LOOP, None)
            if self.is_trace(graph.outer_graph):
                outer = _loop(graph.outer_graph)
                outer.marks += [mark._replace(loss=None) for mark in loop.marks]
                outer.updates += loop.updates
            return
        roots = [_root(output) for output in graph.outputs]
        loop.marks = [mark._replace(loss=_place(mark.loss, roots)) for mark in loop.marks]
        loop.where = _where(self._unwrap(python_func)[1], graph.name)

    def _then_read(self, call_flat: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call_flat)
        def call(function: Any, *args: Any, **kwargs: Any) -> Any:
            loop = getattr(function._func_graph, LOOP, None)
            if loop is None or not loop.where:
                return call_flat(function, *args, **kwargs)
            self._capture.before_update()
            result = call_flat(function, *args, **kwargs)
            with said(self._capture):
                self._read(loop, len(function._func_graph.outputs), result)
            return result

        return call

    def _read(self, loop: Loop, count: int, result: Any) -> None:
        eager = self._eager()
        if eager and self._capture.running.in_keras:
            return
        outputs = self._flatten(result, expand_composites=True)
        outputs = [output for output in outputs if output is not None]
        marks = loop.marks
        if len(outputs) != count:  # it is not known which is which
            marks = [mark._replace(loss=None) for mark in marks]
        if not eager:  # called within another function
            outer = self._default_graph()
            if self.is_trace(outer):
                for mark in marks:
                    if mark.loss is None:
                        _loop(outer).marks.append(mark)
                    else:
                        self.mark(outer, outputs[mark.loss], mark.model)
                _loop(outer).updates += loop.updates
            return
        for mark in marks:
            self._steps.cost()
            if mark.loss is not None:
                self._capture.model_cost(mark.model, outputs[mark.loss], loop.updates > 0)
                continue
            self._capture.models.numbers_of(mark.model)
            self._capture.loop_unseen(
                not_one_number(mark.shape)
                if mark.shape is not None
                else "losses of %s, a tf.function: they are not among what it returns; return them,"
                " or %s" % (loop.where, HAND_OVER)
            )
        if loop.updates:
            self._steps.update(loop.updates)


def _loop(graph: Any) -> Loop:
    if getattr(graph, LOOP, None) is None:
        setattr(graph, LOOP, Loop())
    loop: Loop = getattr(graph, LOOP)
    return loop


def _root(tensor: Any) -> Any:
    """Return the tensor that this one is a copy of, or itself."""
    while tensor.op.type in SAME:
        tensor = tensor.op.inputs[0]
    return tensor


def _same(one: Optional[Any], other: Any) -> bool:
    return one is not None and (one.op.name, one.value_index) == (other.op.name, other.value_index)


def _place(loss: Optional[Any], roots: List[Any]) -> Optional[int]:
    return next((place for place, root in enumerate(roots) if _same(loss, root)), None)


def _where(function: Any, name: str) -> str:
    """Return how the script calls a function, and where it stands."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(function, "__code__", None)
    if code is None:
        return name
    file = os.path.basename(code.co_filename)
    return "%s (%s:%d)" % (getattr(function, "__name__", name), file, code.co_firstlineno)
