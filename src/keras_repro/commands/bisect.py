"""keras-repro bisect release, day and commit."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from keras_repro.backends import Backend
from keras_repro.commands.bisect_before import EXAMPLE, in_new_spelling, is_old_spelling
from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import (
    ARGS,
    BASELINES,
    ENGINE,
    FORM,
    ONLY,
    OUTPUT,
    WHAT,
    chosen_engine,
    number,
    old_spelling,
    own_args,
    together,
)
from keras_repro.commands.prune import prune
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report.bisect import text as bisect_report
from keras_repro.report.bisect.progress import SearchDisplay
from keras_repro.report.waiting import waiting
from keras_repro.runs.ensemble import MOST_SEEDS
from keras_repro.studies.bisect.by_seeds import SEEDS, search_by_seeds
from keras_repro.studies.bisect.commits import search_commits
from keras_repro.studies.bisect.days import search_days
from keras_repro.studies.bisect.distribution import DISTRIBUTION, FEWEST
from keras_repro.studies.bisect.releases import search_releases
from keras_repro.studies.bisect.run import bisect as run_search
from keras_repro.studies.bisect.search import Search
from keras_repro.studies.bisect.searchable import Searchable
from keras_repro.studies.check import Place
from keras_repro.studies.judge import BASELINE, IDENTICAL, judge_of
from keras_repro.studies.prune import kept

# The same environment variables, KERAS_REPRO_BISECT_JOBS say, whatever is searched.
SETTINGS = {"auto_envvar_prefix": "KERAS_REPRO_BISECT"}


class _Searches(click.Group):
    """The three searches, and for one release the spelling of before: bisect BACKEND ..."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments, those of the old spelling in the new one."""
        if not args:
            raise UsageError(f"say what to search: release, day or commit; as in: {EXAMPLE}")
        if "--help" in args and args[0] not in self.commands:
            args = ["--help"]
        if is_old_spelling(args, self.commands):
            parameters = [one for command in self.commands.values() for one in command.params]
            args, old, new = in_new_spelling(args, parameters)
            old_spelling(old, new)
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; prune is one for who writes bisect --prune."""
        return prune if cmd_name == "prune" else super().get_command(ctx, cmd_name)


def _sameness(_context: click.Context, parameter: click.Parameter, value: str) -> str | float:
    """Return one of the words, or a relative tolerance; raise UsageError for all else."""
    if value in (IDENTICAL, BASELINE, DISTRIBUTION):
        return value
    relative = number(value)
    if relative is None:
        raise UsageError(
            f"--{parameter.name} {value!r} is no tolerance; write identical, baseline, "
            "distribution, or a number such as 1e-6"
        )
    return relative


def _python(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return a Python version of two parts; raise UsageError where it is none."""
    if value is not None and not re.fullmatch(r"3\.([7-9]|1\d)", value):
        raise UsageError(
            f"--python {value!r}: the recorder runs on Python 3.7 to 3.13; write it as in 3.12"
        )
    return value


# What the three have in common.
SEARCH = together(
    WHAT,
    ARGS,
    click.option("--backend", required=True, metavar="NAME", help="The backend to search on."),
    click.option(
        "--tolerance",
        default=BASELINE,
        show_default=True,
        callback=_sameness,
        metavar="identical|baseline|distribution|RTOL",
        help="What counts as the same: bits, the baseline's tolerances, a relative difference, or "
        "the distribution over many seeds.",
    ),
    ONLY,
    click.option(
        "--seeds",
        type=click.IntRange(FEWEST, MOST_SEEDS),
        metavar="N",
        help="With distribution, the most seeds at a point; 30 unless given.",
    ),
    click.option(
        "--primary",
        multiple=True,
        metavar="NAME",
        help="With distribution, a scalar that decides; repeatable. What the last evaluation said "
        "unless given.",
    ),
    click.option(
        "--python",
        metavar="VERSION",
        callback=_python,
        help="Use this Python, such as 3.12, instead of the backend's.",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        metavar="N",
        help="How many points to try at the same time; with distribution, seeds of one.",
    ),
    CONDITIONS,
    ENGINE,
    BASELINES,
    FORM,
    OUTPUT,
    click.pass_obj,
)


@click.group(cls=_Searches)
def bisect() -> None:
    """Find the release, the day or the commit after which the numbers of a script differ.

    What was tried is kept, so that the same question again, or another one, costs less;
    keras-repro prune removes it.
    """


@bisect.command(context_settings=SETTINGS)
@click.option(
    "--package", required=True, metavar="NAME", help="The package whose releases to search."
)
@click.option("--good", metavar="VERSION", help="A release whose numbers are right.")
@click.option("--bad", metavar="VERSION", help="A later one whose numbers differ.")
@click.option("--all", "every", is_flag=True, help="Find every release that changes the numbers.")
@click.option("--pre", is_flag=True, help="Include pre-releases.")
@SEARCH
def release(
    config_file: Path | None,
    /,
    package: str,
    good: str | None,
    bad: str | None,
    every: bool,
    pre: bool,
    **shared: Any,
) -> ExitCode:
    """Find the release that changed the numbers of SCRIPT.

    All other packages stay where they are, or as near as a release lets them.
    """

    def find(place: Place, backend: Backend) -> Searchable:
        return search_releases(place, backend, package, good, bad, pre=pre, every=every)

    return _search(config_file, find, every=every, **shared)


@bisect.command(context_settings=SETTINGS)
@click.option(
    "--since", required=True, metavar="DATE", help="A day on which the numbers were right."
)
@click.option("--until", required=True, metavar="DATE", help="A later day on which they differ.")
@SEARCH
def day(config_file: Path | None, /, since: str, until: str, **shared: Any) -> ExitCode:
    """Find the day that changed the numbers of SCRIPT.

    Each day has the newest packages of its evening, within the major releases that are pinned.
    Then each package that moved on that day is tried alone.
    """
    return _search(
        config_file, lambda place, backend: search_days(place, backend, since, until), **shared
    )


@bisect.command(context_settings=SETTINGS)
@click.option("--good", required=True, metavar="REVISION", help="A commit whose numbers are right.")
@click.option(
    "--bad",
    default="HEAD",
    show_default=True,
    metavar="REVISION",
    help="A later one, whose numbers differ.",
)
@SEARCH
def commit(config_file: Path | None, /, good: str, bad: str, **shared: Any) -> ExitCode:
    """Find your commit that changed the numbers of SCRIPT.

    Each is checked out in a folder of its own, along first parents. Your checkout stays as it is.
    """
    return _search(
        config_file, lambda place, backend: search_commits(place, backend, good, bad), **shared
    )


def _check_together(
    tolerance: str | float,
    only: tuple[str, ...],
    seeds: int | None,
    primary: tuple[str, ...],
    every: bool,
) -> None:
    """Raise UsageError where options do not go together."""
    if tolerance == DISTRIBUTION and only:
        raise UsageError(
            "--only is of arrays, and --tolerance distribution compares scalars; name those that "
            "decide with --primary"
        )
    if tolerance == DISTRIBUTION and every:
        raise UsageError(
            "--all does not go with --tolerance distribution: every release is compared with the "
            "good one, and not with the one before it; search from each change on with --good"
        )
    if tolerance != DISTRIBUTION and (seeds is not None or primary):
        option = "--primary" if seeds is None else "--seeds"
        raise UsageError(f"{option} is for --tolerance distribution; add it, or leave it out")


def _search(
    config_file: Path | None,
    find: Callable[[Place, Backend], Searchable],
    /,
    *,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    backend: str,
    tolerance: str | float,
    only: tuple[str, ...],
    seeds: int | None,
    primary: tuple[str, ...],
    python: str | None,
    jobs: int,
    engine: str,
    baselines: Path | None,
    form: str,
    output: Path | None,
    every: bool = False,
    **conditions: Any,
) -> ExitCode:
    _check_together(tolerance, only, seeds, primary, every)
    script, args = own_args(script, module, args)
    known = configuration.load(config_file)
    workload = selection.one_workload(known, script, module, "bisect")
    [base] = known.select((backend,))
    base = base if python is None else base.model_copy(update={"python": python})
    place = Place(under(conditions, args, workload), known.artifacts, baselines or known.baselines)
    console = terminal.console(stderr=form == "markdown")
    with waiting("looking for what there is to search"):
        of = find(place, base)
    if tolerance == DISTRIBUTION:
        search = search_by_seeds(of, seeds or SEEDS, jobs, primary)
    else:
        search = Search(of, judge_of(place, base, tolerance, only), jobs)
    chosen = chosen_engine(console, engine)
    bisect_report.print_start(console, search, tolerance)
    try:
        with SearchDisplay(console, search) as display:
            result = run_search(search, chosen, display.second_pass)
    except KeyboardInterrupt:
        bisect_report.print_learnt(console, search)
        raise
    if form == "markdown":
        click.echo(bisect_report.summary(result, chosen))
    else:
        bisect_report.print_bisection(console, result, kept([chosen]))
    if output is not None:
        from keras_repro.report.bisect import page  # noqa: PLC0415 - matplotlib takes its time

        page.write(output, result, chosen)
        click.echo(f"wrote {output}", err=form == "markdown")
    return result.exit_code
