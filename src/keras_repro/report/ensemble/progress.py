"""Show seeds under way: those that run, and what became of the others; or a line for each."""

import time

from rich.console import Console, Group
from rich.text import Text

from keras_repro.report.following import MOST_SHOWN, Following
from keras_repro.report.progress import phase_of
from keras_repro.report.text import printable
from keras_repro.studies.ensemble.ensemble import Asked
from keras_repro.studies.ensemble.seed import Seed
from keras_repro.studies.train.plan import Progress


class EnsembleDisplay(Following):
    """A context manager that follows the seeds of a workload."""

    def __init__(self, console: Console, asked: Asked) -> None:
        self._asked = asked
        super().__init__(console)

    def view(self) -> Group:
        """Return what is done, what runs, and how much there is."""
        done = list(self._asked.done)
        lines = [Text(line(one), "green" if one.good else "bold red") for one in done]
        lines = lines[-MOST_SHOWN:]
        lines += [Text(f"{name:<16} {phase_of(p)}", "cyan") for name, p in self.running()]
        spent = time.monotonic() - self._asked.started
        lines.append(Text(f"{len(done)} of {self._asked.count}; {spent:.0f} s", "dim"))
        return Group(*lines)

    def done(self, since: int) -> list[str]:
        """Return what became of the seeds."""
        return [line(one) for one in list(self._asked.done)[since:]]

    def running(self) -> list[tuple[str, Progress]]:
        """Return the seeds that run, by their names."""
        return list(self._asked.running.copy().items())


def line(one: Seed) -> str:
    """Return what became of a seed, in a line."""
    name = f"seed={one.seed}"
    if not one.good:
        return f"{name:<16} failed: {printable(one.problem, 200)}"
    return f"{name:<16} {'known' if one.known else f'trained, {one.seconds:.0f} s'}"
