"""What is a step of a loop of the script's own: an update, or a cost where there is no optimizer.

Such a step is done when the next one begins, since only then has the script changed its weights.
"""

from __future__ import annotations

from keras_repro.recorder.watch.capture import Capture


class Steps:
    """Counts the steps of a script's loops."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture
        self._updated = False  # by an optimizer, ever
        self._begun = False
        self._without = 0  # steps counted before the first optimizer's
        capture.held.append(self._end)

    def cost(self) -> None:
        """Take note of a loss that was differentiated."""
        if not self._updated:
            self._end()
            self._begun = True

    def update(self, steps: int = 1) -> None:
        """Count updates by an optimizer, which are the steps from now on."""
        if not self._updated:  # the losses until now were parts of this step
            self._updated, self._begun = True, False
            steps -= self._without
        self._capture.loop_step(steps)

    def _end(self) -> None:
        if self._begun:
            self._begun = False
            self._without += 1
            self._capture.loop_step(1)
