"""The options that say under which conditions a workload runs: one for each entry of the table."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from keras_repro.commands.options import together
from keras_repro.errors import UsageError
from keras_repro.project.conditions import looked_up
from keras_repro.project.workload import Workload
from keras_repro.recorder.contract import CONDITIONS as TABLE
from keras_repro.recorder.contract import Condition


def _option(condition: Condition) -> Callable[..., Any]:
    def read(_context: click.Context, _parameter: click.Parameter, given: Any) -> Any:
        """Return the value, None where the option was not given."""
        try:
            if condition.many is None:
                return None if given is None else condition.read(given)
            return condition.many(map(condition.read, given)) if given else None
        except ValueError as error:
            raise UsageError(f"{condition.flag} {error}") from None

    if condition.is_switch:
        return click.option(
            condition.flag,
            condition.name,
            is_flag=True,
            callback=lambda _context, _parameter, given: given or None,
            help=condition.help,
        )
    return click.option(
        condition.flag,
        condition.name,
        metavar=condition.metavar,
        type=click.Path() if condition.metavar == "FILE" else str,
        multiple=condition.many is not None,
        callback=read,
        help=condition.help,
    )


CONDITIONS = together(*map(_option, TABLE))


def under(given: dict[str, Any], args: tuple[str, ...], workload: Workload) -> Workload:
    """Return a workload with what the command line says of it in place of what is configured.

    ``given`` has the options of all conditions, None where one was not given; pairs of a name
    and a value, such as variables of the environment, join the configured ones.

    Raises:
        UsageError: a file or folder that a condition names cannot be used.
    """
    chosen = {name: value for name, value in given.items() if value is not None}
    if "requirements" in chosen:  # the files are here; what is written out is the configuration's
        chosen["requirements"] = tuple(map(Path, chosen["requirements"]))
    for condition in TABLE:
        if condition.many is dict and condition.name in chosen:
            configured = getattr(workload.conditions, condition.name)
            chosen[condition.name] = configured | chosen[condition.name]
    conditions = workload.conditions.having(**looked_up(chosen, Path.cwd()))
    outside = {name: why for name, why in workload.outside.items() if name not in chosen}
    return replace(workload, conditions=conditions, outside=outside, args=args or workload.args)
