"""Show a search under way: the range closing in; or a line a trial where no terminal is."""

import threading
import time
from contextlib import suppress

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from keras_repro.report.bisect.points import range_bar, trial_line, verdict_of
from keras_repro.report.progress import phase_of
from keras_repro.report.text import printable
from keras_repro.studies.bisect.search import Search
from keras_repro.studies.train.plan import Progress

REFRESH_SECONDS = 0.1
REMINDER_SECONDS = 15.0
MOST_TRIED = 12  # lines of what was tried that a terminal shows at once


class SearchDisplay:
    """A context manager that follows a search."""

    def __init__(self, console: Console, search: Search) -> None:
        self._console, self._search = console, search
        self._second: tuple[str, Progress] | None = None
        self._stop = threading.Event()
        target = self._live if console.is_terminal else self._lines
        self._thread = threading.Thread(target=target, daemon=True)

    def __enter__(self) -> "SearchDisplay":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def second_pass(self, label: str, progress: Progress | None) -> None:
        """Follow a trial of the pass that tells the package from what moved with it."""
        self._second = None if progress is None else (label, progress)

    def _live(self) -> None:
        with Live(console=self._console, transient=True, auto_refresh=False) as live:
            running = True
            while running:
                running = not self._stop.wait(REFRESH_SECONDS)
                live.update(self._view(), refresh=True)

    def _view(self) -> Group:
        search = self._search
        first, last = search.points[0].label, search.points[-1].label
        lines = [Text.assemble(f"{search.range.name} {first} ", range_bar(search), f" {last}")]
        for at in list(search.order)[-MOST_TRIED:]:
            lines.append(Text(f"  {search.points[at].label:<10} {verdict_of(search, at)}"))
        for at, progress in sorted(search.running.items()):
            lines.append(Text(f"  {search.points[at].label:<10} {phase_of(progress)}", "cyan"))
        if self._second is not None:
            label, progress = self._second
            lines.append(Text(f"  {printable(label, 60)} alone: {phase_of(progress)}", "cyan"))
        elif not search.done:
            lines.append(Text(f"  {_time(search)}", "dim"))
        return Group(*lines)

    def _lines(self) -> None:
        said, since = 0, dict[str, float]()
        running = True
        while running:
            running = not self._stop.wait(REFRESH_SECONDS)
            for at in list(self._search.order)[said:]:
                self._say(printable(trial_line(self._search, at)))
                said += 1
            active = [
                (f"{self._search.range.name} {self._search.points[at].label}", progress)
                for at, progress in list(self._search.running.items())
            ]
            if self._second is not None:
                active.append((f"{self._second[0]} alone", self._second[1]))
            for label, progress in active:
                # What takes long is said again and again, what does not is said when it is done.
                if time.monotonic() - since.setdefault(label, time.monotonic()) > REMINDER_SECONDS:
                    since[label] = time.monotonic()
                    self._say(f"{printable(label)}: {phase_of(progress)}")

    def _say(self, line: str) -> None:
        with suppress(OSError):
            self._console.print(line, soft_wrap=True)


def _time(search: Search) -> str:
    left = search.seconds_left()
    count = search.left()
    about = "" if left is None else f", about {left:.0f} s"
    return f"{time.monotonic() - search.started:.0f} s; about {count} more to try{about}"
