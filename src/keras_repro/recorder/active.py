"""What watches this process' script, for ``keras_repro.record``; None outside the recorder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from keras_repro.recorder.watch.capture import Capture

capture: Optional[Capture] = None
