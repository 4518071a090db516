"""keras-repro prune."""

from contextlib import ExitStack
from pathlib import Path

import click

from keras_repro.commands.options import ENGINE
from keras_repro.engines.select import usable
from keras_repro.errors import ExitCode
from keras_repro.project import configuration
from keras_repro.report.waiting import waiting
from keras_repro.studies import prune as pruning


@click.command()
@ENGINE
@click.pass_obj
def prune(config_file: Path | None, /, engine: str) -> ExitCode:
    """Remove the environments and runs that bisect, upgrade and vary have kept."""
    artifacts = configuration.load(config_file).artifacts
    with ExitStack() as entered, waiting("removing"):
        engines = [entered.enter_context(one) for one in usable(engine)]
        gone = pruning.prune(engines, _say_wait, artifacts)
    click.echo(
        f"removed {gone.environments} environments and {gone.runs} runs, {gone.bytes / 1e6:,.0f} MB"
    )
    return ExitCode.OK


def _say_wait() -> None:
    click.echo("waiting: another keras-repro works with what is kept", err=True)
