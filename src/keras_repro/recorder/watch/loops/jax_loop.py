"""Watch training loops of a script's own on JAX.

What ``jax.value_and_grad`` and ``jax.grad`` differentiate by a model's weights is a cost. Where it
is traced, the outputs of the script's own ``jax.jit`` are searched for it, and that output is kept
at each call; of a ``lax.scan`` that of each step. Which weights those are, Keras is told by the
script: ``stateless_call``, ``StatelessScope``, or a variable that is assigned within.

The last weights of a loop that leaves its model alone are what its last call returned for them:
known from ``stateless_apply`` and ``stateless_call`` while it is traced, else seen by what comes
out of one call going into the next; where neither is seen, what the last call was given.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Callable, Dict, List

from keras_repro.recorder.watch.capture import HAND_OVER, Capture
from keras_repro.recorder.watch.loops import scaled
from keras_repro.recorder.watch.loops.jax_compilations import Compilations
from keras_repro.recorder.watch.loops.jax_gradients import Gradients
from keras_repro.recorder.watch.loops.jax_losses import Losses
from keras_repro.recorder.watch.loops.jax_scans import Scans


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once ``jax`` and ``keras`` have been imported."""
    watched: List[Losses] = []

    def jax(module: ModuleType) -> None:
        losses = Losses(capture, module)
        compilations = Compilations(losses)
        compilations.watch(module)
        Scans(losses, compilations).watch(module)
        Gradients(losses).watch(module)
        watched.append(losses)

    def keras(module: ModuleType) -> None:
        if watched and module.__version__.startswith("3.") and module.backend.backend() == "jax":
            watched[0].weights.watch(module)
            scaled.watch_keras(capture, module, watched[0].stack.scaled)

    return {"jax": functools.partial(_try, jax, capture), "keras": keras}


def _try(watch: Callable[[ModuleType], None], capture: Capture, module: ModuleType) -> None:
    """Watch a module; a release of it that is made otherwise goes without."""
    try:
        watch(module)
    except AttributeError as error:
        capture.loop_unseen(
            "training loops of the script's own on this JAX are not watched (%s); %s"
            % (error, HAND_OVER)
        )
