"""What the commands that change baselines have in common: they do it on purpose only."""

from functools import partial
from pathlib import Path

import click

from keras_repro.errors import UsageError
from keras_repro.report import terminal

# Of no variable: one that is set somewhere would change every baseline from then on.
on_purpose = partial(click.option, allow_from_autoenv=False)


def say_wait(folder: Path) -> None:
    """Say that another command changes a baseline, and this one waits for it."""
    waited = terminal.shorter(folder)
    click.echo(f"waiting: another keras-repro accept is at work on {waited}", err=True)


def confirmed(question: str, done: str) -> bool:
    """Ask; ``done`` is what is done then, in a word. Raises UsageError where nobody answers."""
    try:
        return click.confirm(question)
    except click.Abort as abort:
        if not isinstance(abort.__context__, EOFError):
            raise
        click.echo()
        raise UsageError(
            f"nothing was {done}: the input ended before an answer; use --yes to go on without a "
            "question"
        ) from None
