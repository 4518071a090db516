"""keras-repro equivalent."""

from contextlib import suppress
from pathlib import Path

import click

from keras_repro.backends import Backend
from keras_repro.commands.options import ARTIFACTS, BASELINES, FORMAT, MARGIN, OUTPUT
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.project.configuration import Config
from keras_repro.project.workload import Workload
from keras_repro.report import terminal
from keras_repro.report.ensemble import document, markdown, text
from keras_repro.report.waiting import waiting
from keras_repro.runs.baselines import baseline_folder
from keras_repro.studies.ensemble.equivalent import (
    Side,
    accepted_side,
    last_side,
    read_side,
    script_changed,
    to_make,
)
from keras_repro.studies.ensemble.equivalent import equivalent as decide

HOW = (
    "name two ensembles, each a file or WORKLOAD:BACKEND, as in regression:jax regression:torch; "
    "or one workload with --backend, for its accepted ensemble and its last one"
)


@click.command()
@click.argument("ensembles", nargs=-1)
@click.option(
    "--backend", metavar="NAME", help="Compare a workload's last ensemble with its accepted one."
)
@MARGIN
@ARTIFACTS
@BASELINES
@FORMAT
@OUTPUT
@click.pass_obj
def equivalent(
    config_file: Path | None,
    ensembles: tuple[str, ...],
    backend: str | None,
    margins: dict[str, float],
    artifacts: Path | None,
    baselines: Path | None,
    form: str,
    output: Path | None,
) -> ExitCode:
    """Decide whether two ensembles of seeds differ by more than chance, or are alike.

    EXPECTED OBTAINED: each is a file, or WORKLOAD:BACKEND for the last one. With --backend and one
    workload, or none, it is the accepted ensemble of that backend and its last one. Exit code 1:
    different; 8: so few seeds cannot tell.
    """
    known = configuration.load(config_file)
    runs, kept = artifacts or known.artifacts, baselines or known.baselines
    if backend is not None:
        if len(ensembles) > 1:
            raise UsageError(f"--backend takes one workload; {HOW}")
        sides = _accepted_and_last(known, ensembles[0] if ensembles else None, backend, runs, kept)
    elif len(ensembles) == 2:
        expected, obtained = (_named(known, one, runs) for one in ensembles)
        sides = expected, obtained
    else:
        raise UsageError(HOW)
    if output is not None and any(
        side.path is not None and _is_same(output, side.path) for side in sides
    ):
        raise UsageError(f"{output} is one of the two ensembles; write the page elsewhere with -o")
    with waiting("comparing"):
        compared = decide(*sides, margins)
        compared.rates  # noqa: B018 - it takes a moment, and is known from here on
    if form == "json":
        click.echo(document.equivalent_document(compared))
    elif form == "markdown":
        click.echo(markdown.summary(compared))
    else:
        text.print_compared(terminal.console(), compared)
    if output is not None:
        from keras_repro.report.ensemble import page  # noqa: PLC0415 - matplotlib takes its time

        page.write(output, compared)
        click.echo(f"wrote {output}", err=form != "text")
    return compared.exit_code


def _accepted_and_last(
    known: Config, script: str | None, backend: str, runs: Path, kept: Path
) -> tuple[Side, Side]:
    workload = selection.one_workload(known, script, None, "equivalent")
    [base] = known.select((backend,))
    folder = baseline_folder(kept, workload.name, base.name)
    expected = accepted_side(folder, f'{to_make(workload, base)} --accept --reason "..."')
    return expected, _last(workload, base, runs)


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        return one.samefile(other)
    return False


def _named(known: Config, name: str, runs: Path) -> Side:
    """Return the ensemble of a name: a file, or the last one of a workload on a backend."""
    path = Path(name)
    what, colon, backend = name.rpartition(":")
    if path.exists() or path.is_symlink() or not colon:
        return read_side(path, HOW)
    workload = selection.one_workload(known, what or None, None, "equivalent")
    [base] = known.select((backend,))
    return _last(workload, base, runs)


def _last(workload: Workload, backend: Backend, runs: Path) -> Side:
    """Return the last ensemble of a workload; say where its script is another by now."""
    side = last_side(workload, backend, runs)
    changed = script_changed(side, workload)
    if changed:
        click.echo(f"keras-repro: {changed}; {to_make(workload, backend)}", err=True)
    return side
