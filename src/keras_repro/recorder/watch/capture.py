"""What is kept of a script: its models' weights, costs, metrics and predictions.

Whatever watches the script hands its numbers in here. Nothing of it draws a random number, and
under a graph (TensorFlow 1) nothing adds an operation that Keras would not add itself at that
point: there an operation's seed depends on how many came before it.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

from keras_repro.recorder.arrays import ArrayWriter, as_series
from keras_repro.recorder.contract import RESERVED, TEST, TRAIN, ArrayName, Kind
from keras_repro.recorder.watch import inputs
from keras_repro.recorder.watch.models import Models, WatchedModel
from keras_repro.recorder.watch.numbers import Numbers
from keras_repro.recorder.watch.results import leaves
from keras_repro.recorder.watch.running import Running
from keras_repro.recorder.watch.spool import Spool
from keras_repro.recorder.watch.values import as_array


class Capture:
    """Keeps what a script computes in ``arrays``.

    The first model's arrays are named as in DESIGN; a second model's carry ``model2/`` in
    front, in the order in which the script first uses them. ``on_step`` is called with the
    number of training steps done. What the models were given to test and to predict goes to
    ``given``, where it is small. What the script hands over by ``keras_repro.record`` is kept as
    if the first model had shown it.
    """

    def __init__(
        self,
        arrays: ArrayWriter,
        given: ArrayWriter,
        spool: Spool,
        on_step: Callable[[int], None],
    ) -> None:
        self.keras: Optional[ModuleType] = None
        self.steps = 0
        self.models = Models(spool)
        self.running = Running()
        self.not_recorded: Dict[str, str] = {}
        self._arrays = arrays
        self._given = given
        self._on_step = on_step
        self._recorded_costs = False  # by the script itself, which knows best
        self._unseen: List[str] = []

    def use(self, keras: ModuleType) -> None:
        """Read weights by this Keras, the script's."""
        self.keras = keras
        self.models.use(keras)

    def finish(self) -> None:
        """Write all that was kept until now: costs, metrics, first and final weights."""
        self.models.number_the_unused()
        watched_models = list(self.models.each())
        numbers_of = [watched.numbers for watched in watched_models] or [self.models.first]
        for numbers in filter(None, numbers_of):
            if self._recorded_costs:
                numbers.seen_costs.clear()
            numbers.join_seen_costs()
            for name in sorted(numbers.series, key=str):
                self._write_series(name, numbers.series[name])
        for watched in watched_models:
            self._write_weights(watched)
        for number, what in enumerate(self._unseen):
            if not self._recorded_costs:
                self.not_recorded["costs of a loop of its own, %d" % (number + 1)] = what

    def before_update(self, again: bool = False) -> None:
        """Keep the first values of all weights that are there: something may change them now."""
        if self.keras is not None:
            self.models.look(again)

    def loop_cost(self, variables: List[Any], value: Any) -> None:
        """Keep a loss that a loop of the script's own differentiated, as a cost of a model.

        It is the model's that has most of ``variables``, those by which it was differentiated.
        Where no model has any, it is none.

        Raises:
            ValueError: it is no number.
        """
        watched = self.models.of_variables(variables)
        if watched is None:
            return
        cost = as_array(value)
        if cost.size != 1:
            raise ValueError("%s is not one number" % (cost.shape,))
        numbers = self.models.used(watched.model()).numbers
        assert numbers is not None
        numbers.seen_costs.append((len(numbers.costs()), cost.reshape(()).copy()))

    def loop_unseen(self, what: str) -> None:
        """Take note, once, of losses that could not be seen, to be said at the end."""
        if what not in self._unseen:
            self._unseen.append(what)

    def count_step(self, steps: int = 1) -> None:
        """Count training steps that were done."""
        self.steps += steps
        self._on_step(self.steps)

    def record_cost(self, value: Any, kind: str) -> None:
        """Keep a cost of the script's own loop. Raises ValueError."""
        if kind not in (TRAIN, TEST):
            raise ValueError("record.cost: kind %r is neither 'train' nor 'test'" % (kind,))
        cost = as_array(value)
        if cost.size != 1:
            raise ValueError("record.cost: %s is not one number" % (cost.shape,))
        self.models.first.add(Kind.COST, kind, cost.reshape(()).copy())
        if kind == TRAIN:
            self._recorded_costs = True
            self.count_step()

    def record_prediction(self, value: Any) -> None:
        """Keep what the script's own loop predicted. Raises ValueError."""
        self._arrays.write(str(self.models.first.next(Kind.PREDICTION)), as_array(value))

    def record_array(self, name: str, value: Any) -> None:
        """Keep an array of the script's own under its name. Raises ValueError."""
        if not isinstance(name, str) or not re.fullmatch(
            r"[\w-][\w.-]*(/[\w-][\w.-]*)*", name, re.ASCII
        ):
            raise ValueError(
                "record.array: %r is no name; use letters, digits and . _ - /" % (name,)
            )
        if RESERVED.fullmatch(name):
            raise ValueError("record.array: %r is a name of keras-repro's; take another" % name)
        self._arrays.write(name, as_array(value))

    def keep_values(self, numbers: Numbers, phase: str, values: Dict[str, Any]) -> None:
        """Keep the named values of a step or a test; ``loss`` is the cost."""
        for name, value in values.items():
            if name == "loss":
                numbers.add(Kind.COST, phase, value)
            else:
                numbers.add(Kind.METRIC, "%s.%s" % (phase, numbers.safe(name)), value)

    def keep_prediction(self, numbers: Numbers, result: Any) -> ArrayName:
        """Keep what a model predicted; return its name."""
        name = numbers.next(Kind.PREDICTION)
        for suffix, value in leaves(result):
            self._write(name._replace(rest=name.rest + suffix), value)
        return name

    def keep_history(self, numbers: Numbers, history: Dict[str, Any]) -> None:
        """Keep the history of a fit."""
        fit = numbers.next(Kind.HISTORY)
        for name, values in history.items():
            series = fit._replace(rest="%s.%s" % (fit.rest, numbers.safe(name)))
            self._write_series(series, list(values))

    def keep_given(
        self, args: Tuple[Any, ...], kwargs: Dict[str, Any], name: ArrayName, letters: str
    ) -> None:
        """Keep what a test or a prediction was given, where it is small."""
        try:
            inputs.keep(self._given, str(name), args, kwargs, letters)
        except (TypeError, ValueError):  # nothing of ours may end the script
            pass

    def _write_weights(self, watched: WatchedModel) -> None:
        numbers = watched.numbers
        assert numbers is not None
        for rest, value in self.models.first_values(watched):
            name = numbers.name(Kind.INITIAL_WEIGHT, rest)
            if value is None:
                self.not_recorded[str(name)] = "it was changed before it could be read"
            else:
                self._write(name, value)
        for rest, value in self.models.final_values(watched):
            name = numbers.name(Kind.WEIGHT, rest)
            if value is None:
                self.not_recorded[str(name)] = "no session that can be read has it"
            else:
                self._write(name, value)

    def _write(self, name: ArrayName, value: Any) -> None:
        try:
            self._arrays.write(str(name), value)
        except (TypeError, ValueError) as error:  # nothing of ours may end the script
            self.not_recorded[str(name)] = str(error)

    def _write_series(self, name: ArrayName, values: List[Any]) -> None:
        try:
            self._write(name, as_series(values))
        except (TypeError, ValueError) as error:
            self.not_recorded[str(name)] = str(error)
