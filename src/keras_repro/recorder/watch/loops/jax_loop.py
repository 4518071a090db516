"""Watch training loops of a script's own on JAX.

What ``jax.value_and_grad`` and ``jax.grad`` differentiate by a model's weights is a cost. Where it
is traced, the outputs of the script's own ``jax.jit`` are searched for it, and that output is kept
at each call. Which weights those are, Keras is told by the script: ``stateless_call``,
``StatelessScope``, or a variable that is assigned within.

The last weights of a loop that leaves its model alone are what its last call returned for them:
known from ``stateless_apply`` and ``stateless_call`` while it is traced, else seen by what comes
out of one call going into the next; where neither is seen, what the last call was given.
"""

from __future__ import annotations

import functools
import sys
import weakref
from types import MethodType, ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

from keras_repro.recorder.watch.capture import HAND_OVER, Capture
from keras_repro.recorder.watch.loops.jax_frames import (
    DERIVED,
    Differentiating,
    Found,
    Stack,
    Tracing,
)
from keras_repro.recorder.watch.loops.jax_jit import Function, Jitted, Loss, Static, Traced, weak
from keras_repro.recorder.watch.loops.jax_own import MARK, Careful, Own, like
from keras_repro.recorder.watch.loops.jax_weights import Weights

NO_NUMBER = "is not one number"
NOT_RETURNED = "is none of its outputs"
AHEAD = "is computed by what was compiled ahead of time"
ELSEWHERE = "is computed within another transformation of JAX"


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once ``jax`` and ``keras`` have been imported."""
    loops: List[JaxLoop] = []

    def jax(module: ModuleType) -> None:
        loops.append(JaxLoop(capture, module))
        loops[0].watch()

    def keras(module: ModuleType) -> None:
        if loops and module.__version__.startswith("3.") and module.backend.backend() == "jax":
            loops[0].weights.watch(module)

    return {"jax": functools.partial(_try, jax, capture), "keras": keras}


def _try(watch: Callable[[ModuleType], None], capture: Capture, module: ModuleType) -> None:
    """Watch a module; a release of it that is made otherwise goes without."""
    try:
        watch(module)
    except AttributeError as error:
        capture.loop_unseen(
            "training loops of the script's own on this JAX are not watched (%s); %s"
            % (error, HAND_OVER)
        )


class JaxLoop:
    """Watches the public names that a script takes from the module ``jax``."""

    def __init__(self, capture: Capture, jax: Any) -> None:
        self._capture = capture
        self._running = capture.running
        self._jax = jax
        self._tracer = jax.core.Tracer
        self._leaves = jax.tree_util.tree_leaves
        self._own = Own(jax)
        self._careful = Careful(capture)
        self._stack = Stack()
        self._seen: Any = weakref.WeakKeyDictionary()
        self.weights = Weights(capture, self._stack, self._tracer)

    def watch(self) -> None:
        """Watch from now on. Once."""
        self._watch_jit(self._jax)
        self._watch_grad(self._jax)
        self._watch_vjp(self._jax)

    def _watch_jit(self, jax: Any) -> None:
        original = jax.jit

        @functools.wraps(original)
        def jit(*args: Any, **kwargs: Any) -> Any:
            if not self._own.has(sys._getframe(1)):
                return original(*args, **kwargs)
            if not args and "fun" not in kwargs:  # makes a decorator, since JAX 0.8.1
                make = original(**kwargs)
                return lambda *given: jit_own(*given, **kwargs) if given else make()
            return jit_own(*args, **kwargs)

        def jit_own(*args: Any, **kwargs: Any) -> Any:
            if len(args) != 1 or not callable(args[0]):  # JAX says what is wrong with it
                return original(*args, **kwargs)
            known = self._function(args[0])
            jitted = original(known.wrapper, **kwargs)
            static = Static(args[0], kwargs, jax)
            known.static = known.static or static
            call, lowered = self._calls_of(args[0], jitted, known, static)
            return Jitted(jitted, args[0], call, lowered, functools.partial(jit, **kwargs))

        jax.jit = jit

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

    # A function that is differentiated.

    def _differentiated(self, original: Any, *args: Any, **kwargs: Any) -> Any:
        argnums = _argument(args, kwargs, 1, "argnums", 0)
        has_aux = _argument(args, kwargs, 2, "has_aux", False)
        wanted = [argnums] if isinstance(argnums, int) else argnums
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
        frames = self._stack

        @like(function)
        def within(*inputs: Any, **named: Any) -> Any:
            frame: Any = frames.frames[-1] if frames.frames else None
            if getattr(frame, "owner", None) is not within:
                return function(*inputs, **named)
            self._careful.do(function, begin, frame, inputs, named)
            result = function(*inputs, **named)
            if has_aux:
                self._careful.do(function, lambda: frame.end(self._leaves(result[1])))
            return result

        def begin(frame: Differentiating, inputs: Any, named: Any) -> None:
            differentiated = self._leaves([inputs[number] for number in wanted])
            frame.begin(self._leaves((inputs, named)), differentiated)

        def run(do: Any, inputs: Any, named: Any, options: Any, parts: Any) -> Any:
            if not frames.frames:
                if self._running.in_keras:
                    return do(*inputs, **named, **options)
                self._careful.do(function, self._capture.read_costs)
                self._careful.do(function, self._capture.before_update)
            frame = Differentiating(within, self._leaves((inputs, named)), self._tracer)
            frames.frames.append(frame)
            try:
                result = do(*inputs, **named, **options)
            finally:
                frames.frames.pop()
            if not self._careful.do(function, end, frame, *parts(result)):
                self.weights.lose(frame.variables())
            return result

        def end(frame: Differentiating, value: Any, beside: Any) -> None:
            if frame.new_places:
                leaves = self._leaves(beside)
                for variable, place in frame.new_places.values():
                    self.weights.new(variable, leaves[place])
            found = frame.found(value)
            if found is not None or not frame.told:
                found = self._remembered(function, tuple(wanted), found, value)
            if found is not None:
                self._keep_or_leave(function, found)

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
            found = Found(value, _alive(seen[wanted]), seen[wanted].model())
            self.weights.lose(found.variables)
        return found

    def _keep_or_leave(self, function: Any, found: Found) -> None:
        """Keep a differentiated value, leave it to the trace that it is part of, or say it."""
        traced = isinstance(found.value, self._tracer)
        inner = self._stack.frames[-1] if self._stack.frames else None
        if isinstance(inner, Tracing) and traced:
            inner.found.append(found if found.value.shape == () else found._replace(value=inner))
            inner.differentiates = True
        elif self._stack.differentiates or self._running.in_keras:
            pass  # a part of what is differentiated, or of what Keras trains
        else:
            if traced:
                self._careful.unseen(function, ELSEWHERE)
            elif getattr(found.value, "shape", None) != ():  # by jax.vjp alone
                self._careful.unseen(function, NO_NUMBER)
            else:
                self._capture.loop_cost(found.variables, found.value, found.model, later=True)
            self._capture.count_step()

    # A function that is compiled.

    def _function(self, function: Any) -> Function:
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
        frames = self._stack

        @like(function)
        def trace(*args: Any, **kwargs: Any) -> Any:
            if self._jax.config.jax_disable_jit:
                return function(*args, **kwargs)
            self._careful.do(function, self._capture.before_update)
            frame = Tracing(self._leaves((args, kwargs)), self._tracer)
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
            if not self._stack.frames:  # before anything of the last step is donated
                self._careful.do(function, self._capture.read_costs)
            count, known.static = known.count, static
            result = jitted(*args, **kwargs)
            if not self._careful.do(function, after, count, args, kwargs, result):
                self.weights.lose(known.variables())
            return result

        def after(count: int, args: Any, kwargs: Any, result: Any) -> None:
            traced: Optional[Traced] = known.latest
            if known.count == count:  # it was not traced anew
                traced = known.look_up(static, args, kwargs)
            if traced is not None and traced.matters:
                inputs = functools.partial(leaves, (args, kwargs))
                self._after_call(function, traced, inputs, leaves(result))

        def lowered(stage: Any, args: Any, kwargs: Any) -> None:
            traced = known.look_up(static, args, kwargs)
            after_method(stage, "compile", functools.partial(compiled, traced))

        def compiled(traced: Optional[Traced], stage: Any, *_: Any) -> None:
            if traced is not None and traced.differentiates:
                after_method(stage, "__call__", functools.partial(called, traced))

        def called(traced: Traced, result: Any, args: Any, kwargs: Any) -> None:
            if static.empty:
                inputs = functools.partial(leaves, (args, kwargs))
                self._after_call(function, traced, inputs, leaves(result))
            else:  # it is called without its static arguments
                self._careful.unseen(function, AHEAD)
                self.weights.lose(known.variables())

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

    def _after_call(
        self, function: Any, traced: Traced, inputs: Callable[[], List[Any]], outputs: List[Any]
    ) -> None:
        if self._stack.frames:
            self._tell(traced, inputs(), outputs)
        elif self._running.in_keras:
            pass
        elif any(isinstance(leaf, self._tracer) for leaf in outputs):
            if traced.differentiates:
                self._careful.unseen(function, ELSEWHERE)
        elif traced.differentiates or traced.new:
            for number, loss in enumerate(traced.losses):
                model = loss.model() or self._model_of(loss)
                if model is not None:
                    traced.losses[number] = loss._replace(model=weak(model))
                    self._capture.loop_cost([], outputs[loss.place], model, later=True)
            if traced.differentiates:
                self._capture.count_step()
            traced.hand_over(self._capture.models.handed, inputs, outputs)

    def _tell(self, traced: Traced, inputs: List[Any], outputs: List[Any]) -> None:
        """Tell the frame that a call is part of what is known of the function called."""
        for reference, place, model in traced.stood:
            if reference() is not None:
                value = DERIVED if place is None else inputs[place]
                self.weights.pair(reference(), value, model())
        for reference, place in traced.new:
            if reference() is not None:
                self.weights.new(reference(), outputs[place])
        frame = self._stack.frames[-1]
        if isinstance(frame, Tracing):
            frame.differentiates |= traced.differentiates
            for loss in traced.losses:
                frame.found.append(Found(outputs[loss.place], _alive(loss), loss.model()))

    def _model_of(self, loss: Loss) -> Any:
        watched = self._capture.models.of_variables(_alive(loss))
        return None if watched is None else watched.model()


def _alive(loss: Loss) -> List[Any]:
    variables = [reference() for reference in loss.variables]
    return [variable for variable in variables if variable is not None]


def _argument(
    args: Tuple[Any, ...], kwargs: Dict[str, Any], place: int, name: str, default: Any
) -> Any:
    return args[place] if place < len(args) else kwargs.get(name, default)
