"""Keep an error of ours from ending a script that is fine bare."""

from __future__ import annotations

import contextlib
from typing import Iterator

from keras_repro.recorder.arrays import CannotWriteError
from keras_repro.recorder.watch.capture import Capture

HAND_OVER = "keras_repro.record.cost hands them over"


@contextlib.contextmanager
def said(capture: Capture) -> Iterator[None]:
    """Say at the end of the run, in one line, that losses were not seen because of an error here.

    Raises:
        CannotWriteError: the disk is full.
    """
    try:
        yield
    except CannotWriteError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        capture.loop_unseen(
            "losses could not be kept (%s: %s); %s"
            % (type(error).__name__, lines[0][:200], HAND_OVER)
        )
