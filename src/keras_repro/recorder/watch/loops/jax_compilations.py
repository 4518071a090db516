"""Watch ``jax.jit`` where a script calls it itself."""

from __future__ import annotations

import functools
import sys
from types import MethodType
from typing import Any, Callable, Optional

from keras_repro.recorder.watch.loops.jax_frames import Tracing
from keras_repro.recorder.watch.loops.jax_jit import Function, Jitted, Static, Traced
from keras_repro.recorder.watch.loops.jax_losses import Losses
from keras_repro.recorder.watch.loops.jax_own import MARK, like

NOT_RETURNED = "is none of its outputs"
AHEAD = "is computed by what was compiled ahead of time"


class Compilations:
    """Watches what is compiled: each trace, and each call."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._careful = losses.careful
        self._leaves = losses.leaves
        self._capture = losses.capture
        self._frames = losses.stack
        self._jax = losses.jax

    def watch(self, jax: Any) -> None:
        """Watch from now on. Once."""
        original = jax.jit

        @functools.wraps(original)
        def jit(*args: Any, **kwargs: Any) -> Any:
            if not self._losses.own.has(sys._getframe(1)):
                return original(*args, **kwargs)
            if not args and "fun" not in kwargs:  # makes a decorator, since JAX 0.8.1
                make = original(**kwargs)
                return lambda *given: jit_own(*given, **kwargs) if given else make()
            return jit_own(*args, **kwargs)

        def jit_own(*args: Any, **kwargs: Any) -> Any:
            if len(args) != 1 or not callable(args[0]):  # JAX says what is wrong with it
                return original(*args, **kwargs)
            known = self.function(args[0])
            jitted = original(known.wrapper, **kwargs)
            static = Static(args[0], kwargs, jax)
            known.static = known.static or static
            call, lowered = self._calls_of(args[0], jitted, known, static)
            return Jitted(jitted, args[0], call, lowered, functools.partial(jit, **kwargs))

        jax.jit = jit

    def function(self, function: Any) -> Function:
        """Return what is known of a function; its wrapper is what to have traced in its place."""
        known = (getattr(function, "__dict__", None) or {}).get(MARK)
        if isinstance(known, Function) and known.wrapper.__wrapped__ is function:
            return known
        known = Function()
        known.wrapper = self._traced(function, known)
        # JAX traces a function once, for as long as it lives; so must its wrapper live.
        attributes = getattr(function, "__dict__", None)
        if isinstance(attributes, dict) and not isinstance(function, MethodType):
            attributes[MARK] = known
        return known

    def _traced(self, function: Any, known: Function) -> Any:
        frames = self._frames

        @like(function)
        def trace(*args: Any, **kwargs: Any) -> Any:
            if self._jax.config.jax_disable_jit:
                return function(*args, **kwargs)
            self._careful.do(function, self._capture.before_update)
            frame = Tracing(self._leaves((args, kwargs)), self._losses.tracer)
            frames.frames.append(frame)
            try:
                result = function(*args, **kwargs)
            finally:
                frames.frames.pop()
            self._careful.do(function, after, frame, result, args, kwargs)
            return result

        def after(frame: Tracing, result: Any, args: Any, kwargs: Any) -> None:
            traced = Traced(frame, self._leaves(result))
            known.add(traced, args, kwargs)
            if traced.lost and not frames.differentiates:
                self._careful.unseen(function, NOT_RETURNED)

        return trace

    def _calls_of(self, function: Any, jitted: Any, known: Function, static: Static) -> Any:
        """Return what to call in the place of a jit, and what to make of what it has lowered."""
        leaves = self._leaves

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._jax.config.jax_disable_jit:
                return jitted(*args, **kwargs)
            if not self._frames.frames:  # before anything of the last step is donated
                self._careful.do(function, self._capture.read_costs)
            count, known.static = known.count, static
            result = jitted(*args, **kwargs)
            if not self._careful.do(function, after, count, args, kwargs, result):
                self._losses.weights.lose(known.variables())
            return result

        def after(count: int, args: Any, kwargs: Any, result: Any) -> None:
            traced: Optional[Traced] = known.latest
            if known.count == count:  # it was not traced anew
                traced = known.look_up(static, args, kwargs)
            if traced is not None and traced.matters:
                inputs = functools.partial(leaves, (args, kwargs))
                self._losses.after_call(function, traced, inputs, leaves(result))

        def lowered(stage: Any, args: Any, kwargs: Any) -> None:
            traced = known.look_up(static, args, kwargs)
            after_method(stage, "compile", functools.partial(compiled, traced))

        def compiled(traced: Optional[Traced], stage: Any, *_: Any) -> None:
            if traced is not None and traced.steps:
                after_method(stage, "__call__", functools.partial(called, traced))

        def called(traced: Traced, result: Any, args: Any, kwargs: Any) -> None:
            if static.empty:
                inputs = functools.partial(leaves, (args, kwargs))
                self._losses.after_call(function, traced, inputs, leaves(result))
            else:  # it is called without its static arguments
                self._careful.unseen(function, AHEAD)
                self._losses.weights.lose(known.variables())

        def after_method(stage: Any, name: str, do: Callable[..., Any]) -> None:
            """Have it do more after a method, as an object of a subclass."""
            method = getattr(type(stage), name)

            @functools.wraps(method)
            def more(stage: Any, *args: Any, **kwargs: Any) -> Any:
                result = method(stage, *args, **kwargs)
                self._careful.do(function, do, result, args, kwargs)
                return result

            kind = type(stage)
            stage.__class__ = type(kind.__name__, (kind,), {"__slots__": (), name: more})

        return call, functools.partial(self._careful.do, function, lowered)
