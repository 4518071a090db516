"""Show variations under way: those that run, and what the others did; or a line for each."""

import threading
import time
from contextlib import suppress

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from keras_repro.report.progress import phase_of
from keras_repro.report.terminal import COLOURS
from keras_repro.report.text import printable
from keras_repro.report.vary import words
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.vary.found import State, Varied
from keras_repro.studies.vary.vary import Vary

REFRESH_SECONDS = 0.1
REMINDER_SECONDS = 15.0
MOST_SHOWN = 12  # lines of what is done that a terminal shows at once


class VaryDisplay:
    """A context manager that follows the variations of a workload."""

    def __init__(self, console: Console, asked: Vary) -> None:
        self._console, self._asked = console, asked
        self._stop = threading.Event()
        target = self._live if console.is_terminal else self._lines
        self._thread = threading.Thread(target=target, daemon=True)

    def __enter__(self) -> "VaryDisplay":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _live(self) -> None:
        with Live(console=self._console, transient=True, auto_refresh=False) as live:
            running = True
            while running:
                running = not self._stop.wait(REFRESH_SECONDS)
                live.update(self._view(), refresh=True)

    def _view(self) -> Group:
        asked = self._asked
        done = list(asked.varied)
        shown = [one for one in done if one.state is not State.SKIPPED]
        lines = [Text(line(one), COLOURS[words.cell(one.state).colour]) for one in shown]
        lines = lines[-MOST_SHOWN:]
        lines += [Text(f"{p.label:<20} {phase_of(p)}", "cyan") for p in _running(asked)]
        spent = time.monotonic() - asked.started
        lines.append(Text(f"{len(done)} of {len(asked.asked) or '?'}; {spent:.0f} s", "dim"))
        return Group(*lines)

    def _lines(self) -> None:
        said, since = 0, dict[str, float]()
        running = True
        while running:
            running = not self._stop.wait(REFRESH_SECONDS)
            for one in list(self._asked.varied)[said:]:
                said += 1
                self._say(line(one))
            for progress in _running(self._asked):
                # What takes long is said again and again, what does not is said when it is done.
                name, now = progress.label, time.monotonic()
                if now - since.setdefault(name, now) > REMINDER_SECONDS:
                    since[name] = now
                    self._say(f"{name}: {phase_of(progress)}")

    def _say(self, text: str) -> None:
        with suppress(OSError):
            self._console.print(text, soft_wrap=True)


def _running(asked: Vary) -> list[Progress]:
    return list(asked.running.copy().values())


def line(varied: Varied) -> str:
    """Return what a variation did, in a line."""
    name, state = varied.variation.name, varied.state
    if state in (State.SKIPPED, State.FAILED):
        return f"{name:<20} {state}: {printable(varied.problem, 200)}"
    moved = f"; {words.arrays(varied)} arrays move, by {words.largest(varied)}"
    return f"{name:<20} {state}{moved if varied.moved else ''}"
