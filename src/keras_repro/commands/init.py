"""keras-repro init."""

from pathlib import Path

import click

from keras_repro.errors import ExitCode
from keras_repro.project import scaffold
from keras_repro.project.configuration import NAME


@click.command()
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
def init(force: bool) -> ExitCode:
    """Write a keras-repro.toml for the scripts in this folder, with every setting explained."""
    path = Path(NAME)
    scaffold.write(path, force)
    click.echo(f"wrote {path}; then: keras-repro train")
    return ExitCode.OK
