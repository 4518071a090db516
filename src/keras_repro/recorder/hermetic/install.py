"""Give a script the surroundings that its conditions ask for."""

from __future__ import annotations

from types import ModuleType
from typing import Callable, Dict, Mapping

from keras_repro.recorder.hermetic import clock, entropy, folders, frameworks, identity
from keras_repro.recorder.hermetic.changes import moved_seconds
from keras_repro.recorder.hermetic.environment import HERMETIC_HOST

Hooks = Dict[str, Callable[[ModuleType], None]]


def install(seed: int, hermetic: bool, changes: Mapping[str, str]) -> Hooks:
    """Change what Python tells of the surroundings; return what to do with modules to come.

    Nothing is changed where nothing is asked for. Before anything of the script is imported:
    what was imported by name keeps the function that was there.
    """
    hooks: Hooks = {}
    if "host" in changes or hermetic:
        identity.install_host(changes.get("host", HERMETIC_HOST))
    if "user" in changes:
        identity.install_user(changes["user"])
    if "folder-order" in changes or hermetic:
        folders.install(changes.get("folder-order", "sorted"), seed)
    if "entropy" in changes or hermetic:
        streams = entropy.install(seed, "entropy", int(changes.get("entropy", "1")))
        hooks.update(frameworks.hooks(seed, streams))
    if hermetic:
        identity.install_node(seed)
        numbers = identity.Numbers(seed)
        numbers.install()
        hooks["psutil"] = numbers.watch_psutil
    moved = moved_seconds(changes.get("clock", ""))
    if hermetic:
        clock.install_ticking(seed, moved)
    elif moved:
        clock.install_moved(moved)
    return hooks
