"""Show how far each backend's training is: live bars, or plain lines where no terminal is."""

import threading
import time
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from keras_repro.studies.train.plan import Progress as TrainProgress

REFRESH_SECONDS = 0.1
REMINDER_SECONDS = 15.0


class Display:
    """A context manager; ``show`` starts it on the progress of each backend."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._entries: list[TrainProgress] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *exception: object) -> None:
        self._end()

    def _end(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def show(self, entries: list[TrainProgress]) -> None:
        """Follow these entries until the context ends, or others take their place."""
        self._end()
        self._stop.clear()
        self._entries = entries
        target = self._bars if self._console.is_terminal else self._lines
        self._thread = threading.Thread(target=target, daemon=True)
        self._thread.start()

    def _bars(self) -> None:
        columns = (
            TextColumn("{task.description:<12}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[phase]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as progress:
            tasks = [
                progress.add_task(entry.label, total=None, start=False, phase=entry.phase)
                for entry in self._entries
            ]
            running = True
            while running:
                running = not self._stop.wait(REFRESH_SECONDS)
                for task, entry in zip(tasks, self._entries, strict=True):
                    self._update(progress, task, entry)

    def _update(self, progress: Progress, task: TaskID, entry: TrainProgress) -> None:
        if entry.phase != "waiting" and progress.tasks[task].start_time is None:
            progress.start_task(task)
        if entry.done and not progress.tasks[task].finished:
            progress.update(task, total=1, completed=1, phase=entry.phase)
            progress.stop_task(task)
        elif not entry.done:
            progress.update(
                task,
                description=entry.label,
                total=entry.expected_steps if entry.steps else None,
                completed=entry.steps,
                phase=phase_of(entry),
            )

    def _lines(self) -> None:
        said: dict[str, tuple[str, float]] = {}
        running = True
        while running:
            running = not self._stop.wait(REFRESH_SECONDS)
            for entry in self._entries:
                name, now = entry.label, time.monotonic()
                phase, when = said.get(name, ("waiting", now))
                if entry.phase != phase or (now - when > REMINDER_SECONDS and not entry.done):
                    said[name] = (entry.phase, now)
                    with suppress(OSError):
                        self._console.print(f"{name}: {phase_of(entry)}", highlight=False)


def phase_of(entry: TrainProgress) -> str:
    """Return what is being done, and how far it is."""
    part = f"{entry.part}; " if entry.part else ""
    if entry.phase == "training" and entry.steps:
        of = f" of {entry.expected_steps}" if entry.expected_steps else ""
        return f"{part}training, step {entry.steps}{of}"
    return f"{part}{entry.phase}"
