"""What is traced now of a script's own functions (JAX), and which variables stand for what in it.

Each thread has a stack: a frame for every ``jit`` of the script's own that is being traced, and
for every value that is being differentiated. A weight that Keras is given in place of a variable
(``stateless_call``) is told from the innermost frame down; each says what it is one frame below.
"""

from __future__ import annotations

import threading
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

DERIVED: Any = object()  # what stands for a variable is made of a frame's inputs, unknown how


class Found(NamedTuple):
    """A differentiated value, and the variables and the model by which it was."""

    value: Any
    variables: List[Any]
    model: Any  # None where only the variables are known
    many: bool = False  # those of several steps, one after the other


class Stood(NamedTuple):
    """What stood for a variable: the place of an input; None for something made of inputs."""

    variable: Any
    place: Optional[int]
    model: Any


class Tracing:
    """A ``jit`` of the script's own while its function is traced.

    It tells nothing to the frame below: what is known of it is told at each of its calls, also
    those for which it is not traced again.
    """

    def __init__(self, inputs: List[Any], tracer: Any) -> None:
        self._tracer = tracer
        self.inputs = inputs  # held, so that no other object has the identity of one
        self._places = {id(leaf): place for place, leaf in enumerate(inputs)}
        self.traces = traces_of(inputs, tracer)
        self.stood: Dict[int, Stood] = {}
        self.new: Dict[int, Tuple[Any, Any]] = {}
        self.found: List[Found] = []
        self.steps = 0  # that a call does; none where nothing is differentiated

    def has_input(self, value: Any) -> bool:
        """Whether the function is given this very value."""
        return id(value) in self._places

    def pair(self, variable: Any, value: Any, model: Any, below: Sequence[Frame]) -> Any:  # noqa: ARG002
        """Take note of what stands for a variable; return None."""
        place = self._places.get(id(value))
        known = self.stood.get(id(variable))
        if place is not None:
            if known is None or known.place is None:
                self.stood[id(variable)] = Stood(variable, place, model)
        elif known is None and (value is DERIVED or isinstance(value, self._tracer)):
            self.stood[id(variable)] = Stood(variable, None, model)


class Differentiating:
    """A value while it is differentiated.

    ``owner`` tells whose call it is. A variable is ``certain`` where what stands for it is one of
    the differentiated inputs or made of them; ``possible`` where it is made of something within.
    """

    def __init__(self, owner: Any, inputs: List[Any], tracer: Any) -> None:
        self.owner = owner
        self._tracer = tracer
        self._outer = inputs
        self._inner: Dict[int, Any] = {}
        self._held: List[Any] = []
        self._differentiated: Dict[int, Any] = {}
        self._traces: Dict[int, Any] = {}
        self.told = False  # anything at all
        self.certain: Dict[int, Tuple[Any, Any]] = {}
        self.possible: Dict[int, Tuple[Any, Any]] = {}
        self.new: Dict[int, Tuple[Any, Any]] = {}
        self.new_places: Dict[int, Tuple[Any, int]] = {}
        self._scaled: Dict[int, Tuple[Any, Any]] = {}
        self.loss_place: Optional[int] = None

    @property
    def is_scaled(self) -> bool:
        """Whether the optimizer has scaled a loss within: the value is another number."""
        return bool(self._scaled)

    def begin(self, inputs: List[Any], differentiated: List[Any]) -> None:
        """Take note of the inputs as the function has them, in the order of those outside."""
        self._held = inputs
        if len(inputs) == len(self._outer):
            self._inner = {id(leaf): outer for leaf, outer in zip(inputs, self._outer)}
        self._differentiated = {id(leaf): leaf for leaf in differentiated}
        self._traces = traces_of(differentiated, self._tracer)

    def scale(self, scaled: Any, loss: Any) -> None:
        """Take note of a loss that the optimizer scales."""
        self._scaled[id(scaled)] = (scaled, loss)

    def end(self, value: Any, beside: List[Any]) -> None:
        """Take note of where new values of variables are among what is returned beside the value.

        And where the loss is, if the value is one that was scaled.
        """
        places = {id(leaf): place for place, leaf in enumerate(beside)}
        if id(value) in self._scaled:
            self.loss_place = places.get(id(self._scaled[id(value)][1]))
        for key, (variable, new) in self.new.items():
            if id(new) in places:
                self.new_places[key] = (variable, places[id(new)])

    def has_input(self, value: Any) -> bool:
        """Whether the function is given this very value."""
        return id(value) in self._inner

    def pair(self, variable: Any, value: Any, model: Any, below: Sequence[Frame]) -> Any:
        """Take note of what stands for a variable; return what that is one frame below."""
        self.told = True
        if value is DERIVED:
            self.possible.setdefault(id(variable), (variable, model))
            return DERIVED
        if not isinstance(value, self._tracer):
            return value
        outer = self._inner.get(id(value), DERIVED)
        if id(value) in self._differentiated or trace_of(value) in self._traces:
            self.certain.setdefault(id(variable), (variable, model))
            return outer
        if outer is not DERIVED or any(
            isinstance(frame, Tracing) and trace_of(value) in frame.traces for frame in below
        ):
            return value
        self.possible.setdefault(id(variable), (variable, model))
        return DERIVED

    def variables(self) -> List[Any]:
        """Return the variables that something here stood for."""
        return [variable for variable, _ in [*self.certain.values(), *self.possible.values()]]

    def found(self, value: Any) -> Optional[Found]:
        """Return whose loss the value is; None where it is no model's.

        Raises:
            ValueError: it may be one of several models'.
        """
        pairs = self.certain or self.possible
        if not pairs:
            return None
        models = {id(model): model for _, model in pairs.values() if model is not None}
        if len(models) > 1 and not self.certain:
            raise ValueError("it may be the loss of any of %d models" % len(models))
        model = next(iter(models.values())) if len(models) == 1 else None
        return Found(value, [variable for variable, _ in pairs.values()], model)


Frame = Any  # Tracing or Differentiating


class Stack(threading.local):
    """The frames of this thread, the innermost last; and the model that is called now."""

    def __init__(self) -> None:
        self.frames: List[Frame] = []
        self.model: Any = None

    @property
    def differentiates(self) -> bool:
        """Whether a value is being differentiated."""
        return any(isinstance(frame, Differentiating) for frame in self.frames)

    def pair(self, variable: Any, value: Any, model: Any) -> Any:
        """Tell the frames what stands for a variable; return what it is outside of them all.

        None where that is left to the calls of a ``jit``.
        """
        for depth in range(len(self.frames) - 1, -1, -1):
            value = self.frames[depth].pair(variable, value, model, self.frames[:depth])
            if value is None:
                return None
        return value

    def scaled(self, scaled: Any, loss: Any) -> None:
        """Tell the value that is being differentiated of a loss that the optimizer scales."""
        for frame in reversed(self.frames):
            if isinstance(frame, Differentiating):
                frame.scale(scaled, loss)
                return


def trace_of(value: Any) -> int:
    """Return by what to tell the trace that a tracer is part of."""
    return id(getattr(value, "_trace", value))


def traces_of(values: List[Any], tracer: Any) -> Dict[int, Any]:
    """Return the traces that these values are part of, held."""
    return {
        trace_of(value): getattr(value, "_trace", None)
        for value in values
        if isinstance(value, tracer)
    }
