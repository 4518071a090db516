"""keras-repro calibrate."""

from pathlib import Path
from typing import Any

import click

from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.on_purpose import confirmed, on_purpose, say_wait
from keras_repro.commands.options import (
    ARGS,
    ARTIFACTS,
    BASELINES,
    EMULATED,
    ENGINE,
    FORMAT_JSON,
    JOBS,
    WHAT,
    chosen_engine,
    own_args,
)
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.report import calibrate as report
from keras_repro.report import terminal
from keras_repro.report.text import printable
from keras_repro.report.vary.progress import VaryDisplay
from keras_repro.studies import accept as accepting
from keras_repro.studies.calibrate.calibrate import calibrate as measure
from keras_repro.studies.calibrate.calibrate import write
from keras_repro.studies.check import Place
from keras_repro.studies.vary.vary import Vary


@click.command()
@WHAT
@ARGS
@click.option("--backend", required=True, metavar="NAME", help="The backend to run on.")
@on_purpose(
    "--reason", metavar="TEXT", default="", help="Why tolerances change; stored with the baseline."
)
@click.option(
    "--only",
    multiple=True,
    metavar="PATTERN",
    help="Measure only by variations whose names match, such as 'ulps*'; repeatable.",
)
@click.option(
    "--rounding",
    type=click.IntRange(8, 1000),
    default=20,
    show_default=True,
    metavar="N",
    help="How often to move weights and data by one unit in the last place.",
)
@click.option(
    "--no-plants", is_flag=True, help="Do not measure which planted changes the bounds catch."
)
@EMULATED
@JOBS
@CONDITIONS
@ENGINE
@ARTIFACTS
@BASELINES
@FORMAT_JSON
@on_purpose("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def calibrate(
    config_file: Path | None,
    /,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    backend: str,
    reason: str,
    only: tuple[str, ...],
    rounding: int,
    no_plants: bool,
    emulated: bool,
    jobs: int | None,
    engine: str,
    artifacts: Path | None,
    baselines: Path | None,
    form: str,
    yes: bool,
    **conditions: Any,
) -> ExitCode:
    """Measure how far rounding moves the numbers of SCRIPT; make that the tolerances, on purpose.

    It runs the variations of vary that round otherwise, and writes into the baseline how far each
    array may be off, in series each step, with the evidence. The numbers of the baseline stay.
    """
    accepting.check_asked(reason)
    script, args = own_args(script, module, args)
    known = configuration.load(config_file)
    workload = selection.one_workload(known, script, module, "calibrate")
    [base] = known.select((backend,))
    place = Place(
        under(conditions, args, workload),
        artifacts or known.artifacts,
        baselines or known.baselines,
    )
    console = terminal.console(stderr=form != "text")
    chosen = chosen_engine(console, engine)
    asked = Vary(place, base, only, rounding, jobs or chosen.slots, emulated, rounds_alone=True)
    with VaryDisplay(console, asked):
        found = measure(asked, chosen, not no_plants)
    report.print_calibration(console, found)
    if not yes and not confirmed(
        f"Make these the tolerances of {terminal.shorter(found.folder)}?", "calibrated"
    ):
        raise UsageError("nothing was calibrated")
    with accepting.alone([place.baseline(base)], say_wait):
        left = write(found, reason)
    if left:
        click.echo(f"keras-repro: {printable(left)}", err=True)
    if form == "json":
        click.echo(report.document(found))
    console.print(f"calibrated {terminal.shorter(found.folder)}", soft_wrap=True)
    return ExitCode.OK
