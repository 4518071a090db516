"""keras-repro lock."""

import click

from keras_repro.backends import select
from keras_repro.commands.options import BACKEND
from keras_repro.errors import ExitCode
from keras_repro.packages import lock as locking


@click.command()
@BACKEND
def lock(names: tuple[str, ...]) -> ExitCode:
    """Write each backend's requirements.txt anew from its requirements.in."""
    for backend in select(names):
        click.echo(f"locking {backend.name}")
        locking.lock(backend)
    return ExitCode.OK
