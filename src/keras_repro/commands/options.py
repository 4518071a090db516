"""The options that several commands have, and what they mean."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from keras_repro.engines import Engine
from keras_repro.engines.cluster.address import NAME as DASK
from keras_repro.engines.cluster.address import address_of
from keras_repro.engines.select import NAMES as ENGINE_NAMES
from keras_repro.engines.select import select
from keras_repro.errors import UsageError
from keras_repro.numbers.chance.apart import LARGEST
from keras_repro.project import selection
from keras_repro.project.configuration import Config
from keras_repro.studies.check import Place


def together(*options: Callable[..., Any]) -> Callable[..., Any]:
    """Return a decorator that adds all of these options, in this order."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def number(text: str) -> float | None:
    """Return a finite number from 0 on, None where the text is none."""
    if "_" in text:  # Python's 1_000, which elsewhere is no number
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < math.inf else None


def tolerance(_context: click.Context, parameter: click.Parameter, value: str) -> float | None:
    """Return a tolerance; raise UsageError where it is none."""
    if value is None:
        return None
    read = number(value)
    if read is None:
        raise UsageError(
            f"--{parameter.name} {value!r} is no tolerance; write a number from 0 up, such as 1e-5"
        )
    return read


WHAT = together(
    click.argument("script", required=False),
    click.option(
        "-m", "--module", metavar="NAME", help="Run a module, as python -m does, not a SCRIPT."
    ),
)
ARGS = click.argument("args", nargs=-1, type=click.UNPROCESSED)
BACKEND = click.option(
    "--backend", "names", multiple=True, metavar="NAME", help="Use only this backend; repeatable."
)


class _EngineName(click.Choice[str]):
    """The name of an engine; a cluster's with where it is."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name. Raises UsageError and click's own error where it is none."""
        if value.startswith(f"{DASK}="):
            address_of(value)
            return value
        return super().convert(value, param, ctx)


ENGINE = click.option(
    "--engine",
    type=_EngineName(ENGINE_NAMES),
    default="auto",
    show_default=True,
    help="Where to run: auto is docker if a Docker engine answers, otherwise local; dask is a "
    "cluster of workers, of this machine, or at dask=ADDRESS.",
)
ARTIFACTS = click.option(
    "--artifacts",
    type=click.Path(path_type=Path),
    help="The folder of the runs; artifacts unless configured.",
)
BASELINES = click.option(
    "--baselines",
    type=click.Path(path_type=Path),
    help="The folder of the baselines; baselines unless configured.",
)
ONLY = click.option(
    "--only",
    multiple=True,
    metavar="PATTERN",
    help="Take only arrays whose names match, such as 'weights/*'; repeatable.",
)


def printed_as(*forms: str, more: str = "") -> Callable[..., Any]:
    """Return the option that says in which of these forms the result is printed."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default="text",
        show_default=True,
        help=f"How to print the result{more}.",
    )


FORMAT = printed_as("text", "json", "markdown")
FORMAT_JSON = printed_as("text", "json")
FORM = printed_as("text", "markdown", more="; paste markdown into a pull request")
OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write an HTML report.",
)
EMULATED = click.option(
    "--emulated", is_flag=True, help="Also emulate other processors, which takes ten times as long."
)
JOBS = click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    metavar="N",
    help="How many runs to make at the same time; one a core unless given.",
)
COMPARISON = together(
    click.option(
        "--rtol", metavar="X", callback=tolerance, help="Relative tolerance, not the stored one."
    ),
    click.option(
        "--atol", metavar="X", callback=tolerance, help="Absolute tolerance, not the stored one."
    ),
    ONLY,
    FORMAT,
)


def _margins(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> dict[str, float]:
    """Return {pattern: margin}; raise UsageError where one is none."""
    found = {}
    for text in given:
        pattern, equals, value = text.rpartition("=")
        margin = number(value)
        if not equals or not pattern or margin is None or not 0 < margin <= LARGEST:
            raise UsageError(
                f"--margin {text!r} is no margin; write a scalar's name and a number above 0, as "
                "in costs/test=0.01"
            )
        found[pattern] = margin
    return found


MARGIN = click.option(
    "--margin",
    "margins",
    multiple=True,
    metavar="NAME=X",
    callback=_margins,
    help="By how much two means may differ and be alike, in the scalar's own units; repeatable. "
    "One standard deviation of the expected seeds unless given.",
)


def old_spelling(old: str, new: str) -> None:
    """Say on stderr that a command line is written in another way now."""
    click.echo(f"keras-repro: write {new}; {old} works for one more release", err=True)


def own_args(
    script: str | None, module: str | None, args: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Return the script and its arguments: after -m, as with Python's, all are the module's."""
    if module is not None and script is not None:
        return None, (script, *args)
    return script, args


def places(
    known: Config,
    script: str | None,
    module: str | None,
    artifacts: Path | None,
    baselines: Path | None,
) -> list[Place]:
    """Return the workloads that are asked for, with where their runs and baselines lie."""
    return [
        Place(workload, artifacts or known.artifacts, baselines or known.baselines)
        for workload in selection.workloads(known, script, module)
    ]


def chosen_engine(console: Console, name: str) -> Engine:
    """Choose the engine, and say which; it is left when the command ends, however it does.

    Until then nothing that it may use is pruned.
    """
    from keras_repro.studies.in_use import in_use  # noqa: PLC0415 - few commands need it

    engine, line = select(name)
    console.print(line, soft_wrap=True)
    context = click.get_current_context()
    context.with_resource(in_use(lambda: click.echo("waiting: keras-repro prune runs", err=True)))
    return context.with_resource(engine)
