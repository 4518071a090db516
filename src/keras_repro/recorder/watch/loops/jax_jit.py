"""A ``jax.jit`` of a script's own: what was seen while it was traced, looked up at each call."""

from __future__ import annotations

import copy
import functools
import inspect
import types
import weakref
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set, Tuple

from keras_repro.recorder.watch.handed import LOST, Handed
from keras_repro.recorder.watch.loops.jax_frames import Tracing

OBSERVED_CALLS = 3  # in which a loop is seen to feed what came out in again
AMBIGUOUS: Any = object()


class Loss(NamedTuple):
    """A differentiated value: its place among the outputs, its variables and its model, weakly.

    ``many`` says that there are those of several steps, one after the other.
    """

    place: int
    variables: List[Any]
    model: Any
    many: bool = False


class Traced:
    """What is known of a trace: which outputs are losses, and where variables come in and go out.

    Places count the leaves of arguments and results. ``after_call`` learns which outputs are new
    values of variables by seeing them come in again.
    """

    def __init__(self, frame: Tracing, outputs: List[Any]) -> None:
        places: Dict[int, int] = {}
        for place, leaf in enumerate(outputs):
            places.setdefault(id(leaf), place)
        self.steps = frame.steps
        self.losses = [
            Loss(
                places[id(found.value)],
                list(map(weakref.ref, found.variables)),
                weak(found.model),
                found.many,
            )
            for found in frame.found
            if id(found.value) in places
        ]
        self.lost = len(frame.found) - len(self.losses)
        self.stood = [
            (weakref.ref(variable), place, weak(model))
            for variable, place, model in frame.stood.values()
        ]
        self.new = [
            (weakref.ref(variable), places[id(value)])
            for variable, value in frame.new.values()
            if id(value) in places
        ]
        # By identity: what compares variables compares their values.
        self.layout = (
            self.steps,
            tuple((loss.place, _ids(loss.variables), id(loss.model())) for loss in self.losses),
            tuple((id(variable()), place, id(model())) for variable, place, model in self.stood),
            tuple((id(variable()), place) for variable, place in self.new),
            len(frame.inputs),
            len(outputs),
        )
        self.matters = bool(self.steps or self.stood or self.new)
        self._ways: Optional[Ways] = None
        self._scanned: Dict[Tuple[int, int], Traced] = {}

    def scanned(self, carried: int, length: int) -> Traced:
        """Return what is known of a scan of this, of such a length.

        It carries the first ``carried`` leaves from step to step; the others that come out are
        stacked, and those that come in are a part of something.
        """
        if (carried, length) not in self._scanned:
            scan = copy.copy(self)
            scan.steps = self.steps * length
            scan.losses = [
                loss._replace(many=True) for loss in self.losses if loss.place >= carried
            ]
            scan.lost = self.lost + len(self.losses) - len(scan.losses)
            scan.stood = [
                (variable, None if place is None or place >= carried else place, model)
                for variable, place, model in self.stood
            ]
            scan.new = [(variable, place) for variable, place in self.new if place < carried]
            scan._ways, scan._scanned = None, {}
            self._scanned[carried, length] = scan
        return self._scanned[carried, length]

    def hand_over(
        self, handed: Handed, inputs: Callable[[], List[Any]], outputs: List[Any]
    ) -> None:
        """Keep what a call was given and gave for the last values of its variables."""
        if self._ways is None:
            self._ways = Ways(self, handed)
        self._ways.follow(handed, inputs, outputs)


class Ways:
    """Where the last value of each variable is after a call: which output, or else which input."""

    def __init__(self, traced: Traced, handed: Handed) -> None:
        self._out: Dict[int, int] = {}
        self._in: Dict[int, int] = {}
        lost: Set[int] = set()
        for reference, place in traced.new:
            if reference() is not None:
                self._out[handed.key(reference())] = place
        for reference, came_in, _ in traced.stood if traced.steps else ():
            if reference() is not None:
                key = handed.key(reference())
                if key not in self._out:
                    if came_in is None:
                        lost.add(key)
                    else:
                        self._in[key] = came_in
        self._lost = list(lost)
        self._calls = 0
        self._previous: Optional[List[Any]] = None

    def follow(self, handed: Handed, inputs: Callable[[], List[Any]], outputs: List[Any]) -> None:
        """Keep the last values after a call."""
        if self._lost:
            handed.keep(self._lost, [LOST] * len(self._lost))
        if self._in:
            given = inputs()
            self._observe(given, outputs)
            handed.keep(self._in, [given[place] for place in self._in.values()])
        handed.keep(self._out, [outputs[place] for place in self._out.values()])

    def _observe(self, given: List[Any], outputs: List[Any]) -> None:
        if self._previous is not None:
            came_out = {id(leaf): place for place, leaf in enumerate(self._previous)}
            for key, place in list(self._in.items()):
                if id(given[place]) in came_out:
                    self._out[key] = came_out[id(given[place])]
                    del self._in[key]
        self._calls += 1
        # Held no longer than it takes: gradients are as large as weights.
        self._previous = outputs if self._in and self._calls < OBSERVED_CALLS else None


class Function:
    """A function of the script's own that is given to ``jit``, and what was seen of its traces.

    ``wrapper`` is what JAX traces in its place. JAX tells functions apart by identity, so there is
    one for each, for as long as it lives.
    """

    def __init__(self) -> None:
        self.wrapper: Any = None
        self.static: Optional[Static] = None  # of the jit that was called last
        self.count = 0
        self.latest: Optional[Traced] = None
        self._layouts: Dict[Any, Traced] = {}
        self._by_key: Dict[Any, Any] = {}

    def __reduce__(self) -> Any:
        return (type(None), ())  # whoever pickles the script's function has nothing of it

    def add(self, traced: Traced, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> None:
        """Take note of a trace that was made for such arguments."""
        known = self._layouts.setdefault(traced.layout, traced)
        self.count += 1
        self.latest = known
        try:
            key = None if self.static is None else self.static.key(args, kwargs)
        except TypeError:  # traced by another jit, for which other arguments are static
            key = None
        if self._by_key.setdefault(key, known) is not known:
            self._by_key[key] = AMBIGUOUS

    def variables(self) -> List[Any]:
        """Return the variables that any of its traces has to do with."""
        references = [
            variable
            for traced in self._layouts.values()
            for variable in [stood[0] for stood in traced.stood] + [new[0] for new in traced.new]
        ]
        return [variable() for variable in references if variable() is not None]

    def look_up(
        self, static: Static, args: Tuple[Any, ...], kwargs: Dict[str, Any]
    ) -> Optional[Traced]:
        """Return what is known of the trace that such arguments use.

        Raises:
            ValueError: that cannot be told.
        """
        if len(self._layouts) <= 1:
            return next(iter(self._layouts.values()), None)
        traced = self._by_key.get(static.key(args, kwargs), AMBIGUOUS)
        if traced is AMBIGUOUS:
            raise ValueError("which of its traces a call uses cannot be told")
        return traced  # type: ignore[no-any-return]


class Static:
    """Which arguments of a ``jit`` are static, to tell its traces apart as JAX does."""

    def __init__(self, function: Any, kwargs: Dict[str, Any], jax: Any) -> None:
        numbers, names = kwargs.get("static_argnums"), kwargs.get("static_argnames")
        self._jax = jax
        self._numbers = set(_each(numbers))
        self._names = set(_each(names))
        parameters: List[str] = []
        if self._numbers or self._names:
            try:
                parameters = list(inspect.signature(function).parameters)
            except (TypeError, ValueError):
                pass
        count = len(parameters)
        self._numbers = {n + count if n < 0 else n for n in self._numbers}
        self._numbers |= {n for n, name in enumerate(parameters) if name in self._names}
        self._names |= {name for n, name in enumerate(parameters) if n in self._numbers}

    @property
    def empty(self) -> bool:
        """Whether no argument is static."""
        return not self._numbers and not self._names

    def key(self, args: Tuple[Any, ...], kwargs: Dict[str, Any]) -> Any:
        """Return what tells arguments apart: static ones by value, others by shape and type."""
        static: List[Any] = [(n, value) for n, value in enumerate(args) if n in self._numbers]
        static += [(name, kwargs[name]) for name in sorted(kwargs) if name in self._names]
        moving = (
            [None if n in self._numbers else value for n, value in enumerate(args)],
            {name: value for name, value in kwargs.items() if name not in self._names},
        )
        leaves, structure = self._jax.tree_util.tree_flatten(moving)
        return tuple(static), structure, tuple(map(self._kind, leaves))

    def _kind(self, leaf: Any) -> Any:
        shape = tuple(getattr(leaf, "shape", ()))
        try:
            return shape, str(self._jax.dtypes.canonicalize_dtype(leaf.dtype))
        except AttributeError:  # a number of Python's
            return shape, str(self._jax.dtypes.result_type(leaf))
        except TypeError:  # no type of NumPy's: a key of a generator
            return shape, str(leaf.dtype)


class Jitted:
    """What ``jax.jit`` returns to the script: JAX's own in all but its calls, which are watched."""

    def __init__(
        self,
        jitted: Any,
        function: Any,
        call: Callable[..., Any],
        lowered: Callable[..., Any],
        again: Any,
    ) -> None:
        functools.update_wrapper(self, jitted, updated=())
        vars(self).update(__wrapped__=function, _jitted=jitted, _call=call)
        vars(self).update(_lowered=lowered, _again=again)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it as JAX's own is called."""
        return self._call(*args, **kwargs)

    def lower(self, *args: Any, **kwargs: Any) -> Any:
        """Lower it as JAX's own does; what is compiled of that is watched too."""
        lowered = self._jitted.lower(*args, **kwargs)
        self._lowered(lowered, args, kwargs)
        return lowered

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        return self if owner is None else types.MethodType(self, owner)

    def __getattr__(self, name: str) -> Any:
        if name == "_jitted":  # of a copy that is being made
            raise AttributeError(name)
        return getattr(self._jitted, name)

    def __repr__(self) -> str:
        return repr(self._jitted)

    def __reduce__(self) -> Any:
        return self._again, (self.__wrapped__,)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memory: Any) -> Any:
        return self


def _each(value: Any) -> List[Any]:
    """Return what is none, one, or several, as several."""
    if value is None:
        return []
    return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)


def _ids(references: List[Any]) -> Tuple[int, ...]:
    return tuple(id(reference()) for reference in references)


def weak(value: Any) -> Any:
    """Return a function that returns the value for as long as it lives."""
    return type(None) if value is None else weakref.ref(value)
