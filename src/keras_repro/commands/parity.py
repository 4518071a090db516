"""keras-repro parity."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from keras_repro import backends
from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import (
    ARGS,
    ARTIFACTS,
    ENGINE,
    FORM,
    WHAT,
    chosen_engine,
    own_args,
    tolerance,
)
from keras_repro.commands.seeds import SEEDS, follower
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.report import terminal
from keras_repro.report.ensemble.answers import exit_code, print_answers, summary
from keras_repro.report.parity import text as parity_report
from keras_repro.report.parity.minimal import file_names, why_none
from keras_repro.report.progress import Display
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.elsewhere import on_backends
from keras_repro.studies.parity import study as studying
from keras_repro.studies.parity.findings import LayerParity, Rule
from keras_repro.studies.parity.study import Pair


@click.command()
@WHAT
@ARGS
@click.option(
    "--reference",
    metavar="BACKEND",
    required=True,
    help="The backend whose initial weights all others start from.",
)
@click.option(
    "--against",
    metavar="BACKEND",
    multiple=True,
    help="A backend to compare with it; repeatable. Default: all others of the same Keras.",
)
@CONDITIONS
@ENGINE
@ARTIFACTS
@click.option(
    "--rtol",
    metavar="X",
    callback=tolerance,
    help="Relative tolerance for float32 results, not the bounds derived from float64.",
)
@click.option("--atol", metavar="X", callback=tolerance, help="Absolute tolerance, likewise.")
@FORM
@SEEDS
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write an HTML report, and a minimal script for each layer that differs.",
)
@click.pass_obj
def parity(
    config_file: Path | None,
    /,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    reference: str,
    against: tuple[str, ...],
    engine: str,
    artifacts: Path | None,
    rtol: float | None,
    atol: float | None,
    form: str,
    seeds: int | None,
    output: Path | None,
    **conditions: Any,
) -> ExitCode:
    """Compare what backends compute from the same weights and data, layer by layer.

    The script runs on the reference, then on the other backends from the same initial weights,
    with all randomness switched off. Each layer is given the inputs that it has on the reference.
    With --seeds the exit code is that of the decision by seeds, which draw as they always do.
    """
    script, args = own_args(script, module, args)
    _no_backends_among(args)
    known = configuration.load(config_file)
    workload = selection.one_workload(known, script, module, "parity")
    [base] = known.select((reference,))
    others = known.select(against) if against else selection.counterparts(known, workload, base)
    console = terminal.console(stderr=form == "markdown")
    chosen = chosen_engine(console, engine)
    workload = under(conditions, args, workload)
    runs = (artifacts or known.artifacts).absolute()
    with Display(console) as display:
        result = studying.parity(
            workload,
            base,
            others,
            runs,
            chosen,
            display.show,
            Rule(rtol, atol),
        )
    if form == "markdown":
        click.echo(parity_report.markdown_table(result.pairs, _script_of(output)))
    else:
        parity_report.print_parity(console, result)
    if output is not None:
        from keras_repro.report.parity import page  # noqa: PLC0415 - matplotlib takes its time

        for path in page.write(output, result):
            click.echo(f"wrote {path}", err=form == "markdown")
    if seeds is None or result.exit_code not in (ExitCode.OK, ExitCode.DRIFT):
        return result.exit_code
    place = Place(workload, runs, known.baselines)
    answers = on_backends(place, base, others, seeds, chosen, follower(console))
    if form == "markdown":
        click.echo()
        click.echo(summary(answers))
    else:
        print_answers(console, answers)
    return exit_code(answers)


def _no_backends_among(args: tuple[str, ...]) -> None:
    """Raise UsageError where --against was given two names: the second went to the script.

    What follows "--" is meant for it.
    """
    line = sys.argv[1:]
    meant = line[line.index("--") + 1 :] if "--" in line else []
    for name in args:
        if name in backends.load() and name not in meant:
            raise UsageError(
                f"{name} would be passed to the script; to compare with that backend, write "
                f"--against {name}; to pass it to the script, write it after --"
            )


def _script_of(output: Path | None) -> Callable[[Pair, LayerParity], str]:
    """Return what tells where a layer's minimal script lies, as seen from beside the report."""

    def link(pair: Pair, layer: LayerParity) -> str:
        if output is None or not layer.parting or why_none(pair, layer):
            return ""
        return f"{output.stem}-layers/{file_names(pair)[layer.key]}.py"

    return link
