"""The models that a script makes, and the values that their weights have first and last.

A model is held weakly and its variables for as long as it lives, so that what the script drops is
freed; what it was last goes to a file then.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from types import ModuleType
from typing import Any, Dict, Iterator, List, Optional, Tuple

from keras_repro.recorder.arrays import CannotWriteError
from keras_repro.recorder.watch.handed import Handed
from keras_repro.recorder.watch.numbers import Numbers
from keras_repro.recorder.watch.owners import Owners
from keras_repro.recorder.watch.planted import Planted
from keras_repro.recorder.watch.reading import Reading
from keras_repro.recorder.watch.spool import Slot, Spool
from keras_repro.recorder.watch.ulps import moved
from keras_repro.recorder.weights import each_variable


class Known:
    """What is known of one variable, for as long as it lives: its number, and its first value."""

    def __init__(self, variable: Any, number: int) -> None:
        self.number = number
        self.first: Optional[Slot] = None
        try:
            self.variable: Any = weakref.ref(variable)
        except TypeError:
            self.variable = lambda: variable


class WatchedModel:
    """A model of the script's, and what it has shown so far.

    ``numbers`` are None until it is used. ``final`` is what the weights were, where the model is
    gone or can no longer be read.
    """

    def __init__(self, model: Any) -> None:
        self.model = weakref.ref(model)
        self.numbers: Optional[Numbers] = None
        self.variables: List[Tuple[str, Any]] = []
        self.known: Dict[str, Known] = {}
        self.final: Optional[Dict[str, Optional[Slot]]] = None
        self.told = False  # to the trail
        self.last_cost: Any = None  # of a loop's step that may not be done yet


class Models:
    """Every model of a script, in the order in which it was made.

    The first that is used is number 1, the second 2: so an array is called the same on every
    backend. Models that are never used come last. First values of weights wait in ``spool``.
    """

    spool: Spool

    def __init__(self) -> None:
        self.reading = Reading(None)
        self.ulps = 0  # the condition: what moves numbers by one ulp each; 0 for nothing
        self.planted = Planted({})
        self.made: List[WatchedModel] = []
        self.handed = Handed()
        self._used: List[WatchedModel] = []
        self._by_id: Dict[int, WatchedModel] = {}
        self._variables: Dict[int, Known] = {}
        self._numbering = itertools.count()
        self._first = Numbers(1)
        self._weights_made = True  # since all of them were looked at
        self._owners: Optional[Owners] = None
        self._strangers: Dict[int, Any] = {}  # variables that no model has

    @property
    def first(self) -> Numbers:
        """What was kept of the first model; of the script itself, where there is none."""
        return self._first

    def use(self, keras: ModuleType) -> None:
        """Read weights by this Keras."""
        self.reading.keras = keras

    def add(self, model: Any) -> WatchedModel:
        """Return what is known of a model, which may be new."""
        known = self._by_id.get(id(model))
        if known is None or known.model() is not model:
            self.settle()
            known = self._by_id[id(model)] = WatchedModel(model)
            self.made.append(known)
            self._weights_made = True
        return known

    def used(self, model: Any) -> WatchedModel:
        """Return what is known of a model that the script uses, and give it a number."""
        known = self.add(model)
        self._number(known)
        return known

    def numbers_of(self, watched: WatchedModel) -> Optional[Numbers]:
        """Return where the numbers of a model go; None where it is gone and was never used."""
        if watched.numbers is None and watched.model() is not None:
            self._number(watched)
        return watched.numbers

    def owners(self) -> Owners:
        """Return which models have which variables, as of now."""
        self.look()
        if self._owners is None or self._owners.incomplete:
            living = [each for each in self.made if each.final is None and each.model() is not None]
            keras_3 = (
                self.reading.keras is not None
                and not self.reading.keras.__version__.startswith("2.")
            )
            values = keras_3 and self.reading.keras.backend.backend() != "jax"
            self._owners = Owners([(each, each.variables) for each in living], values)
        return self._owners

    def of_variables(self, variables: List[Any]) -> Optional[WatchedModel]:
        """Return the model that has most of these variables, the smallest of those; None for none.

        So of a net and a part of it, the part is what is trained where only its weights are; where
        both have the same, it is the net. Instead of a variable of Keras 3 its framework's own may
        be given, but for JAX, where each value is another.
        """
        strangers = [each for each in variables if not self.owners().has(each)]
        if any(self._strangers.get(id(each), _nothing)() is not each for each in strangers):
            self._strangers.update((id(each), weakref.ref(each)) for each in strangers)
            self.look(again=True)  # a layer may have been added, or have made it in its own way
        found: Optional[WatchedModel] = self.owners().of(variables)
        return found

    def knows(self, variable: Any) -> bool:
        """Whether it is a weight that was seen: no state of an optimizer or a metric."""
        known = self._variables.get(id(variable))
        return known is not None and known.variable() is variable

    def with_any_of(self, variables: List[Any]) -> List[Any]:
        """Return the models that have any of these variables.

        Whatever trains them is to hold them: a script may drop a model and train its weights on.
        No value is read.
        """
        wanted = {id(variable) for variable in variables}
        self.find_variables()
        return [
            watched.model()
            for watched in self.made
            if any(id(variable) in wanted for _, variable in watched.variables)
        ]

    def find_variables(self) -> None:
        """Find the variables that models have by now, and read none."""
        for watched in self.made:
            model = watched.model()
            if model is not None and watched.final is None:
                self._find_variables(watched, model)

    def weight_made(self, variable: Any, readable: bool) -> None:
        """Take note of a weight that a layer has just made, and keep its first value.

        In a graph of TensorFlow 1 it is not ``readable``: reading would add operations to it.
        """
        self._weights_made = True
        if readable:
            self._keep_first([variable])

    def look(self, again: bool = False) -> None:
        """Keep the first value of every weight that is new since the last look.

        To be called before anything changes weights. ``again`` looks also where no layer has made
        a weight in the way that is watched.
        """
        self.settle()
        if not self._weights_made and not again:
            return
        self._weights_made = False
        self._owners = None
        for watched in self.made:
            model = watched.model()
            if model is not None and watched.final is None:
                self._look_at(watched, model)

    def begin_anew(self, model: Any) -> None:
        """Take what a model's weights are now for their first values."""
        watched = self.add(model)
        self._look_at(watched, model)
        for _, variable in watched.variables:
            self._variables.pop(id(variable), None)
        self._look_at(watched, model)

    def settle(self) -> None:
        """Keep the last weights of the models that the script has dropped, and free them."""
        for watched in self.made:
            if watched.variables and watched.final is None and watched.model() is None:
                try:
                    self.keep_final(watched)
                except CannotWriteError:
                    raise
                except Exception:  # ends no script: they are said to be lost
                    watched.final = dict.fromkeys(name for name, _ in watched.variables)
                    watched.variables = []

    def settle_all(self) -> None:
        """Keep the last weights of every model: from now on they can no longer be read."""
        self.reading.prepare_last()
        self.look(again=True)
        for watched in self.made:
            if watched.variables and watched.final is None:
                self.keep_final(watched)
        self.reading.forget()

    def keep_final(self, watched: WatchedModel) -> None:
        """Keep what the weights of a model are now as its last, and let go of them."""
        values = self.last_values([variable for _, variable in watched.variables])
        watched.final = {
            name: None if value is None else self.spool.put(value)
            for (name, _), value in zip(watched.variables, values)
        }
        watched.variables = []
        self._owners = None
        self.reading.let_go()

    def number_the_unused(self) -> None:
        """Give a number to each model with a weight that no model before it has."""
        self.reading.prepare_last()
        self.look(again=True)
        seen = {known.number for watched in self._used for known in watched.known.values()}
        for watched in self.made:
            own = {known.number for known in watched.known.values()}
            if watched.numbers is None and not own <= seen:
                self._number(watched)
            seen |= own

    def each(self) -> Iterator[WatchedModel]:
        """Yield the models that have a number, by it."""
        return iter(self._used)

    def first_values(self, watched: WatchedModel) -> Iterator[Tuple[str, Optional[Slot]]]:
        """Yield the name and the first value of each weight, where it waits; None if not known."""
        for name, known in watched.known.items():
            yield name, known.first

    def final_values(self, watched: WatchedModel) -> Iterator[Tuple[str, Any]]:
        """Yield the name and the last value of each weight; None where it is not known.

        It is the slot where it waits, where it does.
        """
        if watched.final is not None:
            yield from watched.final.items()
            return
        values = self.last_values([variable for _, variable in watched.variables])
        for (name, _), value in zip(watched.variables, values):
            yield name, value

    def last_values(self, variables: List[Any]) -> Iterator[Any]:
        """Yield the present value of each weight, as a loop has it; None where it is not known."""
        values = self.reading.each(variables, last=True)
        for variable, value in zip(variables, values):
            yield self.handed.value(variable, functools.partial(_itself, value))

    def variables(self) -> Iterator[Any]:
        """Yield each variable of the models that the script still has; some may come twice."""
        for watched in self.made:
            for _, variable in watched.variables:
                yield variable

    def forget_first(self, variables: List[Any]) -> None:
        """Let these have no first value yet: they were made anew, and nothing has trained them."""
        for variable in variables:
            known = self._variables.get(id(variable))
            if known is not None and known.variable() is variable:
                known.first = None

    def _number(self, watched: WatchedModel) -> None:
        if watched.numbers is None:
            number = len(self._used) + 1
            watched.numbers = self._first if number == 1 else Numbers(number)
            self._used.append(watched)

    def _look_at(self, watched: WatchedModel, model: Any) -> None:
        self._find_variables(watched, model)
        self._keep_first([variable for _, variable in watched.variables])

    def _find_variables(self, watched: WatchedModel, model: Any) -> None:
        try:
            watched.variables = list(each_variable(model))
        except (AttributeError, ValueError):  # Keras 2's subclassed models have none before a call
            return
        for name, variable in watched.variables:
            if not _is_quantized(variable, watched.known.get(name)):
                watched.known[name] = self._known(variable)

    def _known(self, variable: Any) -> Known:
        known = self._variables.get(id(variable))
        if known is None or known.variable() is not variable:
            known = self._variables[id(variable)] = Known(variable, next(self._numbering))
        return known

    def _keep_first(self, variables: List[Any]) -> None:
        new = [variable for variable in variables if self._known(variable).first is None]
        for variable, value in zip(new, self.reading.each(new)):
            if value is not None:
                known = self._known(variable)
                known.first = self.spool.put(self._moved(variable, known.number, value))

    def _moved(self, variable: Any, number: int, value: Any) -> Any:
        """Return a variable's first value, moved where that is asked for."""
        found = moved(value, self.ulps, number) if self.ulps else None
        found = self.planted.weight(value if found is None else found)
        if found is value:
            return value
        self.reading.put(variable, found)
        [now] = self.reading.each([variable])  # as the framework has it
        return found if now is None else now


def _is_quantized(variable: Any, before: Optional[Known]) -> bool:
    """Whether it has taken the place of a weight that was none of whole numbers: made of its value.

    So what that was first is what is first of its name.
    """
    return (
        before is not None
        and before.first is not None
        and before.first.dtype.kind not in "iub"
        and str(getattr(variable, "dtype", "")).startswith(("int", "uint"))
    )


def _nothing() -> None:
    return None


def _itself(value: Any) -> Any:
    return value
