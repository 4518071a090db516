"""Which model has which variables, looked up by what a loop names them with."""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, Iterable, List, Set, Tuple


class Owners:
    """Models and their variables at one time; for as long as none is made, dropped or added.

    With ``values`` a variable is known by what its framework trains as well, its ``_value``.
    ``incomplete`` says that some have none yet.
    """

    def __init__(self, models: List[Tuple[Any, List[Tuple[str, Any]]]], values: bool) -> None:
        self.values: List[Any] = []
        self.incomplete = False
        self._models = [(model, {id(each) for _, each in named}) for model, named in models]
        self._names: Dict[int, int] = {}  # a variable's id by its own and by its value's
        self._found: Dict[FrozenSet[int], Any] = {}
        self._only: Dict[FrozenSet[int], Any] = {}
        self._at: Dict[Tuple[bool, ...], FrozenSet[int]] = {}
        for _, named in models:
            for _, variable in named:
                self._add(variable, values)

    def has(self, variable: Any) -> bool:
        """Return whether a model has this variable."""
        return id(variable) in self._names

    def ids(self, variables: Iterable[Any]) -> Set[int]:
        """Return which of these variables a model has."""
        names = self._names
        return {names[id(each)] for each in variables if id(each) in names}

    def of(self, variables: Iterable[Any]) -> Any:
        """Return the model that has most of these, the smallest of those; None for none."""
        return self.of_ids(frozenset(self.ids(variables)))

    def of_ids(self, wanted: FrozenSet[int]) -> Any:
        """Return the model that has most of these, the smallest of those; None for none.

        Of a model and a part of it that has the same weights it is the whole.
        """
        if wanted not in self._found:
            best, best_key = None, (0, 0)
            for model, ids in self._models:
                key = (len(ids & wanted), -len(ids))
                if key[0] and (
                    best is None
                    or key > best_key
                    or (key == best_key and _contains(model.model(), best.model()))
                ):
                    best, best_key = model, key
            self._found[wanted] = best
        return self._found[wanted]

    def only(self, wanted: FrozenSet[int]) -> Any:
        """Return the one model that has any of these; None where there are none or several.

        Those with the same variables are one: a net and its only part; what Keras makes of itself.
        """
        if wanted not in self._only:
            having = [ids for _, ids in self._models if ids & wanted]
            one = bool(having) and all(ids == having[0] for ids in having)
            self._only[wanted] = self.of_ids(wanted) if one else None
        return self._only[wanted]

    def whole(self, wanted: FrozenSet[int]) -> Any:
        """Return the smallest model that has all of these; None where none has."""
        best = self.of_ids(wanted)
        return best if any(model is best and wanted <= ids for model, ids in self._models) else None

    def at(self, places: Tuple[bool, ...]) -> FrozenSet[int]:
        """Return which variables these are: one truth for each of ``values``."""
        if places not in self._at:
            taken = [value for value, here in zip(self.values, places) if here]
            self._at[places] = frozenset(self.ids(taken))
        return self._at[places]

    def _add(self, variable: Any, values: bool) -> None:
        if id(variable) in self._names:
            return
        self._names[id(variable)] = id(variable)
        if values and hasattr(variable, "_value"):
            if variable._value is None:
                self.incomplete = True
            else:
                self._names[id(variable._value)] = id(variable)
                self.values.append(variable._value)


def _contains(model: Any, part: Any) -> bool:
    layers = getattr(model, "layers", ())
    return any(layer is part or _contains(layer, part) for layer in layers)
