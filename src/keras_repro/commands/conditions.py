"""The options that say under which conditions a workload runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from keras_repro.commands.options import together
from keras_repro.errors import UsageError
from keras_repro.packages import extra
from keras_repro.project.workload import Workload, data, datasets, seconds, size
from keras_repro.recorder import contract
from keras_repro.recorder.seeding import OWN_VARIABLES


def _seed(_context: click.Context, _parameter: click.Parameter, value: str | None) -> int | None:
    try:
        return None if value is None else contract.parse_seed(value)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _read_by(parse: Callable[[str], Any]) -> Callable[..., Any]:
    def read(_context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        try:
            return None if value is None else parse(value)
        except ValueError as error:
            raise UsageError(f"{parameter.opts[0]} {error}") from None

    return read


def _variables(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    found = {}
    for text in values:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise UsageError(f"--env {text!r} is not NAME=VALUE")
        if name in OWN_VARIABLES:
            raise UsageError(f"--env {name}: keras-repro sets it itself; leave it out")
        found[name] = value
    return found


CONDITIONS = together(
    click.option(
        "--seed",
        metavar="N",
        callback=_seed,
        help=f"From 0 to {contract.MAX_SEED}; {contract.DEFAULT_SEED} unless configured.",
    ),
    click.option(
        "--threads",
        type=click.IntRange(1, 1024),
        help="Threads each library may use, 1 unless configured: part of what makes the numbers.",
    ),
    click.option(
        "--requirements",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Packages the script needs besides; repeatable.",
    ),
    click.option(
        "--data",
        multiple=True,
        metavar="DIR",
        help="Data, seen read-only where they are here; repeatable.",
    ),
    click.option("--datasets", metavar="DIR", help="What ~/.keras/datasets is to be, read-only."),
    click.option(
        "--env",
        "variables",
        multiple=True,
        callback=_variables,
        metavar="NAME=VALUE",
        help="Of the script's environment; repeatable.",
    ),
    click.option(
        "--time-limit",
        metavar="TIME",
        callback=_read_by(seconds),
        help="90 s, 10 min or 2 h; longer, and the run has failed.",
    ),
    click.option(
        "--memory-limit",
        metavar="SIZE",
        callback=_read_by(size),
        help="500 MB or 2 GB; more, and the run has failed.",
    ),
    click.option(
        "--files-limit",
        metavar="SIZE",
        callback=_read_by(size),
        help="How much of what the script writes is kept; 100 MB unless configured.",
    ),
)


def under(conditions: dict[str, Any], args: tuple[str, ...], workload: Workload) -> Workload:
    """Return a workload with what the command line says of it in place of what is configured.

    Raises UsageError.
    """
    given = {name: value for name, value in conditions.items() if value not in (None, (), {})}
    changes: dict[str, Any] = {
        name: given[name]
        for name in ("seed", "threads", "time_limit", "memory_limit", "files_limit")
        if name in given
    }
    if args:
        changes["args"] = args
    if "requirements" in given:
        changes["requirements"] = ()
        changes["requirement_files"] = tuple(path.absolute() for path in given["requirements"])
        extra.read(given["requirements"], ())  # to complain at once, and not of each backend
    if "data" in given:
        here = Path.cwd()
        changes["data"] = tuple(d for text in given["data"] for d in data(text, here))
    if "datasets" in given:
        changes["datasets"] = datasets(given["datasets"], Path.cwd())
    if "variables" in given:
        changes["environment"] = workload.environment | given["variables"]
    return replace(workload, **changes)
