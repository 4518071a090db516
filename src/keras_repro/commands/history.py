"""keras-repro history."""

from pathlib import Path

import click

from keras_repro.commands.options import BACKEND, BASELINES, WHAT, places
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.report import history as history_report
from keras_repro.report import terminal
from keras_repro.studies import history as remembering


@click.command()
@WHAT
@BACKEND
@BASELINES
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also plot the final costs into FILE (.svg, .png or .pdf).",
)
@click.pass_obj
def history(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    names: tuple[str, ...],
    baselines: Path | None,
    plot: Path | None,
) -> ExitCode:
    """Print the history of the baselines of SCRIPT: when, why, and what changed."""
    known = configuration.load(config_file)
    found = places(known, script, module, None, baselines)
    if plot is not None and len(found) > 1:
        raise UsageError(
            f"--plot draws one workload; name one of {', '.join(place.workload for place in found)}"
        )
    for place in found:
        entries = remembering.history(place, selection.backends_of(known, place.of, names))
        if len(found) > 1:
            terminal.print_heading(terminal.console(), place.workload)
        history_report.print_history(terminal.console(), entries)
    if plot is not None:
        from keras_repro.report import history_plot  # noqa: PLC0415 - matplotlib takes its time

        history_plot.write_history_plot(plot, entries)
        click.echo(f"wrote {plot}")
    return ExitCode.OK
