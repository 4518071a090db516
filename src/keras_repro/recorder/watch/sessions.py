"""Read weights out of the sessions of TensorFlow 1, adding nothing to their graphs.

Keras' own way to read a variable starts its session and initializes what it finds, which adds
operations, and an operation's seed depends on how many came before it. To fetch a variable adds
none. Each session has values of its own, so it matters which of them trained a variable.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Set

from keras_repro.recorder.arrays import CannotWriteError
from keras_repro.recorder.watch.models import Models
from keras_repro.recorder.watch.reading import Reading
from keras_repro.recorder.watch.spool import Slot

NOTES = "_keras_repro_notes"  # set on a graph
AT_ONCE = 16  # variables: each fetch of others is compiled anew, and all at once are held at once


class Notes:
    """What is known of a graph, and lives as long as it; variables are known by their operations.

    ``sessions`` says which session has given each variable its value last; ``closed`` what that
    was, where the session is closed; ``changed`` which were trained, or set, once they had a value.
    ``models`` are those with weights by which ``losses`` were differentiated.
    """

    def __init__(self) -> None:
        self.sessions: Dict[Any, Any] = {}
        self.closed: Dict[Any, Slot] = {}
        self.changed: Set[Any] = set()
        self.losses: List[Any] = []
        self.models: List[Any] = []
        self.runs: Dict[Any, Any] = {}


def notes_of(graph: Any) -> Notes:
    """Return what is known of a graph."""
    notes: Notes = vars(graph).setdefault(NOTES, Notes())
    return notes


def is_eager(variable: Any) -> bool:
    """Whether a variable has its value by itself, in no session."""
    return not getattr(variable, "_in_graph_mode", True)


class SessionReading(Reading):
    """Reads each variable in the session that has it."""

    def __init__(self, models: Models, tensorflow: Any, run: Callable[..., Any]) -> None:
        """``run`` is how a session runs when nobody watches."""
        super().__init__(models.reading.keras)
        self._models = models
        self._tensorflow = tensorflow
        self._run = run
        self._training = threading.local()

    @contextlib.contextmanager
    def before(self, session: Any) -> Iterator[None]:
        """Read first values there meanwhile: it is about to change them."""
        self._training.session = session
        try:
            yield
        finally:
            self._training.session = None

    def each(self, variables: List[Any], last: bool = False) -> Iterator[Any]:
        """Yield the value of each variable, None where no session that can be read has it."""
        for start in range(0, len(variables), AT_ONCE):
            yield from self._together(variables[start : start + AT_ONCE], last)

    def put(self, variable: Any, value: Any) -> None:
        """Give a variable a value in the session that has it: its initializer is run with it."""
        if is_eager(variable):
            with self._tensorflow.init_scope():
                variable.assign(value)
            return
        session = self._session_of(variable, last=False)
        if session is not None:
            operation = variable.initializer
            self._run(session, operation, {operation.inputs[1]: value})

    def prepare_last(self) -> None:
        """Have Keras initialize what nothing has used, as it would at its first use."""
        self._models.look(again=True)
        with contextlib.suppress(Exception):
            if self._tensorflow.compat.v1.executing_eagerly():
                return
            graph = self._tensorflow.compat.v1.get_default_graph()
            for variable in self._models.variables():
                if variable.graph is graph and self._has_none(variable):
                    self.keras.backend.get_session()
                    return

    def gave_values(self, session: Any, operations: List[Any]) -> None:
        """Take note that a session has given these variables their values."""
        notes = notes_of(session.graph)
        notes.sessions.update(dict.fromkeys(operations, session))
        if notes.closed:
            for operation in operations:
                notes.closed.pop(operation, None)

    def keep_of(self, session: Any) -> None:
        """Keep what a session has, which is about to close."""
        notes = notes_of(session.graph)
        if session not in notes.sessions.values():
            return
        with self.before(session):
            self._models.look(again=True)
        variables = [
            variable
            for variable in {id(one): one for one in self._models.variables()}.values()
            if not is_eager(variable) and notes.sessions.get(variable.op) is session
        ]
        for variable, value in zip(variables, self.each(variables, last=True)):
            if value is not None:
                notes.closed[variable.op] = self._models.spool.put(value)
        for operation in [one for one, owner in notes.sessions.items() if owner is session]:
            del notes.sessions[operation]

    def let_go(self) -> None:
        """Hold no session that has weights of none of the script's models any more."""
        alive: Dict[Any, Set[Any]] = {}
        for variable in self._models.variables():
            if not is_eager(variable):
                alive.setdefault(variable.graph, set()).add(variable.op)
        for graph, operations in alive.items():
            notes = notes_of(graph)
            needed = [notes.sessions.get(operation) for operation in operations]
            for operation in list(notes.sessions):
                if notes.sessions[operation] not in needed:
                    del notes.sessions[operation]

    def forget(self) -> None:
        """Let go of what is known of the graph that Keras is about to drop.

        The first is made while TensorFlow is imported, and no collector would find it.
        """
        vars(self._tensorflow.compat.v1.get_default_graph()).pop(NOTES, None)

    def _together(self, variables: List[Any], last: bool) -> List[Any]:
        values: Dict[int, Any] = {}
        of_sessions: Dict[Any, List[Any]] = {}
        for variable in variables:
            if is_eager(variable):
                values[id(variable)] = self._eager_value(variable)
                continue
            session = self._session_of(variable, last)
            if session is not None:
                of_sessions.setdefault(session, []).append(variable)
            elif variable.op in notes_of(variable.graph).closed:
                slot = notes_of(variable.graph).closed[variable.op]
                values[id(variable)] = self._models.spool.get(slot)
        for session, those in of_sessions.items():
            values.update(zip(map(id, those), self._fetched(session, those)))
        return [values.get(id(variable)) for variable in variables]

    def _session_of(self, variable: Any, last: bool) -> Optional[Any]:
        notes = notes_of(variable.graph)
        training = getattr(self._training, "session", None)
        if not last and training is not None and training.graph is variable.graph:
            return training
        if variable.op in notes.closed:
            return None
        default = self._tensorflow.compat.v1.get_default_session()
        for session in (notes.sessions.get(variable.op), default):
            if session is not None and session.graph is variable.graph and not session._closed:
                return session
        return None

    def _has_none(self, variable: Any) -> bool:
        notes = notes_of(variable.graph)
        return variable.op not in notes.sessions and variable.op not in notes.closed

    def _fetched(self, session: Any, variables: List[Any]) -> List[Any]:
        try:
            return list(self._run(session, variables))
        except CannotWriteError:
            raise
        except Exception:  # one of them has no value yet
            if len(variables) == 1:
                return [None]
        return [self._fetched(session, [variable])[0] for variable in variables]

    def _eager_value(self, variable: Any) -> Any:
        with self._tensorflow.init_scope():
            try:
                return variable.numpy()
            except Exception:  # it has none yet
                return None
