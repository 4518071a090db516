"""What is to be said of a script's process that has ended: why its run failed, what is lacking."""

from __future__ import annotations

import os
import signal
from typing import Dict, Optional

from keras_repro.recorder import messages
from keras_repro.recorder.child import Child
from keras_repro.recorder.request import Request


def not_recorded(child: Child) -> Dict[str, str]:
    """Return what the script computed that could not be kept, and why."""
    found = dict(child.said.get("not_recorded", {}))
    if child.said.get("forks_trained"):
        found["what its processes trained"] = "the script's own process alone is watched"
    return found


def why_failed(child: Child, request: Request) -> Optional[str]:
    """Return in one line why the run is not a good one, or None."""
    status = child.process.returncode or 0
    if status < 0:
        out_of_memory = " (out of memory?)" if -status == signal.SIGKILL else ""
        return "killed by %s%s" % (_signal_name(-status), out_of_memory)
    if status:
        error = child.said.get("error") or child.last_line() or "it printed nothing"
        return "exit status %d: %s" % (status, error)
    if not child.said.get("completed") or not set(messages.OF_COMPLETED) <= set(child.said):
        return "it ended the interpreter itself (os._exit), so its numbers could not be kept"
    used = child.said["keras"]["backend"]
    if used is None and child.said.get("had_processes"):
        return (
            "it never imported Keras itself, so there is nothing to keep; the processes that it "
            "started are not watched"
        )
    if used is None:
        return "it never imported Keras, so there is nothing to keep"
    if request.keras_backend is not None and used != request.keras_backend:
        return "Keras used the backend %r, and %r was asked for (KERAS_BACKEND=%s)" % (
            used,
            request.keras_backend,
            os.environ.get("KERAS_BACKEND", "is not set"),
        )
    if not child.said["arrays"] and not child.said["summaries"]:
        return "it trained, tested and predicted with no Keras model, so there is nothing to keep"
    return None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return "signal %d" % number
