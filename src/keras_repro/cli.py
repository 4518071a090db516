"""The command line: arguments in, exit code out."""

import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from keras_repro import __version__, backends
from keras_repro.backends import lock as locking
from keras_repro.engines.select import NAMES as ENGINE_NAMES
from keras_repro.engines.select import select as select_engine
from keras_repro.errors import (
    CannotWriteError,
    ExitCode,
    KerasReproError,
    UsageError,
    gravest,
)
from keras_repro.recorder import layout
from keras_repro.recorder.__main__ import DEFAULT_SCRIPT
from keras_repro.report import document, markdown, terminal
from keras_repro.report.progress import Display, waiting
from keras_repro.report.text import printable
from keras_repro.studies import accept as accepting
from keras_repro.studies import check as checking
from keras_repro.studies import compare as comparing
from keras_repro.studies import history as remembering
from keras_repro.studies import train as training

SCRIPT = click.argument("script", required=False)


def _seed(_context: click.Context, _parameter: click.Parameter, value: str) -> int:
    try:
        return layout.parse_seed(value)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _tolerance(_context: click.Context, parameter: click.Parameter, value: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(f"--{parameter.name} {value!r} is not a number from 0 on")
    return number


def _comparison_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what check and compare have in common."""
    for option in (
        click.option(
            "--format",
            "form",
            type=click.Choice(["text", "json", "markdown"]),
            default="text",
            show_default=True,
        ),
        ONLY,
        click.option("--atol", metavar="X", callback=_tolerance, help="Instead of what is stored."),
        click.option("--rtol", metavar="X", callback=_tolerance, help="Instead of what is stored."),
    ):
        command = option(command)
    return command


ONLY = click.option(
    "--only", multiple=True, metavar="PATTERN", help="Only these arrays: 'weights/*'; repeatable."
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
    default="artifacts",
    show_default=True,
    help="Where the runs are kept.",
)
BASELINES = click.option(
    "--baselines",
    type=click.Path(path_type=Path),
    default="baselines",
    show_default=True,
    help="Where the baselines are kept.",
)


@click.group(context_settings={"auto_envvar_prefix": "KERAS_REPRO", "max_content_width": 80})
@click.version_option(__version__, prog_name="keras-repro")
def cli() -> None:
    """Run a Keras script, seeded, on every backend, and say which numbers changed.

    SCRIPT is a plain Keras script; without it, the regression that comes with keras-repro.

    Exit codes: 0 all well, 1 drift, 2 wrong usage, 3 a run or baseline is missing, 4 a run
    failed, 5 an engine or backend is unavailable, 6 a run or baseline is damaged or too new,
    7 cannot write, 130 interrupted.
    """


@cli.command()
@BACKEND
@click.option(
    "--seed",
    default=str(layout.DEFAULT_SEED),
    show_default=True,
    metavar="N",
    callback=_seed,
    help=f"From 0 to {layout.MAX_SEED}.",
)
@click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    default=1,
    show_default=True,
    help="Threads each library may use: part of what makes the numbers.",
)
@ENGINE
@ARTIFACTS
@click.option(
    "--if-needed", is_flag=True, help="Leave out what is up to date: script, seed, lock, image."
)
@SCRIPT
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def train(
    names: tuple[str, ...],
    seed: int,
    threads: int,
    engine: str,
    artifacts: Path,
    if_needed: bool,
    script: str | None,
    args: tuple[str, ...],
) -> ExitCode:
    """Train SCRIPT on every backend and keep its numbers.

    ARGS, after --, are handed to the script.
    """
    plan = training.Plan(
        script=None if script is None else _readable(script),
        args=args,
        backends=backends.select(names),
        seed=seed,
        threads=threads,
        artifacts=artifacts.absolute(),
        if_needed=if_needed,
    )
    console = _console()
    chosen, line = select_engine(engine)
    console.print(line, soft_wrap=True)
    with Display(console) as display:
        results = training.train(plan, chosen, display.show)
    terminal.print_trained(console, results)
    return gravest([result.exit_code for result in results])


@cli.command()
@SCRIPT
@BACKEND
@ARTIFACTS
@BASELINES
@click.option("--exact", is_flag=True, help="Ask for the same bits, whatever the tolerances.")
@_comparison_options
def check(
    script: str | None,
    names: tuple[str, ...],
    artifacts: Path,
    baselines: Path,
    exact: bool,
    rtol: float | None,
    atol: float | None,
    only: tuple[str, ...],
    form: str,
) -> ExitCode:
    """Compare the runs of SCRIPT with their baselines."""
    place = _place(script, artifacts, baselines)
    options = checking.Options(exact, rtol, atol, only)
    with waiting("comparing"):
        results = checking.check(place, backends.select(names), options)
    code = gravest([result.exit_code for result in results])
    if form == "json":
        click.echo(document.check_document(place.workload, results, code))
    elif form == "markdown":
        click.echo(markdown.checked(place.workload, results))
    else:
        terminal.print_checked(_console(), results)
    return code


@cli.command()
@click.argument("run_a", type=click.Path(path_type=Path))
@click.argument("run_b", type=click.Path(path_type=Path))
@_comparison_options
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
    options = checking.Options(rtol=rtol, atol=atol, only=only)
    with waiting("comparing"):
        result = comparing.compare_folders(run_a, run_b, options)
    if form == "json":
        click.echo(document.compare_document(result))
    elif form == "markdown":
        click.echo(markdown.compared(result))
    else:
        terminal.print_compared(_console(), result)
    return result.exit_code


@cli.command()
@SCRIPT
@click.option("--reason", metavar="TEXT", help="Why the numbers are to change; kept with them.")
@BACKEND
@ONLY
@ARTIFACTS
@BASELINES
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(
    script: str | None,
    reason: str | None,
    names: tuple[str, ...],
    only: tuple[str, ...],
    artifacts: Path,
    baselines: Path,
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
    place = _place(script, artifacts, baselines)
    with waiting("comparing"):
        proposals = [accepting.propose(place, backend, only) for backend in backends.select(names)]
    for proposal in proposals:
        terminal.print_proposal(console, proposal)
    if not yes and not click.confirm(f"Make these the baselines in {place.baselines}?"):
        raise UsageError("nothing was accepted")
    for proposal in proposals:
        accepting.accept(place, proposal, (reason or "").strip())
        console.print(f"accepted {place.baseline(proposal.backend)}", soft_wrap=True)
    return ExitCode.OK


@cli.command()
@SCRIPT
@BACKEND
@BASELINES
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also draw the final costs into FILE (.svg, .png or .pdf).",
)
def history(
    script: str | None, names: tuple[str, ...], baselines: Path, plot: Path | None
) -> ExitCode:
    """Print how the baselines of SCRIPT came to be: when, why, and what changed."""
    place = _place(script, Path(), baselines)
    entries = remembering.history(place, backends.select(names))
    terminal.print_history(_console(), entries)
    if plot is not None:
        from keras_repro.report import html  # noqa: PLC0415 - matplotlib takes its time

        html.write_history_plot(plot, entries)
        click.echo(f"wrote {plot}")
    return ExitCode.OK


@cli.command()
@SCRIPT
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
def report(
    script: str | None,
    names: tuple[str, ...],
    artifacts: Path,
    baselines: Path,
    output: Path,
) -> ExitCode:
    """Draw the runs of SCRIPT beside their baselines, as one HTML file.

    It is written whatever the verdicts are: `keras-repro check` judges by its exit code.
    """
    place = _place(script, artifacts, baselines)
    from keras_repro.report import html  # noqa: PLC0415 - matplotlib takes its time

    with waiting("comparing and drawing"):
        results = checking.check(place, backends.select(names))
        html.write_report(output, place.workload, results)
    click.echo(f"wrote {output}")
    return ExitCode.OK


@cli.command("backends")
@ENGINE
def list_backends(engine: str) -> ExitCode:
    """List the backends, what each is pinned to and whether this machine can run it."""
    console = _console()
    chosen, line = select_engine(engine)
    console.print(line, soft_wrap=True)
    rows = [(backend, chosen.availability(backend)) for backend in backends.load().values()]
    console.print(terminal.backends_table(rows))
    return ExitCode.OK


@cli.command()
@BACKEND
def lock(names: tuple[str, ...]) -> ExitCode:
    """Write each backend's requirements.txt anew from its requirements.in."""
    for backend in backends.select(names):
        click.echo(f"locking {backend.name}")
        locking.lock(backend)
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


def _console() -> Console:
    # What a run says is text, never Rich's markup.
    return Console(markup=False, emoji=False, highlight=False)


def _readable(script: str) -> Path:
    """Return the script's absolute path, or raise UsageError where it cannot be read."""
    path = Path(script)
    try:
        if path.is_dir():
            raise UsageError(f"{script} is a folder; name a Python script")
        path.open("rb").close()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read the script {script}: {why.lower()}") from None
    return path.parent.resolve() / path.name


def _place(script: str | None, artifacts: Path, baselines: Path) -> checking.Place:
    path = Path(DEFAULT_SCRIPT) if script is None else _readable(script)
    workload = layout.workload_name(str(path))
    return checking.Place(workload, path, script or "", artifacts, baselines)
