"""keras-repro upgrade."""

from pathlib import Path
from typing import Any

import click

from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import BASELINES, ENGINE, ONLY, chosen_engine
from keras_repro.errors import ExitCode, UsageError
from keras_repro.packages import project_locks, resolve
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report import upgrade as upgrade_report
from keras_repro.report.progress import Display
from keras_repro.report.waiting import waiting
from keras_repro.studies import check as checking
from keras_repro.studies import upgrade as upgrading


@click.command()
@click.argument("backend")
@click.argument("scripts", nargs=-1)
@click.option(
    "--with",
    "wanted",
    multiple=True,
    required=True,
    metavar="REQUIREMENT",
    help='A package to change: "keras==3.16.0", or keras for the newest; repeatable.',
)
@click.option("--apply", is_flag=True, help="Write the new lock; accept the baselines yourself.")
@CONDITIONS
@ENGINE
@BASELINES
@ONLY
@click.pass_obj
def upgrade(
    config_file: Path | None,
    /,
    backend: str,
    scripts: tuple[str, ...],
    wanted: tuple[str, ...],
    apply: bool,
    engine: str,
    baselines: Path | None,
    only: tuple[str, ...],
    **conditions: Any,
) -> ExitCode:
    """Preview what other packages would do to the numbers of SCRIPTS on BACKEND.

    What is not named stays where it is, or as near as it can be. Nothing in the project changes
    without --apply.
    """
    known = configuration.load(config_file)
    [base] = known.select((backend,))
    asked = [resolve.requirement(text) for text in wanted]
    found = [w for script in scripts or (None,) for w in selection.workloads(known, script, None)]
    places = [
        checking.Place(
            under(conditions, (), workload), known.artifacts, baselines or known.baselines
        )
        for workload in found
        if scripts or base.name in (workload.backends or (base.name,))
    ]
    console = terminal.console()
    with waiting("resolving"):
        plan = upgrading.plan(base, asked, [place.of for place in places])
    if apply and plan.own:
        own = ", ".join(map(str, plan.own))
        raise UsageError(f"{own} is of the script's own requirements; change it there, not here")
    chosen = chosen_engine(console, engine)
    upgrade_report.print_moves(console, plan)
    with Display(console) as display:
        previews = upgrading.preview(
            plan, places, chosen, display.show, checking.Options(only=only)
        )
    upgrade_report.print_previews(console, previews)
    code = upgrading.exit_code(previews)
    if apply and not plan.moves:
        click.echo("nothing was written, since nothing moves")
    elif apply and code not in (ExitCode.OK, ExitCode.DRIFT, ExitCode.MISSING):
        click.echo("nothing was written: the scripts do not run with these packages")
    elif apply:
        for path in project_locks.write(plan.after, asked, known.folder, known.locks):
            click.echo(f"wrote {terminal.shorter(path)}")
        click.echo(upgrade_report.next_steps(plan, places))
    return code
