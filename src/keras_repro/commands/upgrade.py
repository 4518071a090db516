"""keras-repro upgrade."""

from pathlib import Path
from typing import Any

import click

from keras_repro import backends
from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import BASELINES, ENGINE, ONLY, chosen_engine, old_spelling
from keras_repro.commands.seeds import SEEDS, follower
from keras_repro.errors import ExitCode, UsageError, gravest
from keras_repro.packages import apply as applying
from keras_repro.packages import resolve
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report import upgrade as upgrade_report
from keras_repro.report.ensemble.answers import print_answers
from keras_repro.report.progress import Display
from keras_repro.report.waiting import waiting
from keras_repro.studies import check as checking
from keras_repro.studies import upgrade as upgrading
from keras_repro.studies.ensemble.elsewhere import after_upgrade


@click.command()
@click.argument("scripts", nargs=-1)
@click.option("--backend", metavar="NAME", help="The backend whose packages to change.")
@click.option(
    "--with",
    "wanted",
    multiple=True,
    required=True,
    metavar="REQUIREMENT",
    help='A package to change: "keras==3.16.0", or keras for its newest release; repeatable.',
)
@click.option(
    "--apply", is_flag=True, help="Also write the new lock. The baselines stay as they are."
)
@CONDITIONS
@ENGINE
@BASELINES
@ONLY
@SEEDS
@click.pass_obj
def upgrade(
    config_file: Path | None,
    /,
    scripts: tuple[str, ...],
    backend: str | None,
    wanted: tuple[str, ...],
    apply: bool,
    engine: str,
    baselines: Path | None,
    only: tuple[str, ...],
    seeds: int | None,
    **conditions: Any,
) -> ExitCode:
    """Preview how other package versions change the numbers of SCRIPTS on a backend.

    Packages that are not named keep their locked versions, or move as little as possible. Nothing
    in the project changes without --apply. With --seeds the exit code is that of the decision.
    """
    backend, scripts = _backend_of(backend, scripts)
    known = configuration.load(config_file)
    [base] = known.select((backend,))
    asked = [resolve.requirement(text) for text in wanted]
    found = [w for script in scripts or (None,) for w in selection.workloads(known, script, None)]
    places = [
        checking.Place(
            under(conditions, (), workload), known.artifacts, baselines or known.baselines
        )
        for workload in found
        if scripts or selection.runs_on(workload, base)
    ]
    console = terminal.console()
    with waiting("resolving"):
        plan = upgrading.plan(base, asked, [place.of for place in places])
    if apply:
        upgrading.check_appliable(plan)
    chosen = chosen_engine(console, engine)
    upgrade_report.print_moves(console, plan)
    with Display(console) as display:
        previews = upgrading.preview(
            plan, places, chosen, display.show, checking.Options(only=only)
        )
    upgrade_report.print_previews(console, previews)
    answers = {}
    if seeds is not None:
        answers = after_upgrade(plan, previews, seeds, chosen, follower(console))
        print_answers(console, list(answers.values()))
    if apply and (reason := upgrading.why_not_applied(plan, previews)):
        click.echo(f"nothing was written: {reason}")
    elif apply:
        for path in applying.write(plan.after, asked, known.folder, known.locks):
            click.echo(f"wrote {terminal.shorter(path)}")
        click.echo(upgrade_report.next_steps(plan, places))
    codes = {one.place.workload: one.checked.exit_code for one in previews}
    return gravest([*(codes | {name: one.exit_code for name, one in answers.items()}).values()])


def _backend_of(backend: str | None, scripts: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the backend and the scripts; the first script was the backend once."""
    if backend is not None:
        return backend, scripts
    example = "keras-repro upgrade train.py --backend jax --with keras"
    if not scripts or scripts[0] not in backends.load():
        raise UsageError(f"upgrade needs a --backend; as in: {example}")
    old_spelling("keras-repro upgrade BACKEND", f"keras-repro upgrade --backend {scripts[0]}")
    return scripts[0], scripts[1:]
