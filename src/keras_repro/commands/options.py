"""The options that several commands have, and how their values are read."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from keras_repro.engines.select import NAMES as ENGINE_NAMES
from keras_repro.errors import UsageError
from keras_repro.project import configuration
from keras_repro.project.workload import (
    Workload,
    builtin,
    builtin_names,
    from_module,
    from_script,
)
from keras_repro.studies.bisect.hunt import Asked


def tolerance(_context: click.Context, parameter: click.Parameter, value: str) -> float | None:
    """Return a tolerance; raise UsageError where it is none."""
    if value is None:
        return None
    number = _number(value)
    if number is None:
        raise UsageError(f"--{parameter.name} {value!r} is not a number from 0 on")
    return number


def sameness(_context: click.Context, parameter: click.Parameter, value: str) -> str | float:
    """Return "identical", "baseline" or a relative tolerance; raise UsageError for all else."""
    if value in ("identical", "baseline"):
        return value
    number = _number(value)
    if number is None:
        raise UsageError(
            f"--{parameter.name} {value!r} is none; write identical, baseline, or 1e-6 say"
        )
    return number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < math.inf else None


def python(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return a Python version of two parts; raise UsageError where it is none."""
    if value is not None and not re.fullmatch(r"3\.([7-9]|1\d)", value):
        raise UsageError(
            f"--python {value!r} is none that the recorder runs on; 3.7 to 3.13, as 3.12"
        )
    return value


def together(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Return what adds several options to a command, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


WHAT = together(
    click.argument("script", required=False),
    click.option("-m", "--module", metavar="NAME", help="A module instead, as python -m runs it."),
)
BACKEND = click.option(
    "--backend", "names", multiple=True, metavar="NAME", help="Only this backend; repeatable."
)
ENGINE = click.option(
    "--engine",
    type=click.Choice(ENGINE_NAMES),
    default="auto",
    show_default=True,
    help="auto is docker where an engine answers, else local.",
)
ARTIFACTS = click.option(
    "--artifacts",
    type=click.Path(path_type=Path),
    help="Where the runs are kept; artifacts, unless the configuration says otherwise.",
)
BASELINES = click.option(
    "--baselines",
    type=click.Path(path_type=Path),
    help="Where the baselines are kept; baselines, unless the configuration says otherwise.",
)
ONLY = click.option(
    "--only", multiple=True, metavar="PATTERN", help="Only these arrays: 'weights/*'; repeatable."
)
COMPARISON = together(
    click.option("--rtol", metavar="X", callback=tolerance, help="Instead of what is stored."),
    click.option("--atol", metavar="X", callback=tolerance, help="Instead of what is stored."),
    ONLY,
    click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        show_default=True,
    ),
)
FORM = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="text",
    show_default=True,
    help="markdown is to be pasted.",
)
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


def searched(backend: str | None, given: dict[str, Any]) -> Asked:
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


def workloads(
    known: configuration.Config, script: str | None, module: str | None
) -> list[Workload]:
    """Return what a command is to do: one workload, or all of the configuration.

    Without a configuration, and without a script, it is the regression that comes with
    keras-repro. Raises UsageError.
    """
    if module is not None:
        return [from_module(module, Path.cwd())]
    if script is None:
        return list(known.workloads.values()) or [builtin("regression", "")]
    return [named(known, script, Path.cwd())]


def named(known: configuration.Config, script: str, folder: Path) -> Workload:
    """Return the workload of a name: a configured one, a script as seen from a folder, a builtin.

    Raises UsageError.
    """
    if script in known.workloads:
        return known.workloads[script]
    there = folder / script
    if script in builtin_names() and not there.exists():
        return builtin(script, script)
    try:
        return from_script(script, folder)
    except UsageError as error:
        names = [
            *known.workloads,
            *(n for n in builtin_names() if n not in known.workloads),
        ]
        if there.suffix or there.exists():
            raise
        there_are = f"and no workload of that name; there are {', '.join(names)}"
        raise UsageError(f"{error}, {there_are}") from None
