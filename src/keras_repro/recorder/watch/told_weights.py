"""Tell the trail of each model's weights: as they were made, and after steps 1, 2, 4, 8, ..."""

from __future__ import annotations

from typing import Any, Dict

from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.trail.values import Told, told
from keras_repro.recorder.watch.models import Models, WatchedModel
from keras_repro.recorder.watch.spool import Slot


class ToldWeights:
    """Counts the steps of each model, and tells of its weights meanwhile."""

    def __init__(self, trail: Trail, models: Models) -> None:
        self._trail = trail
        self._models = models

    def begin(self, watched: WatchedModel, unchanged: bool) -> None:
        """Tell how a model's weights were made; to be called at its first use, and again.

        ``unchanged`` says that no step was done: then what changed them before is told too.
        """
        if watched.told or not watched.known or watched.numbers is None:
            return
        first = dict(self._models.first_values(watched))
        if unchanged and None in first.values():  # not made yet, in a graph of TensorFlow 1
            return  # before anything is read: it may be so at every step
        watched.told = True
        known = {name: self._told(slot) for name, slot in first.items() if slot is not None}
        self._trail.add("initial weights", model=watched.numbers.model, weights=known)
        if unchanged:
            now = self._present(watched)
            if now and now != known:
                self._trail.add("weights", model=watched.numbers.model, weights=now)

    def step_done(self, watched: WatchedModel, steps: int, cost: Any) -> None:
        """Count steps of a model that were done; ``cost`` is the last one's, None if not known."""
        numbers = watched.numbers
        if numbers is None:
            return
        self.begin(watched, unchanged=False)
        before, numbers.steps = numbers.steps, numbers.steps + steps
        model, step = numbers.model, numbers.steps
        if before == 0 and cost is not None:
            self._trail.add("cost", step, model=model, value=told(cost))
        if step.bit_length() > before.bit_length():  # a power of two was reached, or passed
            now = self._present(watched)
            if now:
                self._trail.add("weights", step, model=model, weights=now)

    def _told(self, slot: Slot) -> Dict[str, Any]:
        parts = self._models.spool.blocks(slot)
        return Told().add_blocks(slot.dtype, slot.shape, parts).facts()

    def _present(self, watched: WatchedModel) -> Dict[str, Any]:
        found: Dict[str, Any] = {}
        model: Any = watched.model()
        if hasattr(model, "jax_state_sync"):  # during fit on JAX the weights are elsewhere
            model.jax_state_sync()
        values = self._models.last_values([variable for _, variable in watched.variables])
        for (name, _), value in zip(watched.variables, values):
            if value is None:
                return {}
            found[name] = told(value)
        return found
