"""keras-repro bisect."""

import re
from pathlib import Path
from typing import Any

import click

from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import (
    ARGS,
    ARTIFACTS,
    BASELINES,
    ENGINE,
    FORM,
    ONLY,
    WHAT,
    chosen_engine,
    number,
    old_spelling,
    own_args,
    together,
)
from keras_repro.commands.prune import prune as pruning_command
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report.bisect import text as bisect_report
from keras_repro.report.bisect.progress import SearchDisplay
from keras_repro.report.waiting import waiting
from keras_repro.studies import check as checking
from keras_repro.studies import prune as pruning
from keras_repro.studies.bisect import hunt as hunting
from keras_repro.studies.bisect import releases as bisecting
from keras_repro.studies.bisect.hunt import Asked


def _sameness(_context: click.Context, parameter: click.Parameter, value: str) -> str | float:
    """Return "identical", "baseline" or a relative tolerance; raise UsageError for all else."""
    if value in ("identical", "baseline"):
        return value
    relative = number(value)
    if relative is None:
        raise UsageError(
            f"--{parameter.name} {value!r} is none; write identical, baseline, or 1e-6 say"
        )
    return relative


def _python(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return a Python version of two parts; raise UsageError where it is none."""
    if value is not None and not re.fullmatch(r"3\.([7-9]|1\d)", value):
        raise UsageError(
            f"--python {value!r} is none that the recorder runs on; 3.7 to 3.13, as 3.12"
        )
    return value


SEARCHED = together(
    click.option("--package", metavar="NAME", help="Whose releases to search."),
    click.option("--good", metavar="VERSION", help="Whose numbers are right; else the baseline's."),
    click.option("--bad", metavar="VERSION", help="Where they differ; else the newest release."),
    click.option("--all", "every", is_flag=True, help="Every release that changes the numbers."),
    click.option("--pre", is_flag=True, help="Pre-releases too."),
    click.option("--since", metavar="DATE", help="Search days instead, from this one,"),
    click.option("--until", metavar="DATE", help="to this one."),
    click.option("--script-change", metavar="GOOD..BAD", help="Search your own commits instead."),
)


@click.command()
@click.argument("backend", required=False)
@WHAT
@ARGS
@SEARCHED
@click.option(
    "--tolerance",
    default=bisecting.BASELINE,
    show_default=True,
    callback=_sameness,
    metavar="identical|baseline|RTOL",
    help="What counts as the same: bits, the baseline's tolerances, or a relative difference.",
)
@ONLY
@click.option(
    "--python",
    metavar="VERSION",
    callback=_python,
    help="Another Python than the backend's, as in 3.12.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    metavar="N",
    help="How many to try at the same time.",
)
@CONDITIONS
@ENGINE
@ARTIFACTS
@BASELINES
@FORM
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write an HTML report.",
)
@click.option("--prune", is_flag=True, help="Remove what searches kept, and do nothing else.")
@click.pass_obj
def bisect(
    config_file: Path | None,
    /,
    backend: str | None,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    tolerance: str | float,
    only: tuple[str, ...],
    python: str | None,
    jobs: int,
    engine: str,
    artifacts: Path | None,
    baselines: Path | None,
    form: str,
    output: Path | None,
    prune: bool,
    **others: Any,
) -> ExitCode:
    """Find the release, the day or the commit after which the numbers of SCRIPT differ.

    BACKEND's other packages stay where they are, or as near as a release lets them. What was
    tried is kept, so that the next question, or the same one again, costs less.
    """
    if prune:
        old_spelling("keras-repro bisect --prune", "keras-repro prune")
        code: ExitCode = click.get_current_context().invoke(pruning_command, engine=engine)
        return code
    asked = _searched(backend, others)
    script, args = own_args(script, module, args)
    known = configuration.load(config_file)
    workload = selection.one_workload(known, script, module, "bisect")
    [base] = known.select((str(backend),))
    place = checking.Place(
        under(others, args, workload), artifacts or known.artifacts, baselines or known.baselines
    )
    base = base if python is None else base.model_copy(update={"python": python})
    console = terminal.console(stderr=form == "markdown")
    with waiting("looking for what there is to search"):
        hunt = hunting.start(place, base, asked, tolerance, only, jobs)
    chosen = chosen_engine(console, engine)
    bisect_report.print_start(console, hunt.what, hunt.span, hunt.search, hunt.good, tolerance)
    try:
        with SearchDisplay(console, hunt.search, hunt.what) as display:
            result = hunt.finish(chosen, display.second_pass)
    except KeyboardInterrupt:
        bisect_report.print_learnt(console, hunt.search, hunt.what)
        raise
    if form == "markdown":
        click.echo(bisect_report.summary(result, chosen))
    else:
        bisect_report.print_bisection(console, result, pruning.kept([chosen]))
    if output is not None:
        from keras_repro.report.bisect import page  # noqa: PLC0415 - matplotlib takes its time

        page.write(output, result, chosen)
        click.echo(f"wrote {output}", err=form == "markdown")
    return result.exit_code


def _searched(backend: str | None, given: dict[str, Any]) -> Asked:
    """Take what a search is asked for out of a command's options.

    Raises:
        UsageError: it is not one of a package's releases, days and commits.
    """
    asked = Asked(**{name: given.pop(name) for name in Asked.__dataclass_fields__})
    days = asked.since is not None or asked.until is not None
    ways = [asked.package is not None, days, asked.script_change is not None]
    example = "as in: keras-repro bisect jax --package keras --good 3.10.0"
    if backend is None:
        raise UsageError(f"bisect needs a backend; {example}")
    if sum(ways) == 0:
        raise UsageError(f"bisect needs a package (--package NAME); {example}")
    if sum(ways) > 1:
        raise UsageError("search one of them: --package, --since and --until, or --script-change")
    if days and (asked.since is None or asked.until is None):
        raise UsageError("a search of days needs both: --since DATE --until DATE")
    if not ways[0] and (asked.good or asked.bad or asked.every or asked.pre):
        raise UsageError("--good, --bad, --all and --pre are of releases; name a --package too")
    return asked
