"""keras-repro vary."""

from pathlib import Path
from typing import Any

import click

from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import (
    ARGS,
    ARTIFACTS,
    BASELINES,
    EMULATED,
    ENGINE,
    FORMAT,
    JOBS,
    OUTPUT,
    WHAT,
    chosen_engine,
    own_args,
)
from keras_repro.errors import ExitCode
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report.vary import document, markdown, text
from keras_repro.report.vary.progress import VaryDisplay
from keras_repro.studies.check import Place
from keras_repro.studies.vary.vary import Vary
from keras_repro.studies.vary.vary import vary as run_variations


@click.command()
@WHAT
@ARGS
@click.option("--backend", required=True, metavar="NAME", help="The backend to run on.")
@click.option(
    "--only",
    multiple=True,
    metavar="PATTERN",
    help="Make only variations whose names match, such as 'isa*'; repeatable.",
)
@click.option("--list", "listed", is_flag=True, help="Only print the variations that there are.")
@click.option(
    "--rounding",
    type=click.IntRange(0, 1000),
    default=10,
    show_default=True,
    metavar="N",
    help="How often to move weights and data by one unit in the last place.",
)
@EMULATED
@JOBS
@CONDITIONS
@ENGINE
@ARTIFACTS
@BASELINES
@FORMAT
@OUTPUT
@click.pass_obj
def vary(
    config_file: Path | None,
    /,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    backend: str,
    only: tuple[str, ...],
    listed: bool,
    rounding: int,
    emulated: bool,
    jobs: int | None,
    engine: str,
    artifacts: Path | None,
    baselines: Path | None,
    form: str,
    output: Path | None,
    **conditions: Any,
) -> ExitCode:
    """Say what the numbers of SCRIPT depend on: rerun it with one thing changed at a time.

    Instruction sets, threads, hash seed, locale, time zone, the script's surroundings, emulated
    processors, and rounding itself. The runs are kept beside the last one, and not made again when
    they are asked for again.
    """
    script, args = own_args(script, module, args)
    known = configuration.load(config_file)
    workload = selection.one_workload(known, script, module, "vary")
    [base] = known.select((backend,))
    place = Place(
        under(conditions, args, workload),
        artifacts or known.artifacts,
        baselines or known.baselines,
    )
    asked = Vary(place, base, only, rounding, emulated=emulated)
    console = terminal.console(stderr=form != "text")
    if listed:
        text.print_list(terminal.console(), asked.choose(asked.known_flags()))
        return ExitCode.OK
    chosen = chosen_engine(console, engine)
    asked.jobs = jobs or chosen.slots
    with VaryDisplay(console, asked):
        result = run_variations(asked, chosen)
    if form == "json":
        click.echo(document.document(result))
    elif form == "markdown":
        click.echo(markdown.summary(result))
    else:
        text.print_result(console, result)
    if output is not None:
        from keras_repro.report.vary import page  # noqa: PLC0415 - matplotlib takes its time

        page.write(output, result)
        click.echo(f"wrote {output}", err=form != "text")
    return result.exit_code
