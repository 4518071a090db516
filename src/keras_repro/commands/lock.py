"""keras-repro lock."""

import click

from keras_repro.backends import select
from keras_repro.commands.options import BACKEND
from keras_repro.errors import ExitCode
from keras_repro.packages import backend_locks


@click.command()
@BACKEND
def lock(names: tuple[str, ...]) -> ExitCode:
    """Lock each backend's requirements.in into its requirements.txt again."""
    for backend in select(names):
        click.echo(f"locking {backend.name}")
        backend_locks.write(backend)
    return ExitCode.OK
