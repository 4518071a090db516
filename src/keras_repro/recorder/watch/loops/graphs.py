"""Watch loops on TensorFlow 1: what is differentiated, and what ``Session.run`` changes.

A step is a run that changes weights by gradients. Its cost is the value that was differentiated,
where the run returns it. Keras' own functions run as a session's callables; those that a script
makes by ``K.function`` too.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
import weakref
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops.graph import Path, Run, differentiated
from keras_repro.recorder.watch.loops.place import not_among_outputs, safely
from keras_repro.recorder.watch.sessions import SessionReading, is_eager, notes_of

OPTIONS = "_keras_repro_options"  # set on a session's callable
TRAINED = "_keras_repro_trained"  # set there too: whether it is noted which weights it trains
TRAINING = ("fit", "fit_generator", "train_on_batch")


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once TensorFlow has been imported: nothing, unless it is TensorFlow 1."""

    def tensorflow(module: ModuleType) -> None:
        if module.__version__.startswith("1."):
            safely(capture, lambda: Graphs(capture, module).watch())

    return {"tensorflow": tensorflow}


class Graphs:
    """Watches all graphs and sessions of a process."""

    def __init__(self, capture: Capture, tensorflow: Any) -> None:
        self._capture = capture
        self._tensorflow = tensorflow
        self._session_class: Any = tensorflow.compat.v1.Session.__mro__[1]
        self._reading = SessionReading(capture.models, tensorflow, self._session_class.run)
        self._within = threading.local()

    def watch(self) -> None:
        """Watch from now on. Once."""
        self._capture.models.reading = self._reading
        for name in ("gradients_util", "gradients_impl"):  # the first since TensorFlow 1.13
            module = sys.modules.get("tensorflow.python.ops." + name)
            if hasattr(module, "_GradientsHelper"):
                self._watch_gradients(module)
        tape = self._tensorflow.GradientTape
        tape.gradient = self._watched_tape(tape.gradient)
        base = self._session_class
        base.run = self._watched_run(base.run)
        base.close = self._watched_close(base.close)
        base.make_callable = self._watched_make_callable(base.make_callable)
        if hasattr(base, "_Callable"):
            self._watch_callables(base._Callable)

    def _watch_gradients(self, module: Any) -> None:
        make = module._GradientsHelper

        @functools.wraps(make)
        def call(ys: Any, xs: Any, grad_ys: Any = None, *args: Any, **kwargs: Any) -> Any:
            gradients = make(ys, xs, grad_ys, *args, **kwargs)
            safely(self._capture, self._note, ys, xs, grad_ys, gradients)
            return gradients

        module._GradientsHelper = call

    def _watched_tape(self, differentiate: Callable[..., Any]) -> Any:
        """Watch a tape in a graph, where it makes operations; not one under eager execution."""

        @functools.wraps(differentiate)
        def call(tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
            gradients = differentiate(tape, target, sources, *args, **kwargs)
            api = self._tensorflow.compat.v1
            if not api.executing_eagerly() and not api.get_default_graph().building_function:
                weights = args[0] if args else kwargs.get("output_gradients")
                made = gradients if isinstance(gradients, (list, tuple)) else [gradients]
                safely(self._capture, self._note, target, sources, weights, made)
            return gradients

        return call

    def _note(self, ys: Any, xs: Any, grad_ys: Any, gradients: Any) -> None:
        found = differentiated(ys, xs, grad_ys, gradients)
        if found is None:
            return
        notes = notes_of(found.variables[0].graph)
        notes.losses.append(found)
        if not self._capture.running.in_keras:
            # Nothing may be read here: TensorFlow holds the graph, and a run would wait for ever.
            self._capture.models.find_variables()
            notes.models += self._capture.models.with_any_of(self._variables(found.variables))

    def _watched_run(self, run: Callable[..., Any]) -> Any:
        @functools.wraps(run)
        def call(session: Any, fetches: Any, *args: Any, **kwargs: Any) -> Any:
            known = safely(self._capture, self._known, session, fetches)
            return self._around(session, known, lambda: run(session, fetches, *args, **kwargs))

        return call

    def _watched_make_callable(self, make: Callable[..., Any]) -> Any:
        @functools.wraps(make)
        def call(session: Any, fetches: Any, *args: Any, **kwargs: Any) -> Any:
            made = make(session, fetches, *args, **kwargs)

            @functools.wraps(made)
            def watched(*values: Any, **options: Any) -> Any:
                known = safely(self._capture, self._known, session, fetches)
                return self._around(session, known, lambda: made(*values, **options))

            return watched

        return call

    def _watch_callables(self, callable_class: Any) -> None:
        make, run = callable_class.__init__, callable_class.__call__

        @functools.wraps(make)
        def init(made: Any, session: Any, callable_options: Any) -> None:
            make(made, session, callable_options)
            vars(made)[OPTIONS] = callable_options
            # Keras has started its session by now, and has run nothing of this.
            safely(self._capture, self._look, session)

        @functools.wraps(run)
        def call(made: Any, *args: Any, **kwargs: Any) -> Any:
            calls = self._capture.running.calls
            if self._capture.running.in_keras:
                result = run(made, *args, **kwargs)
                if calls[0].method in TRAINING:
                    safely(self._capture, self._trained_by_keras, made, calls[0].model)
                return result
            known = safely(self._capture, self._known_callable, made)
            return self._around(made._session, known, lambda: run(made, *args, **kwargs))

        callable_class.__init__, callable_class.__call__ = init, call

    def _watched_close(self, close: Callable[..., Any]) -> Any:
        @functools.wraps(close)
        def call(session: Any) -> None:
            if session._session and not session._closed and not sys.is_finalizing():
                safely(self._capture, self._reading.keep_of, session)
            close(session)

        return call

    def _around(self, session: Any, known: Optional[Run], run: Callable[[], Any]) -> Any:
        # A callable may run a session, which must not count twice.
        if known is None or getattr(self._within, "running", False):
            return run()
        safely(self._capture, self._before, session, known)
        self._within.running = True
        try:
            result = run()
        finally:
            self._within.running = False
        safely(self._capture, self._after, session, known, result)
        return result

    def _known(self, session: Any, fetches: Any) -> Optional[Run]:
        graph = session.graph
        elements: List[Tuple[Optional[Path], Any]] = []
        for path, leaf in _leaves(fetches, ()):
            # Of a sparse tensor there is none, nor of what the script names wrongly.
            with contextlib.suppress(TypeError, ValueError, KeyError):
                elements.append((path, graph.as_graph_element(leaf)))
        return self._run_of(graph, elements)

    def _known_callable(self, made: Any) -> Optional[Run]:
        options, graph = vars(made)[OPTIONS], made._session.graph
        found: Optional[Run] = vars(made).get("_keras_repro_run")
        if found is None:
            elements: List[Tuple[Optional[Path], Any]] = []
            for place_of_it, name in enumerate(options.fetch):
                elements.append(((place_of_it,), graph.as_graph_element(name)))
            for name in options.target:
                elements.append((None, graph.as_graph_element(name)))
            found = vars(made)["_keras_repro_run"] = self._run_of(graph, elements)
        return found

    def _run_of(self, graph: Any, elements: List[Tuple[Optional[Path], Any]]) -> Run:
        notes = notes_of(graph)
        key = tuple((path, element.name) for path, element in elements)
        if key not in notes.runs:
            notes.runs[key] = Run(elements, notes.losses)
        found: Run = notes.runs[key]
        return found

    def _look(self, session: Any) -> None:
        with self._reading.before(session):
            self._capture.before_update(again=True)

    def _before(self, session: Any, known: Run) -> None:
        if known.changed and known.looked_at() is not session:
            known.looked_at = weakref.ref(session)
            self._look(session)

    def _after(self, session: Any, known: Run, result: Any) -> None:
        if not known.changed and not known.initialized:
            return
        self._reading.gave_values(session, known.initialized + known.changed)
        notes = notes_of(session.graph)
        anew = set(known.initialized) - notes.changed
        if anew:
            self._capture.models.forget_first(self._variables(anew))
            if self._capture.models.ulps:  # they are moved as they are read
                self._look(session)
        notes.changed.update(known.changed)
        if not self._capture.running.in_keras:
            self._keep_costs(known, result)

    def _keep_costs(self, known: Run, result: Any) -> None:
        steps = 0
        for at, (variables, path) in enumerate([*known.trained, (known.by_unknown, None)]):
            weights = known.weights.get(at)
            if not weights and variables:
                weights = known.weights[at] = self._variables(variables)
            if not weights:
                continue
            steps = 1
            try:
                if path is None:
                    raise ValueError("it is not returned")
                self._capture.loop_cost(weights, _value_at(result, path), updated=True)
            except ValueError:
                if known.said_at.get(at) is None:
                    known.said_at[at] = not_among_outputs("a run of a graph")
                self._capture.loop_unseen(known.said_at[at])
        if steps:
            self._capture.loop_step(1)

    def _variables(self, operations: Any) -> List[Any]:
        """Return the variables of the script's models that these operations stand for."""
        wanted = set(operations)
        found = {id(one): one for one in self._capture.models.variables()}
        return [one for one in found.values() if getattr(one, "op", None) in wanted]

    def _trained_by_keras(self, made: Any, model: Any) -> None:
        if TRAINED not in vars(made):
            vars(made)[TRAINED] = True
            operations = [one.op for one in model.weights if not is_eager(one)]
            self._reading.gave_values(made._session, operations)
            notes_of(made._session.graph).changed.update(operations)


def _leaves(fetches: Any, path: Path) -> List[Tuple[Path, Any]]:
    if isinstance(fetches, dict):
        items = list(fetches.items())
    elif isinstance(fetches, (list, tuple)):
        items = list(enumerate(fetches))
    else:
        return [(path, fetches)]
    return [leaf for key, part in items for leaf in _leaves(part, path + (key,))]


def _value_at(result: Any, path: Path) -> Any:
    for key in path:
        result = result[key]
    return result
