"""keras-repro ensemble."""

from pathlib import Path
from typing import Any

import click

from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.on_purpose import confirmed, on_purpose, say_wait
from keras_repro.commands.options import (
    ARGS,
    ARTIFACTS,
    BASELINES,
    ENGINE,
    FORMAT_JSON,
    JOBS,
    MARGIN,
    WHAT,
    chosen_engine,
    own_args,
)
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report.ensemble import document, text
from keras_repro.report.ensemble.progress import EnsembleDisplay
from keras_repro.report.text import printable
from keras_repro.runs.ensemble import MOST_SEEDS, last_ensemble, write_last
from keras_repro.studies import accept as accepting
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.accept import accept_ensemble, check_acceptable
from keras_repro.studies.ensemble.ensemble import Asked
from keras_repro.studies.ensemble.ensemble import ensemble as train_all


@click.command()
@WHAT
@ARGS
@click.option("--backend", required=True, metavar="NAME", help="The backend to run on.")
@click.option(
    "--seeds",
    type=click.IntRange(2, MOST_SEEDS),
    default=30,
    show_default=True,
    metavar="N",
    help="How many seeds to train from: the workload's own, and those that follow it.",
)
@click.option(
    "--primary",
    multiple=True,
    metavar="NAME",
    help="A scalar that another ensemble has to be alike in; repeatable. What the last evaluation "
    "said unless given.",
)
@MARGIN
@click.option(
    "--one-class",
    is_flag=True,
    help="Of seeds run on machines of several numeric classes, take those of the class that made "
    "most, and no others.",
)
@on_purpose("--accept", "accepts", is_flag=True, help="Keep it beside the baseline, on purpose.")
@on_purpose("--reason", metavar="TEXT", default="", help="Why; stored with what is accepted.")
@JOBS
@CONDITIONS
@ENGINE
@ARTIFACTS
@BASELINES
@FORMAT_JSON
@on_purpose("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def ensemble(
    config_file: Path | None,
    /,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    backend: str,
    seeds: int,
    primary: tuple[str, ...],
    margins: dict[str, float],
    one_class: bool,
    accepts: bool,
    reason: str,
    jobs: int | None,
    engine: str,
    artifacts: Path | None,
    baselines: Path | None,
    form: str,
    yes: bool,
    **conditions: Any,
) -> ExitCode:
    """Train SCRIPT from many seeds, and keep what ensembles are compared by.

    Costs, metrics, spread of predictions and norms of weights of each seed, and what was the same
    for all seeds. The runs are kept beside the last one, and not made again when they are asked
    for again. With --accept the ensemble is kept beside the baseline, for equivalent.
    """
    if accepts:
        accepting.check_asked(reason)
    elif reason or yes:
        raise UsageError("--reason and --yes are for --accept; add it, or leave them out")
    script, args = own_args(script, module, args)
    known = configuration.load(config_file)
    workload = selection.one_workload(known, script, module, "ensemble")
    [base] = known.select((backend,))
    place = Place(
        under(conditions, args, workload),
        artifacts or known.artifacts,
        baselines or known.baselines,
    )
    counts, margins = primary or workload.primary, workload.margins | margins
    console = terminal.console(stderr=form != "text")
    chosen = chosen_engine(console, engine)
    asked = Asked(place, base, seeds, jobs or chosen.slots, counts, margins, one_class=one_class)
    with EnsembleDisplay(console, asked):
        result = train_all(asked, chosen)
    text.print_ensemble(console, result)
    if result.facts is not None:
        path = last_ensemble(place.artifacts, place.workload, base.name)
        write_last(path, result.facts)
        console.print(f"wrote {terminal.shorter(path)}", soft_wrap=True)
        if form == "json":
            click.echo(document.ensemble_document(result.facts))
    if accepts:
        facts = check_acceptable(result)
        folder = place.baseline(base)
        where = terminal.shorter(folder)
        if not yes and not confirmed(f"Keep this ensemble in {where}?", "accepted"):
            raise UsageError("nothing was accepted")
        with accepting.alone([folder], say_wait):
            left = accept_ensemble(folder, facts, reason)
        if left:
            click.echo(f"keras-repro: {printable(left)}", err=True)
        console.print(f"accepted {where}", soft_wrap=True)
    return result.exit_code
