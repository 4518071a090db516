"""Watch ``jax.value_and_grad``, ``jax.grad`` and ``jax.vjp`` where a script calls them itself."""

from __future__ import annotations

import functools
import sys
import weakref
from typing import Any, Dict, Optional, Tuple

from keras_repro.recorder.watch.loops.jax_frames import Differentiating, Found
from keras_repro.recorder.watch.loops.jax_jit import Loss, weak
from keras_repro.recorder.watch.loops.jax_losses import Losses, alive
from keras_repro.recorder.watch.loops.jax_own import like


class Gradients:
    """Watches what is differentiated."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._careful = losses.careful
        self._leaves = losses.leaves
        self._own = losses.own
        self._seen: Any = weakref.WeakKeyDictionary()

    def watch(self, jax: Any) -> None:
        """Watch from now on. Once."""
        self._watch_grad(jax)
        self._watch_vjp(jax)

    def _watch_grad(self, jax: Any) -> None:
        original = jax.value_and_grad
        grad = jax.grad

        @functools.wraps(original)
        def value_and_grad(*args: Any, **kwargs: Any) -> Any:
            if not args or not callable(args[0]) or not self._own.has(sys._getframe(1)):
                return original(*args, **kwargs)
            return self._differentiated(original, *args, **kwargs)

        @functools.wraps(grad)
        def without_value(*args: Any, **kwargs: Any) -> Any:
            alone = grad(*args, **kwargs)
            if not args or not self._own.has(sys._getframe(1)):
                return alone
            # As JAX's own does: the value is left out of what value_and_grad returns.
            both = self._differentiated(original, *args, **kwargs)
            has_aux = _argument(args, kwargs, 2, "has_aux", False)

            @functools.wraps(alone)
            def call(*inputs: Any, **named: Any) -> Any:
                value, gradients = both(*inputs, **named)
                return (gradients, value[1]) if has_aux else gradients

            return call

        jax.value_and_grad, jax.grad = value_and_grad, without_value

    def _watch_vjp(self, jax: Any) -> None:
        original = jax.vjp

        @functools.wraps(original)
        def vjp(*args: Any, **kwargs: Any) -> Any:
            if not args or not callable(args[0]) or not self._own.has(sys._getframe(1)):
                return original(*args, **kwargs)
            has_aux = kwargs.get("has_aux", False)
            within, run = self._framed(args[0], range(len(args) - 1), has_aux)

            def parts(result: Any) -> Any:
                return result[0], result[2] if has_aux else None

            return run(functools.partial(original, within), args[1:], {}, kwargs, parts)

        jax.vjp = vjp

    def _differentiated(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        argnums = _argument(args, kwargs, 1, "argnums", 0)
        has_aux = _argument(args, kwargs, 2, "has_aux", False)
        wanted = list(argnums) if hasattr(argnums, "__iter__") else [argnums]
        within, run = self._framed(args[0], wanted, has_aux)
        both = original(within, *args[1:], **kwargs)

        def parts(result: Any) -> Any:
            return result[0] if has_aux else (result[0], None)

        @functools.wraps(both)
        def call(*inputs: Any, **named: Any) -> Any:
            return run(both, inputs, named, {}, parts)

        return call

    def _framed(self, function: Any, wanted: Any, has_aux: bool) -> Any:
        """Return a function to differentiate in the place of another, and one that does so.

        That one is given what to call, with which arguments, and how to take the value and what
        stands beside it from what is returned.
        """
        losses = self._losses
        frames = losses.stack

        @like(function)
        def within(*inputs: Any, **named: Any) -> Any:
            frame: Any = frames.frames[-1] if frames.frames else None
            if getattr(frame, "owner", None) is not within:
                return function(*inputs, **named)
            self._careful.do(function, begin, frame, inputs, named)
            result = function(*inputs, **named)
            value, beside = result if has_aux else (result, None)
            self._careful.do(function, lambda: frame.end(value, self._leaves(beside)))
            return result

        def begin(frame: Differentiating, inputs: Any, named: Any) -> None:
            differentiated = self._leaves([inputs[number] for number in wanted])
            frame.begin(self._leaves((inputs, named)), differentiated)

        def run(do: Any, inputs: Any, named: Any, options: Any, parts: Any) -> Any:
            if not frames.frames:
                if losses.capture.running.in_keras:
                    return do(*inputs, **named, **options)
                self._careful.do(function, losses.capture.read_costs)
                self._careful.do(function, losses.capture.before_update)
            frame = Differentiating(within, self._leaves((inputs, named)), losses.tracer)
            frames.frames.append(frame)
            try:
                result = do(*inputs, **named, **options)
            finally:
                frames.frames.pop()
            if not self._careful.do(function, end, frame, *parts(result)):
                losses.weights.lose(frame.variables())
            return result

        def end(frame: Differentiating, value: Any, beside: Any) -> None:
            leaves = self._leaves(beside)
            for variable, place in frame.new_places.values():
                losses.weights.new(variable, leaves[place])
            found = frame.found(value)
            if found is not None or not frame.told:
                found = self._remembered(function, tuple(wanted), found, value)
            if found is not None and frame.is_scaled:
                at = frame.loss_place
                found = found._replace(value=None if at is None else leaves[at])
            if found is not None:
                losses.found(function, found)

        return within, run

    def _remembered(
        self, function: Any, wanted: Any, found: Optional[Found], value: Any
    ) -> Optional[Found]:
        """Return whose loss it is, by what an earlier call has shown where this one does not.

        JAX keeps what it has traced of ``jax.checkpoint``: it does not call the model again.
        """
        try:
            seen = self._seen.setdefault(function, {})
        except TypeError:  # there is no weak reference to such a function
            return found
        if found is not None:
            seen[wanted] = Loss(0, list(map(weakref.ref, found.variables)), weak(found.model))
        elif wanted in seen:
            found = Found(value, alive(seen[wanted]), seen[wanted].model())
            self._losses.weights.lose(found.variables)
        return found


def _argument(
    args: Tuple[Any, ...], kwargs: Dict[str, Any], place: int, name: str, default: Any
) -> Any:
    return args[place] if place < len(args) else kwargs.get(name, default)
