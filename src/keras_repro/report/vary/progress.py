"""Show variations under way: those that run, and what the others did; or a line for each."""

import time

from rich.console import Console, Group
from rich.text import Text

from keras_repro.report.following import MOST_SHOWN, Following
from keras_repro.report.progress import phase_of
from keras_repro.report.terminal import COLOURS
from keras_repro.report.text import printable
from keras_repro.report.vary import words
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.vary.found import State, Varied
from keras_repro.studies.vary.vary import Vary


class VaryDisplay(Following):
    """A context manager that follows the variations of a workload."""

    def __init__(self, console: Console, asked: Vary) -> None:
        self._asked = asked
        super().__init__(console)

    def view(self) -> Group:
        """Return what is done, what runs, and how much there is."""
        asked = self._asked
        done = list(asked.varied)
        shown = [one for one in done if one.state is not State.SKIPPED]
        lines = [Text(line(one), COLOURS[words.cell(one.state).colour]) for one in shown]
        lines += [Text(f"{name:<20} {what}") for name, what in asked.planted.copy()]
        lines = lines[-MOST_SHOWN:]
        lines += [Text(f"{name:<20} {phase_of(p)}", "cyan") for name, p in self.running()]
        spent = time.monotonic() - asked.started
        lines.append(Text(f"{len(done)} of {len(asked.asked) or '?'}; {spent:.0f} s", "dim"))
        return Group(*lines)

    def done(self, since: int) -> list[str]:
        """Return what the variations did, and what was planted after them."""
        planted = [f"{name:<20} {what}" for name, what in self._asked.planted.copy()]
        return [*map(line, list(self._asked.varied)), *planted][since:]

    def running(self) -> list[tuple[str, Progress]]:
        """Return the variations that run, by their names."""
        return list(self._asked.running.copy().items())


def line(varied: Varied) -> str:
    """Return what a variation did, in a line."""
    name, state = varied.variation.name, varied.state
    if state in (State.SKIPPED, State.FAILED):
        return f"{name:<20} {state}: {printable(varied.problem, 200)}"
    moved = f"; {words.arrays(varied)} arrays move, by {words.largest(varied)}"
    return f"{name:<20} {state}{moved if varied.moved else ''}"
