"""Watch the training loops of a script's own on TensorFlow 2: ``GradientTape.gradient``.

Where the loss is a concrete number, it is kept as it is. Where a ``tf.function`` is being traced,
it is looked for among the outputs of that function, and that output of each call is kept; the
graph is never changed.
"""

from __future__ import annotations

import functools
import threading
import weakref
from types import ModuleType
from typing import Any, Callable, Dict

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops import scaled
from keras_repro.recorder.watch.loops.steps import Steps
from keras_repro.recorder.watch.loops.traces import Traces
from keras_repro.recorder.watch.loops.trouble import HAND_OVER, not_one_number, said
from keras_repro.recorder.watch.models import WatchedModel

SEEN = "_keras_repro_seen"  # set on a tape: what it differentiated for which model


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once TensorFlow, and once Keras has been imported."""
    loops = TapeLoops(capture, Steps(capture))
    return {"tensorflow": loops.watch_tensorflow, "keras": loops.watch_keras}


class TapeLoops:
    """Watches tapes, functions and the optimizers of Keras 3 on TensorFlow."""

    def __init__(self, capture: Capture, steps: Steps) -> None:
        self._capture = capture
        self._steps = steps
        self._now = threading.local()  # jacobian: how many run, one within the other

    def watch_tensorflow(self, tensorflow: ModuleType) -> None:
        """Watch tapes and functions; nothing where it is TensorFlow 1, or made otherwise."""
        if not tensorflow.__version__.startswith("2."):
            return
        try:
            from tensorflow.python.eager import record  # noqa: PLC0415 - it is there by now
            from tensorflow.python.framework import ops  # noqa: PLC0415
            from tensorflow.python.util import nest  # noqa: PLC0415

            self._traces = Traces(self._capture, self._steps)
        except (ImportError, AttributeError):
            return
        self._recording = record.could_possibly_record
        self._eager_tensor: Any = ops.EagerTensor
        self._default_graph = ops.get_default_graph
        self._flatten = nest.flatten
        tape_class: Any = tensorflow.GradientTape
        tape_class.gradient = self._then_seen(tape_class.gradient)
        # Both take gradients of single outputs, which are no losses.
        for name in ("jacobian", "batch_jacobian"):
            setattr(tape_class, name, self._unseen(getattr(tape_class, name)))

    def watch_keras(self, keras: ModuleType) -> None:
        """Count the steps of Keras 3's optimizers."""
        if keras.__version__.startswith("2.") or keras.backend.backend() != "tensorflow":
            return
        scaled.watch_keras(self._capture, keras)
        optimizer_class: Any = keras.optimizers.Optimizer
        apply = optimizer_class.apply

        @functools.wraps(apply)
        def call(*args: Any, **kwargs: Any) -> Any:
            result = apply(*args, **kwargs)
            with said(self._capture):
                self._updated()
            return result

        optimizer_class.apply = call

    def _then_seen(self, gradient: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(gradient)
        def call(tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
            result = gradient(tape, target, sources, *args, **kwargs)
            if not getattr(self._now, "jacobian", 0):
                weighed = args[0] if args else kwargs.get("output_gradients")
                with said(self._capture):
                    self._see(tape, target, sources, weighed is not None)
            return result

        return call

    def _unseen(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            self._now.jacobian = getattr(self._now, "jacobian", 0) + 1
            try:
                return method(*args, **kwargs)
            finally:
                self._now.jacobian -= 1

        return call

    def _see(self, tape: Any, target: Any, sources: Any, weighed: bool) -> None:
        graph = self._default_graph()
        traced = self._traces.is_trace(graph)
        if not traced and self._capture.running.in_keras:
            return
        variables = [each for each in self._flatten(sources) if hasattr(each, "assign")]
        watched = self._capture.models.of_variables(variables) if variables else None
        if watched is None:
            return
        if weighed or len(self._flatten(target)) > 1:
            self._capture.loop_unseen(
                "what a tape differentiated as several values, or weighed, is no loss; "
                + HAND_OVER,
                watched,
            )
            return
        # One that is called within itself is the tape that still records.
        if self._recording() and not getattr(tape, "_recording", False):
            self._capture.loop_unseen(
                "losses that a tape differentiated within another were not kept; " + HAND_OVER,
                watched,
            )
            return
        for value in map(scaled.loss_of, self._flatten(target)):
            if traced:
                self._traces.mark(graph, value, watched)
            elif isinstance(value, self._eager_tensor) and _first(tape, value, watched):
                self._keep(watched, value)

    def _keep(self, watched: WatchedModel, value: Any) -> None:
        if value.shape.num_elements() != 1:
            self._capture.loop_unseen(not_one_number(value.shape))
            return
        self._steps.cost()
        self._capture.model_cost(watched, value)

    def _updated(self) -> None:
        graph = self._default_graph()
        if self._traces.is_trace(graph):
            self._traces.updated(graph)
        elif not self._capture.running.in_keras:
            self._steps.update()


def _first(tape: Any, value: Any, watched: WatchedModel) -> bool:
    """Return whether this tape has not yet differentiated this by weights of this model."""
    seen = vars(tape).setdefault(SEEN, [])
    if any(known() is value and model is watched for known, model in seen):
        return False
    seen.append((weakref.ref(value), watched))
    return True
