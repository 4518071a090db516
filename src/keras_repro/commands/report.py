"""keras-repro report."""

from pathlib import Path

import click

from keras_repro.commands.options import ARTIFACTS, BACKEND, BASELINES, WHAT, places
from keras_repro.errors import ExitCode
from keras_repro.project import configuration, selection
from keras_repro.report.waiting import waiting
from keras_repro.studies import check as checking


@click.command()
@WHAT
@BACKEND
@ARTIFACTS
@BASELINES
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="report.html",
    show_default=True,
    help="The file to write.",
)
@click.pass_obj
def report(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    names: tuple[str, ...],
    artifacts: Path | None,
    baselines: Path | None,
    output: Path,
) -> ExitCode:
    """Write an HTML report of the runs of SCRIPT beside their baselines.

    The exit code does not depend on the verdicts; for that, use `keras-repro check`.
    """
    known = configuration.load(config_file)
    found = [
        (place, selection.backends_of(known, place.of, names))
        for place in places(known, script, module, artifacts, baselines)
    ]
    from keras_repro.report.check import page  # noqa: PLC0415 - matplotlib takes its time

    with waiting("comparing and drawing"):
        page.write_report(output, checking.check_all(found))
    click.echo(f"wrote {output}")
    return ExitCode.OK
