"""Watch what a script's PyTorch loaders give, batch by batch, whoever draws from them."""

from __future__ import annotations

import functools
import threading
from types import ModuleType
from typing import Any, Callable, Dict

from keras_repro.recorder.watch.capture import TRAIL, Capture
from keras_repro.recorder.watch.places import called_by_keras

OF_KERAS, NUMBER = "_keras_repro_of_keras", "_keras_repro_loader"


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once PyTorch's loaders have been imported."""
    return {"torch.utils.data.dataloader": functools.partial(_watch, capture)}


def _watch(capture: Capture, module: Any) -> None:
    loader_class, iterator_class = module.DataLoader, module._BaseDataLoaderIter
    make, iterate, draw = loader_class.__init__, loader_class.__iter__, iterator_class.__next__
    known = [0]

    @functools.wraps(make)
    def made(loader: Any, *args: Any, **kwargs: Any) -> None:
        make(loader, *args, **kwargs)
        vars(loader)[OF_KERAS] = called_by_keras()  # around arrays, which were told as such

    @functools.wraps(iterate)
    def iterated(loader: Any) -> Any:
        iterator = iterate(loader)
        if not vars(loader).get(OF_KERAS, True):
            if NUMBER not in vars(loader):
                vars(loader)[NUMBER], known[0] = known[0], known[0] + 1
            vars(iterator)[NUMBER] = vars(loader)[NUMBER]
        return iterator

    @functools.wraps(draw)
    def drawn(iterator: Any) -> Any:
        batch = draw(iterator)
        # Threads draw ahead, as many as the machine is quick.
        main = threading.current_thread() is threading.main_thread()
        if main and NUMBER in vars(iterator):
            capture.guarded(TRAIL, capture.data.batch, vars(iterator)[NUMBER], batch)
        return batch

    loader_class.__init__, loader_class.__iter__ = made, iterated
    iterator_class.__next__ = drawn
