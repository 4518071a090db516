"""Settings under which libraries choose the same kernels on every processor, each tried first.

Some of them crash on some processors: one that does is left out, and it is said. Which there are
the harness tells, from its table of what chooses kernels.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from keras_repro.recorder import seeding
from keras_repro.recorder.contract import launch

LAUNCH = launch("portable_probe")
PATIENCE = 180.0  # seconds for a process that imports a framework and computes little


class Setting(NamedTuple):
    """What makes a library portable: variables, and what joins their values to others' own."""

    library: str
    joined: str
    variables: Dict[str, str]


def read(text: str) -> List[Setting]:
    """Return the settings that a JSON document holds. Raises ValueError."""
    try:
        return [Setting(str(name), str(by), dict(those)) for name, by, those in json.loads(text)]
    except (TypeError, ValueError) as error:
        raise ValueError("no settings: %s" % error) from None


def environment(
    given: Mapping[str, str], own: Mapping[str, str], settings: Sequence[Setting]
) -> Dict[str, str]:
    """Return an environment with settings and the script's own variables in it.

    What is the script's own goes before a setting; where a variable holds a list, it comes last.
    """
    found, mine = dict(given), dict(own)
    for setting in settings:
        for name, value in setting.variables.items():
            before = found.get(name) if setting.joined else None
            found[name] = setting.joined.join((before, value)) if before else value
            if setting.joined and name in mine:
                mine[name] = setting.joined.join((found[name], mine[name]))
    return seeding.with_own(found, mine)


def choose(
    settings: Sequence[Setting], problem: Callable[[Sequence[Setting]], Optional[str]]
) -> Tuple[List[Setting], Dict[str, str]]:
    """Return the settings that work together, and why each of the others was left out.

    ``problem`` says what is wrong with some of them, None where nothing is. All are tried at once;
    one after the other only where that goes wrong.
    """
    if problem(settings) is None:
        return list(settings), {}
    kept: List[Setting] = []
    left_out: Dict[str, str] = {}
    for setting in settings:
        why = problem([*kept, setting])
        if why is None:
            kept.append(setting)
        else:
            left_out[setting.library] = why
    return kept, left_out


def problem(backend: Optional[str], variables: Mapping[str, str], become: Any) -> Optional[str]:
    """Return what goes wrong where a backend computes under these variables; None for nothing.

    It does so in a process of its own, which ``become`` makes that of the script's user.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-c", LAUNCH, str(backend)],
            cwd="/",
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
            preexec_fn=become,
        )
    except subprocess.TimeoutExpired:
        return "nothing was computed within %d s" % PATIENCE
    if done.returncode == 0:
        return None
    if done.returncode < 0:
        return "it crashed (signal %d)" % -done.returncode
    lines = done.stdout.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
    return "it failed: %s" % lines[-1].strip()[:200]
