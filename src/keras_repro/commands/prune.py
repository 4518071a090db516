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
        gone = pruning.prune([entered.enter_context(one) for one in usable(engine)])
    click.echo(
        f"removed {gone.environments} environments and {gone.runs} runs, {gone.bytes / 1e6:,.0f} MB"
    )
    return ExitCode.OK
