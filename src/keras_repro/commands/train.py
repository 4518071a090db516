"""keras-repro train."""

from pathlib import Path
from typing import Any

import click

from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import (
    ARGS,
    ARTIFACTS,
    BACKEND,
    ENGINE,
    WHAT,
    chosen_engine,
    own_args,
)
from keras_repro.errors import ExitCode, UsageError, gravest
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report import train as train_report
from keras_repro.report.progress import Display
from keras_repro.studies.train import train as training
from keras_repro.studies.train.plan import Plan


@click.command()
@WHAT
@ARGS
@BACKEND
@CONDITIONS
@ENGINE
@ARTIFACTS
@click.option(
    "--if-needed",
    is_flag=True,
    help="Skip what is up to date: same script, conditions, lock and image.",
)
@click.option(
    "--repeat",
    type=click.IntRange(2, 1000),
    metavar="N",
    help="Train N times, and report where two runs of the same seed differ.",
)
@click.pass_obj
def train(
    config_file: Path | None,
    /,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    names: tuple[str, ...],
    engine: str,
    artifacts: Path | None,
    if_needed: bool,
    repeat: int | None,
    **conditions: Any,
) -> ExitCode:
    """Train SCRIPT on every backend and keep the numbers that it computes.

    ARGS after -- are passed to the script.
    """
    script, args = own_args(script, module, args)
    if repeat is not None and if_needed:
        raise UsageError("--repeat always trains; leave out --if-needed")
    known = configuration.load(config_file)
    plans = [
        Plan(
            workload=workload,
            backends=selection.backends_of(known, workload, names),
            artifacts=(artifacts or known.artifacts).absolute(),
            if_needed=if_needed,
            repeat=repeat or 1,
        )
        for workload in (
            under(conditions, args, workload)
            for workload in selection.workloads(known, script, module)
        )
    ]
    console = terminal.console()
    chosen = chosen_engine(console, engine)
    with Display(console) as display:
        results = training.train(plans, chosen, display.show)
    for plan, trained in zip(plans, results, strict=True):
        if len(plans) > 1:
            terminal.print_heading(console, plan.workload.name)
        train_report.print_trained(console, trained)
    return gravest([result.exit_code for trained in results for result in trained])
