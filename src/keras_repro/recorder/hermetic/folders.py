"""The order in which a folder's entries are told."""

from __future__ import annotations

import glob
import os
import pathlib
import sys
from typing import Any, Callable, Iterator, List

from keras_repro.recorder.hermetic.callers import number
from keras_repro.recorder.hermetic.stand_in import put

MODULES = (glob.__name__, pathlib.__name__)  # their classes hold the functions themselves


class Entries:
    """What ``os.scandir`` returns, of entries that are known already."""

    def __init__(self, entries: List[Any]) -> None:
        self._left = iter(entries)

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self._left)

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give no more."""
        self._left = iter(())


def install(order: str, seed: int) -> None:
    """Tell the entries of folders sorted by name, reversed, or shuffled by the seed."""
    real_list, real_scan = os.listdir, os.scandir

    def key(name: Any) -> Any:
        return number(1 << 64, seed, "folder", name) if order == "shuffled" else name

    def listdir(*args: Any, **kwargs: Any) -> List[Any]:
        return sorted(real_list(*args, **kwargs), key=key, reverse=order == "reversed")

    def scandir(*args: Any, **kwargs: Any) -> Entries:
        with real_scan(*args, **kwargs) as entries:
            found = sorted(entries, key=lambda e: key(e.name), reverse=order == "reversed")
        return Entries(found)

    for real, call in ((real_list, listdir), (real_scan, scandir)):
        made = put(os, real.__name__, call)
        _put_in_classes(real, made)


def _put_in_classes(real: Callable[..., Any], made: Any) -> None:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in MODULES:
            continue
        for found in list(vars(module).values()):
            if not isinstance(found, type):
                continue
            held = vars(found).get(real.__name__)
            if getattr(held, "__func__", held) is real:
                setattr(found, real.__name__, made)
