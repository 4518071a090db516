"""What the commands that also decide by seeds have in common."""

import click
from rich.console import Console

from keras_repro.report.ensemble.progress import EnsembleDisplay
from keras_repro.report.terminal import print_line
from keras_repro.runs.ensemble import MOST_SEEDS
from keras_repro.studies.ensemble.answer import Follow
from keras_repro.studies.ensemble.ensemble import Asked

SEEDS = click.option(
    "--seeds",
    type=click.IntRange(2, MOST_SEEDS),
    metavar="N",
    help="Where the numbers are others, train from N seeds too, and decide whether it matters.",
)


def follower(console: Console) -> Follow:
    """Return what shows seeds under way."""

    def follow(title: str, asked: Asked) -> EnsembleDisplay:
        print_line(console, f"{asked.count} seeds of {title}")
        return EnsembleDisplay(console, asked)

    return follow
