"""keras-repro compare."""

from pathlib import Path

import click

from keras_repro.commands.options import COMPARISON
from keras_repro.errors import ExitCode
from keras_repro.report import json_text, markdown, terminal
from keras_repro.report.waiting import waiting
from keras_repro.studies import compare_folders as comparing
from keras_repro.studies.check import Options


@click.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@COMPARISON
def compare(
    run_a: Path,
    run_b: Path,
    rtol: float | None,
    atol: float | None,
    only: tuple[str, ...],
    form: str,
) -> ExitCode:
    """Compare the run in folder RUN_B with the run in folder RUN_A.

    The two may be of different seeds, machines or backends; each may also be a baseline. The
    tolerances are those of RUN_A if it is a baseline, otherwise rtol 1e-5 and atol 1e-7.
    """
    asked = Options(rtol=rtol, atol=atol, only=only)
    with waiting("comparing"):
        result = comparing.compare_folders(run_a, run_b, asked)
    if form == "json":
        click.echo(json_text.compare_document(result))
    elif form == "markdown":
        click.echo(markdown.compared(result))
    else:
        terminal.print_compared(terminal.console(), result)
    return result.exit_code
