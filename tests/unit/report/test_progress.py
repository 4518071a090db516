"""What a display says comes before what is said after it, however often it is shown anew."""

import io
import time

from rich.console import Console

from keras_repro.backends import load
from keras_repro.report.progress import Display
from keras_repro.studies.train.train import Progress

JAX = load()["jax"]


def test_no_line_comes_after_the_end():
    text = io.StringIO()
    console = Console(file=text, width=80)
    with Display(console) as display:
        for label in ("first", "second", "third"):
            progress = Progress(label, JAX, phase="training")
            display.show([progress])
            time.sleep(0.15)
            progress.phase, progress.done = "done", True
    console.print("the end")
    time.sleep(0.3)
    lines = text.getvalue().splitlines()
    assert lines[-1] == "the end"
    expected = [
        f"{name}: {what}" for name in ("first", "second", "third") for what in ("training", "done")
    ]
    assert lines[:-1] == expected  # each said once
