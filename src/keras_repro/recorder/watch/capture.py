"""What is kept of a script: its models' weights, costs, metrics and predictions.

Whatever watches the script hands its numbers in here. Nothing of it draws a random number, and
under a graph (TensorFlow 1) nothing adds an operation that Keras would not add itself at that
point: there an operation's seed depends on how many came before it.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Tuple

from keras_repro.recorder.arrays import ArrayWriter, CannotWriteError, as_series
from keras_repro.recorder.contract import RESERVED, TEST, TRAIN, ArrayName, Kind
from keras_repro.recorder.trail.data import Data
from keras_repro.recorder.trail.generators import states
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.watch import inputs
from keras_repro.recorder.watch.attempt import attempt
from keras_repro.recorder.watch.models import Models, WatchedModel
from keras_repro.recorder.watch.numbers import Numbers
from keras_repro.recorder.watch.places import script_place
from keras_repro.recorder.watch.predictions import Predictions
from keras_repro.recorder.watch.results import leaves
from keras_repro.recorder.watch.running import Running
from keras_repro.recorder.watch.spool import Slot, Spool
from keras_repro.recorder.watch.told_weights import ToldWeights
from keras_repro.recorder.watch.values import as_array, one_number

INITIAL, TRAIL = "initial weights", "the trail"  # what could not be kept, in words
MOST_MODELS_TOLD = 16  # that they were made
HAND_OVER = "keras_repro.record.cost hands them over"


class Capture:
    """Keeps what a script computes, in what ``keep_in`` is given before the script begins.

    The first model's arrays are named as in DESIGN; a second model's carry ``model2/`` in
    front, in the order in which the script first uses them. What the script hands over by
    ``keras_repro.record`` is kept as if the first model had shown it.
    """

    def __init__(self, trail: Trail) -> None:
        self.keras: Optional[ModuleType] = None
        self.steps = 0
        self.keras_steps = 0  # of those, what Keras' own methods did
        self.models = Models()
        self.running = Running()
        self.told_weights = ToldWeights(trail, self.models)
        self.data = Data(trail, lambda: self.steps)
        self._trail = trail
        self._trained = False
        self._told_models = 0
        self.not_recorded: Dict[str, str] = {}
        self._predictions = Predictions()
        self.seen = 0  # costs of loops of the script's own
        self.held: List[Callable[[], None]] = []  # hand over what loops still hold back
        self._loop_steps = 0
        self._recorded_costs = False  # by the script itself, which knows best
        self._unseen: Dict[str, Optional[WatchedModel]] = {}
        self._unread: List[Tuple[WatchedModel, int, bool]] = []

    def keep_in(
        self, arrays: ArrayWriter, given: ArrayWriter, spool: Spool, on_step: Callable[[int], None]
    ) -> None:
        """Keep all from now on in ``arrays``, and until the script's end in ``spool``.

        What the models were given to test and to predict goes to ``given``, where it is small.
        ``on_step`` is called with the number of training steps done.
        """
        self._arrays = arrays
        self._given = given
        self._on_step = on_step
        self.models.spool = self._predictions.spool = spool

    def use(self, keras: ModuleType) -> None:
        """Read weights by this Keras, the script's."""
        self.keras = keras
        self.models.use(keras)

    def finish(self) -> None:
        """Write all that was kept until now: costs, metrics, first and final weights."""
        self.read_costs()
        self.let_go()
        self._tell_generators("the end")
        self.guarded(TRAIL, self.data.finish)
        self.guarded("models that no method used", self.models.number_the_unused)
        watched_models = list(self.models.each())
        numbers_of = [watched.numbers for watched in watched_models] or [self.models.first]
        self._say_unseen()
        for numbers in filter(None, numbers_of):
            if self._recorded_costs:
                numbers.seen_costs.clear()
            numbers.join_seen_costs()
            for name in sorted(numbers.series, key=str):
                self._write_series(name, numbers.series[name])
        for watched in watched_models:
            self.guarded(TRAIL, self.told_weights.begin, watched, False)
            self._end_loop(watched)
            self._write_weights(watched)
        self._predictions.write(self._arrays)
        self._number_links()

    def guarded(self, what: str, function: Callable[..., Any], *args: Any) -> Any:
        """Call what is ours, and return what it does; None after an error, which ends no script.

        It is said then that ``what`` was not kept, and why.

        Raises:
            CannotWriteError: the disk is full.
        """

        def failed(error: Exception) -> None:
            lines = str(error).strip().splitlines() or [""]
            why = "%s: %s" % (type(error).__name__, lines[0][:200])
            self.not_recorded.setdefault(what, "it could not be looked at (%s)" % why)

        return attempt(failed, function, *args)

    def model_made(self, model: Any, by_script: bool) -> None:
        """Take note of a model that the script has just made, or Keras in one of those."""
        before = len(self.models.made)
        self.models.add(model)
        if by_script and len(self.models.made) > before and self._told_models < MOST_MODELS_TOLD:
            self._told_models += 1
            self._tell_generators("model %d is made" % self._told_models)

    def training_begins(self) -> None:
        """Take note that a training begins, the first time."""
        if not self._trained:
            self._trained = True
            self._tell_generators("the first training begins")

    def before_update(self, again: bool = False) -> None:
        """Keep the first values of all weights that are there: something may change them now."""
        if self.keras is not None:
            self.guarded(INITIAL, self.models.look, again)

    def loop_cost(
        self,
        variables: List[Any],
        value: Any,
        model: Any = None,
        later: bool = False,
        updated: bool = False,
        many: bool = False,
    ) -> None:
        """Keep a loss that a loop of the script's own differentiated, as a cost of a model.

        It is that of ``model``, where that is known; else of the one that has most of
        ``variables``, those by which it was differentiated. Where no model has any, it is none.
        ``later`` has it read by ``read_costs``, for it may not be computed yet; it may be ``many``
        then, those of several steps.

        Raises:
            ValueError: it is no number.
        """
        watched = self.models.of_variables(variables) if model is None else self.models.add(model)
        if watched is not None:
            self.model_cost(watched, value, updated, later, many)

    def model_cost(
        self,
        watched: WatchedModel,
        value: Any,
        updated: bool = False,
        later: bool = False,
        many: bool = False,
    ) -> None:
        """Keep a loss that was differentiated as the next cost of a model.

        ``updated`` says that its step is done by now: that the weights were changed. ``later`` has
        it read by ``read_costs``, for it may not be computed yet.

        Raises:
            ValueError: it is no number.
        """
        cost = value if later else one_number(value)
        numbers = self.models.numbers_of(watched)
        if numbers is None:
            return
        self.seen += 1
        self.training_begins()
        numbers.seen_costs.append((len(numbers.costs()), cost))
        self.guarded(TRAIL, self.told_weights.begin, watched, not updated)
        if later:
            self._unread.append((watched, len(numbers.seen_costs) - 1, many))
        elif updated:
            self.guarded(TRAIL, self.told_weights.step_done, watched, 1, cost)
        else:  # the weights after the step before are there
            self._end_loop(watched)
            watched.last_cost = cost

    def read_costs(self) -> None:
        """Read the costs that were to be read later. Where one is gone, none of its loop is kept.

        To be called before anything may change or free them.
        """
        unread, self._unread = self._unread, []
        for watched, number, many in unread:
            assert watched.numbers is not None
            costs = watched.numbers.seen_costs
            place, value = costs[number]
            try:
                costs[number] = (place, as_array(value).ravel() if many else one_number(value))
            except ValueError:
                costs[number] = (place, None)
                self.loop_unseen("losses were gone before they could be read; %s" % HAND_OVER)
            cost = costs[number][1]
            steps = cost.size if many and cost is not None else 1
            cost = cost[-1] if many and steps else cost
            self.guarded(TRAIL, self.told_weights.step_done, watched, steps, cost)

    def loop_unseen(self, what: str, watched: Optional[WatchedModel] = None) -> None:
        """Take note, once, of losses that could not be seen, to be said at the end.

        Of ``watched`` it is said only where none of its losses was seen.
        """
        self._unseen.setdefault(what, watched)

    def loop_step(self, steps: int) -> None:
        """Count steps of a loop of the script's own; none where it says itself what a step is."""
        if not self._recorded_costs:
            self._loop_steps += steps
            self.count_step(steps)

    def let_go(self) -> None:
        """Take over what the loops hold back: something else begins now, or all ends."""
        for hand_over in self.held:
            hand_over()

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
            if not self._recorded_costs:
                self._recorded_costs = True
                self.steps -= self._loop_steps
            self.count_step()

    def record_prediction(self, value: Any) -> None:
        """Keep what the script's own loop predicted. Raises ValueError."""
        name = self.models.first.next(Kind.PREDICTION)
        self._predictions.add(name, "", as_array(value), script_place())

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

    def step_done(self, model: Any, values: Dict[str, Any], steps: int = 1) -> None:
        """Keep the values of a training step, or of the last of several."""
        watched = self.models.used(model)
        assert watched.numbers is not None
        self.keep_values(watched.numbers, TRAIN, values)
        self.keras_steps += steps
        self.count_step(steps)
        self.guarded(TRAIL, self.told_weights.step_done, watched, steps, values.get("loss"))

    def keep_values(self, numbers: Numbers, phase: str, values: Dict[str, Any]) -> None:
        """Keep the named values of a step or a test; ``loss`` is the cost."""
        for name, value in values.items():
            if name == "loss":
                numbers.add(Kind.COST, phase, value)
            else:
                numbers.add(Kind.METRIC, "%s.%s" % (phase, numbers.safe(name)), value)

    def keep_prediction(self, numbers: Numbers, result: Any, place: Any = None) -> ArrayName:
        """Keep what a model predicted at a place of the script; return its name."""
        name = numbers.next(Kind.PREDICTION)
        for suffix, value in leaves(result):
            try:
                self._predictions.add(name, suffix, as_array(value), place)
            except (TypeError, ValueError) as error:  # nothing of ours may end the script
                self.not_recorded[str(name) + suffix] = str(error)
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

    def _number_links(self) -> None:
        """Name models in the trail by their numbers; those that have none go."""
        for link in self._trail.links:
            watched = link.get("model")
            if isinstance(watched, WatchedModel):
                link["model"] = None if watched.numbers is None else watched.numbers.model
        links = self._trail.links
        links[:] = [link for link in links if link.get("model", 0) is not None]

    def called(self, model: Any, given: Any) -> None:
        """Tell the trail what the script itself calls a model with."""
        self.data.called(self.models.add(model), given)

    def begin(self, watched: WatchedModel) -> None:
        """Tell the trail of a model that is about to be used: a loop before, and its weights."""
        self._end_loop(watched)
        self.guarded(TRAIL, self.told_weights.begin, watched, True)

    def given(
        self, watched: WatchedModel, method: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Tell the trail what a method is given; return the arguments to call it with."""
        assert watched.numbers is not None
        found = self.guarded(TRAIL, self.data.given, watched.numbers.model, method, args, kwargs)
        return found or (args, kwargs)

    def _end_loop(self, watched: WatchedModel) -> None:
        """Tell of the last step of a loop, whose weights are there by now."""
        cost, watched.last_cost = watched.last_cost, None
        if cost is not None:
            self.guarded(TRAIL, self.told_weights.step_done, watched, 1, cost)

    def _tell_generators(self, at: str) -> None:
        self._trail.add("generators", self.steps, at=at, states=states())

    def _say_unseen(self) -> None:
        if self._recorded_costs:
            return
        number = 0
        for what, watched in self._unseen.items():
            if watched is None or watched.numbers is None or not watched.numbers.seen_costs:
                number += 1
                self.not_recorded["costs of a loop of its own, %d" % number] = what

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
                self.not_recorded[str(name)] = self._lost()
            else:
                self._write(name, value)

    def _lost(self) -> str:
        """Return why a last weight is not known."""
        if self.keras is not None and self.keras.__version__.startswith("2."):
            return "no session that can be read has it"
        return (
            "the script's loop held it outside of the model, where its end was not seen; assign it "
            "to the model, or use keras_repro.record.array"
        )

    def _write(self, name: ArrayName, value: Any, whole: bool = False) -> None:
        try:
            if isinstance(value, Slot):
                parts = self.models.spool.blocks(value)
                self._arrays.write_blocks(str(name), value.dtype, value.shape, parts)
            else:
                self._arrays.write(str(name), value, whole)
        except (TypeError, ValueError) as error:  # nothing of ours may end the script
            self.not_recorded[str(name)] = str(error)

    def _write_series(self, name: ArrayName, values: List[Any]) -> None:
        try:
            self._write(name, as_series(values), whole=True)  # what reads it asks for each step
        except CannotWriteError:
            raise
        except Exception as error:  # a value of any kind
            self.not_recorded[str(name)] = str(error)
