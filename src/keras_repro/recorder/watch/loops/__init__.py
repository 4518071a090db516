"""Watch training loops of a script's own, one file a framework.

Each says by ``hooks`` what to do once a module has been imported. What it sees it hands to the
capture: ``before_update`` before weights may change, ``loop_cost`` for each value that was
differentiated by a model's variables (``model_cost`` where the model is known), ``loop_unseen``
where there are losses that it cannot read. Steps are counted by ``steps.Steps``. What it holds
back it hands over when a function in ``held`` is called, before Keras' own methods and at the end.
Nothing is done while ``capture.running.in_keras``: that training is Keras' own, and watched there.
"""

from __future__ import annotations

from types import ModuleType
from typing import Callable, Dict, List

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops import (
    eager,
    graphs,
    jax_loop,
    tape,
    theano_functions,
    torch_loop,
)

Hooks = Dict[str, Callable[[ModuleType], None]]


def hooks(capture: Capture) -> List[Hooks]:
    """Return what to do with each module whose loops are watched, a table a framework."""
    frameworks = (tape, torch_loop, jax_loop, graphs, eager, theano_functions)
    return [each.hooks(capture) for each in frameworks]
