"""Keep an error of ours from ending a script that is fine bare."""

from __future__ import annotations

from typing import ContextManager, Iterable, Optional

from keras_repro.recorder.watch.attempt import attempted
from keras_repro.recorder.watch.capture import HAND_OVER, Capture

__all__ = ["HAND_OVER", "said"]


def not_one_number(shape: Iterable[Optional[int]]) -> str:
    """Return what to say of losses of a shape of which they should be the sum or the mean."""
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return "losses of the shape (%s), which are not one number; %s" % (sizes, HAND_OVER)


def said(capture: Capture) -> ContextManager[None]:
    """Say at the end of the run, in one line, that losses were not seen because of an error here.

    Nothing is said while Keras trains.

    Raises:
        CannotWriteError: the disk is full.
    """

    def failed(error: Exception) -> None:
        if capture.running.in_keras:
            return  # which are not its own
        lines = str(error).strip().splitlines() or [""]
        capture.loop_unseen(
            "losses could not be kept (%s: %s); %s"
            % (type(error).__name__, lines[0][:200], HAND_OVER)
        )

    return attempted(failed)
