"""keras-repro check."""

from pathlib import Path

import click

from keras_repro.backends import Backend
from keras_repro.commands.options import ARTIFACTS, BACKEND, BASELINES, COMPARISON, WHAT, places
from keras_repro.errors import ExitCode, UsageError, gravest
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report.waiting import waiting
from keras_repro.studies import check as checking
from keras_repro.studies.check import Place


@click.command()
@WHAT
@BACKEND
@ARTIFACTS
@BASELINES
@click.option("--exact", is_flag=True, help="Require the same bits, whatever the tolerances.")
@COMPARISON
@click.option(
    "--ensemble",
    "by_ensemble",
    is_flag=True,
    help="Decide by seeds instead: the last ensemble of each backend against the accepted one.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Also print the arrays of backends that pass, and the facts that differ.",
)
@click.pass_obj
def check(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    names: tuple[str, ...],
    artifacts: Path | None,
    baselines: Path | None,
    exact: bool,
    rtol: float | None,
    atol: float | None,
    only: tuple[str, ...],
    form: str,
    by_ensemble: bool,
    verbose: bool,
) -> ExitCode:
    """Compare the runs of SCRIPT with their baselines."""
    known = configuration.load(config_file)
    asked = [
        (place, selection.backends_of(known, place.of, names))
        for place in places(known, script, module, artifacts, baselines)
    ]
    if by_ensemble:
        if exact or only or rtol is not None or atol is not None:
            raise UsageError(
                "--ensemble judges means by their margins; leave out --exact, --rtol, --atol and "
                "--only"
            )
        return _by_ensemble(asked, bool(names), form)
    with waiting("comparing"):
        results = checking.check_all(asked, checking.Options(exact, rtol, atol, only))
    code = gravest([result.exit_code for _, found in results for result in found])
    if form == "json":
        from keras_repro.report import json_text  # noqa: PLC0415 - only where it is asked for

        click.echo(json_text.checks_document(results, code))
    elif form == "markdown":
        from keras_repro.report import markdown  # noqa: PLC0415

        click.echo(markdown.all_checked(results))
    else:
        console = terminal.console()
        for workload, found in results:
            if len(results) > 1:
                terminal.print_heading(console, workload)
            terminal.print_checked(console, found, verbose)
        terminal.print_without_trail(console, (one for _, found in results for one in found))
    return code


def _by_ensemble(asked: list[tuple[Place, list[Backend]]], named: bool, form: str) -> ExitCode:
    from keras_repro.report.ensemble import answers  # noqa: PLC0415 - SciPy takes its time
    from keras_repro.studies.ensemble.checked import check_ensembles  # noqa: PLC0415

    with waiting("comparing"):
        found = check_ensembles(asked, named)
    if form == "json":
        click.echo(answers.document(found))
    elif form == "markdown":
        click.echo(answers.summary(found))
    else:
        answers.print_answers(terminal.console(), found)
    return answers.exit_code(found)
