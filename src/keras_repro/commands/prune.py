"""keras-repro prune."""

from contextlib import ExitStack

import click

from keras_repro.commands.options import ENGINE
from keras_repro.engines.select import usable
from keras_repro.errors import ExitCode
from keras_repro.report.waiting import waiting
from keras_repro.studies import prune as pruning


@click.command()
@ENGINE
def prune(engine: str) -> ExitCode:
    """Remove the environments and runs that bisect and upgrade have kept."""
    with ExitStack() as entered, waiting("removing"):
        engines = [entered.enter_context(one) for one in usable(engine)]
        gone = pruning.prune(engines, _say_wait)
    click.echo(
        f"removed {gone.environments} environments and {gone.runs} runs, {gone.bytes / 1e6:,.0f} MB"
    )
    return ExitCode.OK


def _say_wait() -> None:
    click.echo("waiting: another keras-repro works with what is kept", err=True)
