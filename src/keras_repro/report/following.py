"""Follow what a study does now and has done: a live view, or lines where no terminal is."""

import threading
import time
from contextlib import suppress
from typing import Self

from rich.console import Console, Group
from rich.live import Live

from keras_repro.report.progress import REFRESH_SECONDS, REMINDER_SECONDS, phase_of
from keras_repro.report.text import printable
from keras_repro.studies.train.plan import Progress

MOST_SHOWN = 12  # lines of what is done that a terminal shows at once


class Following:
    """A context manager that shows a study under way; each study says what of it there is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._stop = threading.Event()
        target = self._live if console.is_terminal else self._lines
        self._thread = threading.Thread(target=target, daemon=True)

    def view(self) -> Group:
        """Return all that a terminal shows at once."""
        raise NotImplementedError

    def done(self, since: int) -> list[str]:
        """Return a line for each part that is done, but for so many that were first."""
        raise NotImplementedError

    def running(self) -> list[tuple[str, Progress]]:
        """Return what runs now, each by the name that a line gives it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _live(self) -> None:
        with Live(console=self._console, transient=True, auto_refresh=False) as live:
            goes_on = True
            while goes_on:
                goes_on = not self._stop.wait(REFRESH_SECONDS)
                live.update(self.view(), refresh=True)

    def _lines(self) -> None:
        said, since = 0, dict[str, float]()
        goes_on = True
        while goes_on:
            goes_on = not self._stop.wait(REFRESH_SECONDS)
            for line in self.done(said):
                self._say(line)
                said += 1
            for name, progress in self.running():
                # What takes long is said again and again, what does not is said when it is done.
                now = time.monotonic()
                if now - since.setdefault(name, now) > REMINDER_SECONDS:
                    since[name] = now
                    self._say(f"{printable(name)}: {phase_of(progress)}")

    def _say(self, line: str) -> None:
        with suppress(OSError):
            self._console.print(line, soft_wrap=True)
