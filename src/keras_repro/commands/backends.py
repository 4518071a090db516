"""keras-repro backends."""

from pathlib import Path

import click

from keras_repro.commands.options import ENGINE, chosen_engine
from keras_repro.errors import ExitCode
from keras_repro.project import configuration
from keras_repro.report import backends as backends_report
from keras_repro.report import terminal
from keras_repro.studies.last_class import last_class


@click.command()
@ENGINE
@click.pass_obj
def backends(config_file: Path | None, engine: str) -> ExitCode:
    """List the backends, their pinned packages, and whether they can run here.

    Where runs are there, also the numeric class of each backend's last one.
    """
    console = terminal.console()
    chosen = chosen_engine(console, engine)
    known = configuration.load(config_file)
    rows = [
        (backend, chosen.availability(backend), last_class(known.artifacts, backend))
        for backend in known.select()
    ]
    console.print(backends_report.backends_table(rows))
    return ExitCode.OK
