"""keras-repro verify."""

from pathlib import Path

import click

from keras_repro.commands.options import BACKEND, BASELINES, FORMAT, WHAT, places
from keras_repro.errors import ExitCode, gravest
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report import verify as verify_report
from keras_repro.report.waiting import waiting
from keras_repro.studies import verify as verifying


@click.command()
@WHAT
@BACKEND
@BASELINES
@FORMAT
@click.pass_obj
def verify(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    names: tuple[str, ...],
    baselines: Path | None,
    form: str,
) -> ExitCode:
    """Check that the baselines of SCRIPT are what was accepted.

    Their arrays have the stored SHA-256, each acceptance in the history carries the digest of the
    one before it, and git has both files as they are. What cannot be told, such as the history
    that an older keras-repro wrote, is named, and is no error. Exit code 6: a baseline is damaged,
    edited, or not committed as it is.
    """
    known = configuration.load(config_file)
    asked = [
        (place, selection.backends_of(known, place.of, names))
        for place in places(known, script, module, None, baselines)
    ]
    with waiting("verifying"):
        found = verifying.verify(asked)
    code = gravest([one.exit_code for one in found])
    if form == "json":
        click.echo(verify_report.document(found, code))
    elif form == "markdown":
        click.echo(verify_report.markdown(found))
    else:
        verify_report.print_verified(terminal.console(), found)
    return code
