"""The command line: arguments in, exit code out."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from keras_repro import __version__, backends
from keras_repro.backends import Backend
from keras_repro.commands import options
from keras_repro.commands.conditions import CONDITIONS, under
from keras_repro.commands.options import (
    ARTIFACTS,
    BACKEND,
    BASELINES,
    COMPARISON,
    ENGINE,
    ONLY,
    WHAT,
)
from keras_repro.engines import Engine
from keras_repro.engines.select import select as select_engine
from keras_repro.engines.select import usable
from keras_repro.errors import CannotWriteError, ExitCode, KerasReproError, UsageError, gravest
from keras_repro.packages import backend_locks, project_locks, resolve
from keras_repro.project import configuration
from keras_repro.project import scaffold as scaffolding
from keras_repro.project.workload import Workload
from keras_repro.report import json_text, markdown, terminal
from keras_repro.report import upgrade as upgrade_report
from keras_repro.report.bisect import text as bisect_report
from keras_repro.report.bisect.progress import SearchDisplay
from keras_repro.report.parity import text as parity_report
from keras_repro.report.parity.minimal import file_names, why_none
from keras_repro.report.progress import Display, waiting
from keras_repro.report.text import printable
from keras_repro.studies import accept as accepting
from keras_repro.studies import check as checking
from keras_repro.studies import compare_folders as comparing
from keras_repro.studies import history as remembering
from keras_repro.studies import prune as pruning
from keras_repro.studies import upgrade as upgrading
from keras_repro.studies.bisect import hunt as hunting
from keras_repro.studies.bisect import releases as bisecting
from keras_repro.studies.parity import study as studying
from keras_repro.studies.parity.judge import LayerParity, Rule
from keras_repro.studies.parity.study import Pair
from keras_repro.studies.train import train as training
from keras_repro.studies.train.plan import Plan


@click.group(context_settings={"auto_envvar_prefix": "KERAS_REPRO", "max_content_width": 80})
@click.version_option(__version__, prog_name="keras-repro")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Instead of the nearest {configuration.NAME}, or [tool.keras-repro] in pyproject.toml.",
)
@click.pass_context
def cli(context: click.Context, config_file: Path | None) -> None:
    """Run a Keras script, seeded, on every backend, and say which numbers changed.

    SCRIPT is a plain Keras script, or the name of a workload; without it, every workload of the
    configuration, or where there is none the regression that comes with keras-repro.

    Exit codes: 0 all well, 1 drift, 2 wrong usage, 3 a run or baseline is missing, 4 a run
    failed, 5 an engine or backend is unavailable, 6 a run or baseline is damaged or too new,
    7 cannot write, 130 interrupted.
    """
    context.obj = config_file


@cli.command()
@click.option("--force", is_flag=True, help="Write over the file that is there.")
def init(force: bool) -> ExitCode:
    """Write a keras-repro.toml, with every setting explained, for the scripts in this folder."""
    path = Path(configuration.NAME)
    scaffolding.write(path, force)
    click.echo(f"wrote {path}; then: keras-repro train")
    return ExitCode.OK


@cli.command()
@WHAT
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@BACKEND
@CONDITIONS
@ENGINE
@ARTIFACTS
@click.option(
    "--if-needed", is_flag=True, help="Leave out what is up to date: script, seed, lock, image."
)
@click.option(
    "--repeat",
    type=click.IntRange(2, 1000),
    metavar="N",
    help="Train N times, and say where two runs of the same seed part.",
)
@click.pass_obj
def train(
    config_file: Path | None,
    /,
    script: str | None,
    module: str | None,
    args: tuple[str, ...],
    names: tuple[str, ...],
    engine: str,
    artifacts: Path | None,
    if_needed: bool,
    repeat: int | None,
    **conditions: Any,
) -> ExitCode:
    """Train SCRIPT on every backend and keep its numbers.

    ARGS, after --, are handed to the script.
    """
    script, args = _own_args(script, module, args)
    if repeat is not None and if_needed:
        raise UsageError("--repeat trains in any case; leave out --if-needed")
    known = configuration.load(config_file)
    plans = [
        Plan(
            workload=workload,
            backends=_backends(known, workload, names),
            artifacts=(artifacts or known.artifacts).absolute(),
            if_needed=if_needed,
            repeat=repeat or 1,
        )
        for workload in (
            under(conditions, args, workload)
            for workload in options.workloads(known, script, module)
        )
    ]
    console = _console()
    chosen = _engine(console, engine)
    with Display(console) as display:
        results = training.train(plans, chosen, display.show)
    for plan, trained in zip(plans, results, strict=True):
        if len(plans) > 1:
            terminal.print_heading(console, plan.workload.name)
        terminal.print_trained(console, trained)
    return gravest([result.exit_code for trained in results for result in trained])


@cli.command()
@WHAT
@BACKEND
@ARTIFACTS
@BASELINES
@click.option("--exact", is_flag=True, help="Ask for the same bits, whatever the tolerances.")
@COMPARISON
@click.pass_obj
def check(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    names: tuple[str, ...],
    artifacts: Path | None,
    baselines: Path | None,
    exact: bool,
    rtol: float | None,
    atol: float | None,
    only: tuple[str, ...],
    form: str,
) -> ExitCode:
    """Compare the runs of SCRIPT with their baselines."""
    known = configuration.load(config_file)
    places = _places(known, script, module, artifacts, baselines)
    asked = checking.Options(exact, rtol, atol, only)
    with waiting("comparing"):
        results = _check_all(known, places, names, asked)
    code = gravest([result.exit_code for _, found in results for result in found])
    if form == "json":
        click.echo(json_text.checks_document(results, code))
    elif form == "markdown":
        click.echo(markdown.all_checked(results))
    else:
        for workload, found in results:
            if len(results) > 1:
                terminal.print_heading(_console(), workload)
            terminal.print_checked(_console(), found)
    return code


@cli.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@COMPARISON
def compare(
    run_a: Path,
    run_b: Path,
    rtol: float | None,
    atol: float | None,
    only: tuple[str, ...],
    form: str,
) -> ExitCode:
    """Compare the run in folder RUN_B with that in RUN_A.

    Two seeds, two machines, two backends: any two run folders, or baselines. Without a baseline's
    tolerances they are rtol 1e-5 and atol 1e-7.
    """
    asked = checking.Options(rtol=rtol, atol=atol, only=only)
    with waiting("comparing"):
        result = comparing.compare_folders(run_a, run_b, asked)
    if form == "json":
        click.echo(json_text.compare_document(result))
    elif form == "markdown":
        click.echo(markdown.compared(result))
    else:
        terminal.print_compared(_console(), result)
    return result.exit_code


@cli.command()
@WHAT
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@click.option("--reference", metavar="BACKEND", required=True, help="Whose weights all start from.")
@click.option(
    "--against", metavar="BACKEND", multiple=True, help="Compared with it; repeatable. All others."
)
@CONDITIONS
@ENGINE
@ARTIFACTS
@click.option("--rtol", metavar="X", callback=options.tolerance, help="Instead of the reasoning.")
@click.option("--atol", metavar="X", callback=options.tolerance, help="Instead of the reasoning.")
@options.FORM
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write an HTML report, and beside it a minimal script for each layer that parts.",
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
    output: Path | None,
    **conditions: Any,
) -> ExitCode:
    """Compare what backends compute from the same weights and data, layer by layer.

    The script runs on the reference, and then on the others from the reference's initial weights,
    with all that draws switched off; each layer is computed from the reference's inputs.
    """
    script, args = _own_args(script, module, args)
    _no_backends_among(args)
    known = configuration.load(config_file)
    found = _only_one(options.workloads(known, script, module), "parity")
    [base] = known.select((reference,))
    others = known.select(against) if against else _others(known, found[0], base)
    console = _console(stderr=form == "markdown")
    chosen = _engine(console, engine)
    with Display(console) as display:
        result = studying.parity(
            under(conditions, args, found[0]),
            base,
            others,
            (artifacts or known.artifacts).absolute(),
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
    return result.exit_code


@cli.command()
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
    found = [w for script in scripts or (None,) for w in options.workloads(known, script, None)]
    places = [
        checking.Place(
            under(conditions, (), workload), known.artifacts, baselines or known.baselines
        )
        for workload in found
        if scripts or base.name in (workload.backends or (base.name,))
    ]
    console = _console()
    with waiting("resolving"):
        plan = upgrading.plan(base, asked, [place.of for place in places])
    if apply and plan.own:
        own = ", ".join(map(str, plan.own))
        raise UsageError(f"{own} is of the script's own requirements; change it there, not here")
    chosen = _engine(console, engine)
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


@cli.command()
@click.argument("backend", required=False)
@WHAT
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@options.SEARCHED
@click.option(
    "--tolerance",
    default=bisecting.BASELINE,
    show_default=True,
    callback=options.sameness,
    metavar="identical|baseline|RTOL",
    help="What counts as the same: bits, the baseline's tolerances, or a relative difference.",
)
@ONLY
@click.option(
    "--python",
    metavar="VERSION",
    callback=options.python,
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
@options.FORM
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
        return _prune(engine)
    asked = options.searched(backend, others)
    script, args = _own_args(script, module, args)
    known = configuration.load(config_file)
    [workload] = _only_one(options.workloads(known, script, module), "bisect")
    [base] = known.select((str(backend),))
    place = checking.Place(
        under(others, args, workload), artifacts or known.artifacts, baselines or known.baselines
    )
    base = base if python is None else base.model_copy(update={"python": python})
    console = _console(stderr=form == "markdown")
    with waiting("looking for what there is to search"):
        hunt = hunting.start(place, base, asked, tolerance, only, jobs)
    chosen = _engine(console, engine)
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


def _prune(engine: str) -> ExitCode:
    """Remove what searches kept, on every engine that answers or on the one asked for."""
    with ExitStack() as entered, waiting("removing"):
        gone = pruning.prune([entered.enter_context(one) for one in usable(engine)])
    click.echo(
        f"removed {gone.environments} environments and {gone.runs} runs, {gone.bytes / 1e6:,.0f} MB"
    )
    return ExitCode.OK


@cli.command()
@WHAT
@click.option("--reason", metavar="TEXT", help="Why the numbers are to change; kept with them.")
@BACKEND
@ONLY
@ARTIFACTS
@BASELINES
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def accept(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    reason: str | None,
    names: tuple[str, ...],
    only: tuple[str, ...],
    artifacts: Path | None,
    baselines: Path | None,
    yes: bool,
) -> ExitCode:
    """Make the present runs of SCRIPT the baselines, on purpose.

    With --only, the other arrays must be close, and stay as they are.
    """
    if not (reason or "").strip():
        raise UsageError('nothing was accepted: say why with --reason "..."')
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        raise UsageError("nothing was accepted: CI is set, and a person accepts baselines")
    console = _console()
    known = configuration.load(config_file)
    places = _places(known, script, module, artifacts, baselines)
    with waiting("comparing"):
        proposals = [
            (place, accepting.propose(place, backend, only))
            for place in places
            for backend in _backends(known, place.of, names)
        ]
    for place, proposal in proposals:
        heading = f"{place.workload} " if len(places) > 1 else ""
        terminal.print_proposal(console, proposal, heading)
    where = terminal.shorter(places[0].baselines)
    if not yes and not click.confirm(f"Make these the baselines in {where}?"):
        raise UsageError("nothing was accepted")
    for place, proposal in proposals:
        accepting.accept(place, proposal, (reason or "").strip())
        folder = terminal.shorter(place.baseline(proposal.backend))
        console.print(f"accepted {folder}", soft_wrap=True)
    return ExitCode.OK


@cli.command()
@WHAT
@BACKEND
@BASELINES
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also draw the final costs into FILE (.svg, .png or .pdf).",
)
@click.pass_obj
def history(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    names: tuple[str, ...],
    baselines: Path | None,
    plot: Path | None,
) -> ExitCode:
    """Print how the baselines of SCRIPT came to be: when, why, and what changed."""
    known = configuration.load(config_file)
    places = _places(known, script, module, None, baselines)
    if plot is not None and len(places) > 1:
        raise UsageError(f"--plot draws one workload; name it: {_names(places)}")
    for place in places:
        entries = remembering.history(place, _backends(known, place.of, names))
        if len(places) > 1:
            terminal.print_heading(_console(), place.workload)
        terminal.print_history(_console(), entries)
    if plot is not None:
        from keras_repro.report import html  # noqa: PLC0415 - matplotlib takes its time

        html.write_history_plot(plot, entries)
        click.echo(f"wrote {plot}")
    return ExitCode.OK


@cli.command()
@WHAT
@BACKEND
@ARTIFACTS
@BASELINES
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="report.html",
    show_default=True,
    help="The file to write.",
)
@click.pass_obj
def report(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    names: tuple[str, ...],
    artifacts: Path | None,
    baselines: Path | None,
    output: Path,
) -> ExitCode:
    """Draw the runs of SCRIPT beside their baselines, as one HTML file.

    It is written whatever the verdicts are: `keras-repro check` judges by its exit code.
    """
    known = configuration.load(config_file)
    places = _places(known, script, module, artifacts, baselines)
    from keras_repro.report import html  # noqa: PLC0415 - matplotlib takes its time

    with waiting("comparing and drawing"):
        results = [
            (place.workload, checking.check(place, _backends(known, place.of, names)))
            for place in places
        ]
        html.write_report(output, results)
    click.echo(f"wrote {output}")
    return ExitCode.OK


@cli.command("backends")
@ENGINE
@click.pass_obj
def list_backends(config_file: Path | None, engine: str) -> ExitCode:
    """List the backends, what each is pinned to and whether this machine can run it."""
    console = _console()
    chosen = _engine(console, engine)
    rows = [
        (backend, chosen.availability(backend))
        for backend in configuration.load(config_file).select()
    ]
    console.print(terminal.backends_table(rows))
    return ExitCode.OK


@cli.command()
@BACKEND
def lock(names: tuple[str, ...]) -> ExitCode:
    """Write each backend's requirements.txt anew from its requirements.in."""
    for backend in backends.select(names):
        click.echo(f"locking {backend.name}")
        backend_locks.write(backend)
    return ExitCode.OK


def main() -> None:
    """Run the command line; every error is one line and its exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what was started is ended
        signal.signal(number, signal.default_int_handler)
    sys.exit(_guarded(lambda: cli.main(standalone_mode=False)))


def _guarded(command: Callable[[], Any]) -> int:
    try:
        code = command()
        sys.stdout.flush()
    except KerasReproError as error:
        return _complain(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return ExitCode.USAGE
    except click.ClickException as error:
        return _complain(error.format_message(), ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", ExitCode.INTERRUPTED)
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.CANNOT_WRITE
    except OSError as error:
        problem = CannotWriteError(f"{error.filename or 'output'}: {error.strerror or error}")
        return _complain(str(problem), problem.exit_code)
    return int(code or 0)


def _complain(message: str, code: ExitCode) -> int:
    click.echo("keras-repro: " + printable(message), err=True)
    return int(code)


def _no_backends_among(args: tuple[str, ...]) -> None:
    """Raise UsageError where --against was given two names: the second went to the script.

    What follows "--" is meant for it.
    """
    line = sys.argv[1:]
    meant = line[line.index("--") + 1 :] if "--" in line else []
    for name in args:
        if name in backends.load() and name not in meant:
            raise UsageError(
                f"{name} is a backend, and would go to the script; repeat the option: "
                f"--against {name}, or put what the script is to be given after --"
            )


def _script_of(output: Path | None) -> Callable[[Pair, LayerParity], str]:
    """Return what tells where a layer's minimal script lies, as seen from beside the report."""

    def link(pair: Pair, layer: LayerParity) -> str:
        if output is None or not layer.parting or why_none(pair, layer):
            return ""
        return f"{output.stem}-layers/{file_names(pair)[layer.key]}.py"

    return link


def _console(*, stderr: bool = False) -> Console:
    # What a run says is text, never Rich's markup.
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def _own_args(
    script: str | None, module: str | None, args: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Return the script and its arguments: after -m, as with Python's, all are the module's."""
    if module is not None and script is not None:
        return None, (script, *args)
    return script, args


def _engine(console: Console, name: str) -> Engine:
    """Choose the engine, and say which; it is left when the command ends, however it does."""
    chosen, line = select_engine(name)
    console.print(line, soft_wrap=True)
    return click.get_current_context().with_resource(chosen)


def _check_all(
    known: configuration.Config,
    places: list[checking.Place],
    names: tuple[str, ...],
    asked: checking.Options,
) -> list[tuple[str, list[checking.Checked]]]:
    """Check every workload; an --only that one of them has no array for is for the others."""
    results, problem = [], None
    for place in places:
        try:
            found = checking.check(place, _backends(known, place.of, names), asked)
        except UsageError as error:
            problem = error
            continue
        results.append((place.workload, found))
    if not results and problem is not None:
        raise problem
    return results


def _places(
    known: configuration.Config,
    script: str | None,
    module: str | None,
    artifacts: Path | None,
    baselines: Path | None,
) -> list[checking.Place]:
    return [
        checking.Place(workload, artifacts or known.artifacts, baselines or known.baselines)
        for workload in options.workloads(known, script, module)
    ]


def _others(known: configuration.Config, workload: Workload, reference: Backend) -> list[Backend]:
    """Return the backends of the reference's Keras that a workload runs on, but the reference."""
    generation = reference.pins["keras"].partition(".")[0]
    return [
        backend
        for backend in _backends(known, workload, ())
        if backend.name != reference.name and backend.pins["keras"].partition(".")[0] == generation
    ]


def _backends(
    known: configuration.Config, workload: Workload, names: tuple[str, ...]
) -> list[Backend]:
    return known.select(names or workload.backends)


def _only_one(found: list[Workload], command: str) -> list[Workload]:
    if len(found) > 1:
        raise UsageError(f"{command} takes one workload: {', '.join(w.name for w in found)}")
    return found


def _names(places: list[checking.Place]) -> str:
    return ", ".join(place.workload for place in places)
