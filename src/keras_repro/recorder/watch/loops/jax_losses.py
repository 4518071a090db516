"""What becomes of a differentiated value on JAX: a cost, a part of a trace, or a line."""

from __future__ import annotations

from typing import Any, Callable, List

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops.jax_frames import DERIVED, Found, Stack, Tracing
from keras_repro.recorder.watch.loops.jax_jit import Loss, Traced, weak
from keras_repro.recorder.watch.loops.jax_own import Careful, Own
from keras_repro.recorder.watch.loops.jax_weights import Weights

SCALED = "was scaled by the optimizer, and what it was before is not returned beside it"
NO_NUMBER = "is not one number"
ELSEWHERE = "is computed within another transformation of JAX"


class Losses:
    """What all that is watched of JAX has in common, and where its losses go."""

    def __init__(self, capture: Capture, jax: Any) -> None:
        self.capture = capture
        self.jax = jax
        self.tracer = jax.core.Tracer
        self.own = Own(jax)
        self.careful = Careful(capture)
        self.stack = Stack()
        self.weights = Weights(capture, self.stack, self.tracer)
        self._flatten = jax.tree_util.tree_leaves

    def leaves(self, tree: Any) -> List[Any]:
        """Return the leaves of a tree; none of one that JAX cannot take apart, and need not."""
        try:
            return self._flatten(tree)  # type: ignore[no-any-return]
        except (TypeError, ValueError):
            return []

    def found(self, function: Any, found: Found) -> None:
        """Keep a differentiated value, leave it to the trace that it is part of, or say it."""
        traced = isinstance(found.value, self.tracer)
        inner = self.stack.frames[-1] if self.stack.frames else None
        is_number = getattr(found.value, "shape", None) == ()
        if isinstance(inner, Tracing) and (traced or found.value is None):
            inner.found.append(found if is_number else found._replace(value=inner))
            inner.steps = max(inner.steps, 1)
        elif self.stack.differentiates or self.capture.running.in_keras:
            pass  # a part of what is differentiated, or of what Keras trains
        else:
            if traced:
                self.careful.unseen(function, ELSEWHERE)
            elif not is_number:
                self.careful.unseen(function, SCALED if found.value is None else NO_NUMBER)
            else:
                self.capture.loop_cost(found.variables, found.value, found.model, later=True)
            self.capture.loop_step(1)

    def after_call(
        self, function: Any, traced: Traced, inputs: Callable[[], List[Any]], outputs: List[Any]
    ) -> None:
        """Keep the losses and the last weights of a call of what was compiled, or tell them."""
        if self.stack.frames:
            self._tell(traced, inputs(), outputs)
        elif self.capture.running.in_keras:
            pass
        elif outputs and isinstance(outputs[0], self.tracer):  # then all are
            if traced.steps:
                self.careful.unseen(function, ELSEWHERE)
        elif traced.steps or traced.new:
            for number, loss in enumerate(traced.losses):
                model = loss.model() or self._model_of(loss)
                if model is not None:
                    traced.losses[number] = loss._replace(model=weak(model))
                    value = outputs[loss.place]
                    self.capture.loop_cost([], value, model, later=True, many=loss.many)
            if traced.steps:
                self.capture.loop_step(traced.steps)
            traced.hand_over(self.capture.models.handed, inputs, outputs)

    def _tell(self, traced: Traced, inputs: List[Any], outputs: List[Any]) -> None:
        """Tell the frame that a call is part of what is known of the function called."""
        for reference, place, model in traced.stood:
            if reference() is not None:
                value = DERIVED if place is None else inputs[place]
                self.weights.pair(reference(), value, model())
        for reference, place in traced.new:
            if reference() is not None:
                self.weights.new(reference(), outputs[place])
        frame = self.stack.frames[-1]
        if isinstance(frame, Tracing):
            frame.steps = max(frame.steps, traced.steps)
            for loss in traced.losses:
                found = Found(outputs[loss.place], alive(loss), loss.model(), loss.many)
                frame.found.append(found)

    def _model_of(self, loss: Loss) -> Any:
        watched = self.capture.models.of_variables(alive(loss))
        return None if watched is None else watched.model()


def alive(loss: Loss) -> List[Any]:
    """Return the variables of a loss that are still there."""
    variables = [reference() for reference in loss.variables]
    return [variable for variable in variables if variable is not None]
