"""Show a search under way: the range closing in; or a line a trial where no terminal is."""

import time

from rich.console import Console, Group
from rich.text import Text

from keras_repro.report.bisect.points import range_bar, trial_line, verdict_of
from keras_repro.report.following import MOST_SHOWN, Following
from keras_repro.report.progress import phase_of
from keras_repro.report.text import printable
from keras_repro.studies.bisect.search import Search
from keras_repro.studies.train.plan import Progress


class SearchDisplay(Following):
    """A context manager that follows a search."""

    def __init__(self, console: Console, search: Search) -> None:
        self._search = search
        self._second: tuple[str, Progress] | None = None
        super().__init__(console)

    def second_pass(self, label: str, progress: Progress | None) -> None:
        """Follow a trial of the pass that tells the package from what moved with it."""
        self._second = None if progress is None else (label, progress)

    def view(self) -> Group:
        """Return the range, what was tried last, and what is tried now."""
        search = self._search
        first, last = search.points[0].label, search.points[-1].label
        lines = [Text.assemble(f"{search.range.name} {first} ", range_bar(search), f" {last}")]
        for at in list(search.order)[-MOST_SHOWN:]:
            lines.append(Text(f"  {search.points[at].label:<10} {verdict_of(search, at)}"))
        for at, progress in sorted(search.running.items()):
            lines.append(Text(f"  {search.points[at].label:<10} {phase_of(progress)}", "cyan"))
        if self._second is not None:
            label, progress = self._second
            lines.append(Text(f"  {printable(label, 60)} alone: {phase_of(progress)}", "cyan"))
        elif not search.done:
            lines.append(Text(f"  {_time(search)}", "dim"))
        return Group(*lines)

    def done(self, since: int) -> list[str]:
        """Return what the trials came to."""
        return [printable(trial_line(self._search, at)) for at in list(self._search.order)[since:]]

    def running(self) -> list[tuple[str, Progress]]:
        """Return the trials that run, by what is tried."""
        active = [
            (f"{self._search.range.name} {self._search.points[at].label}", progress)
            for at, progress in list(self._search.running.items())
        ]
        if self._second is not None:
            active.append((f"{self._second[0]} alone", self._second[1]))
        return active


def _time(search: Search) -> str:
    left = search.seconds_left()
    count = search.left()
    about = "" if left is None else f", about {left:.0f} s"
    return f"{time.monotonic() - search.started:.0f} s; about {count} more to try{about}"
