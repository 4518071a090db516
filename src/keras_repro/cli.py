"""The command line: one file of ``commands/`` is one command, imported when it is used."""

import ast
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from keras_repro import __version__, commands, interrupts
from keras_repro.errors import CannotWriteError, ExitCode, KerasReproError

FOLDER = Path(commands.__file__).parent
ENVIRONMENT = "KERAS_REPRO"  # what the names of variables begin with


class Commands(click.Group):
    """A group whose commands are the files that hold a function of their own name.

    To list them, that function's docstring is read from the file's text: importing every command
    takes many times as long.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own
        """Return the commands' names, sorted."""
        return sorted(path.stem for path in FOLDER.glob("*.py") if _docstring(path.stem))

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's own
        cmd_name: str,
    ) -> click.Command | None:
        """Import a command's file; return the command, None where there is no such file."""
        if not _docstring(cmd_name):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name}")
        interrupts.raise_from_now_on()
        command: click.Command = getattr(module, cmd_name)
        _name_variables(command, f"{ENVIRONMENT}_{cmd_name.upper()}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, as click does, without importing them."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))
        rows = [(name, click.Command(name, help=_docstring(name))) for name in names]
        with formatter.section("Commands"):
            formatter.write_dl([(name, stub.get_short_help_str(room)) for name, stub in rows])


def _name_variables(command: click.Command, prefix: str) -> None:
    """Have each option read from the variable called like it, KERAS_REPRO_CHECK_BACKEND say.

    click alone would go by the name in Python, which goes on to work.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None and option.allow_from_autoenv:
            names = [opt.strip("-") for opt in option.opts if opt.startswith("--")]
            names += ["variables"] if option.name == "environment" else []  # its name until 0.1.0
            option.envvar = [f"{prefix}_{name.replace('-', '_').upper()}" for name in names]
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _name_variables(inner, prefix)


def _docstring(command: str) -> str | None:
    """Return the help of a command; None where no file of ``commands/`` is this command."""
    path = FOLDER / f"{command}.py"
    if not command.isidentifier() or not path.is_file():
        return None
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == command:
            return ast.get_docstring(node)
    return None


@click.group(
    cls=Commands,
    context_settings={"auto_envvar_prefix": ENVIRONMENT, "max_content_width": 80},
)
# KERAS_REPRO_VERSION is what Compose labels an image with.
@click.version_option(__version__, prog_name="keras-repro", allow_from_autoenv=False)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read FILE, not the nearest keras-repro.toml or [tool.keras-repro] in pyproject.toml.",
)
@click.pass_context
def cli(context: click.Context, config_file: Path | None) -> None:
    """Run a Keras script, seeded, on every backend, and say which numbers changed.

    SCRIPT is a plain Keras script, or the name of a workload. Without SCRIPT, a command takes
    every workload of the configuration; without a configuration, it takes the regression that
    comes with keras-repro.

    Exit codes: 0 all well, 1 drift (numbers differ), 2 wrong usage, 3 a run or baseline is
    missing, 4 a run failed, 5 an engine or backend is unavailable, 6 a run or baseline is damaged
    or too new, 7 a file cannot be written, 8 so few seeds cannot tell, 130 interrupted.
    """
    context.obj = config_file


def main() -> None:
    """Run the command line; every error is one line and its exit code."""
    interrupts.end_at_once()
    code = _guarded(lambda: cli.main(standalone_mode=False))
    interrupts.end_at_once()  # all is done but Python's own end, which an exception would spoil
    sys.exit(code)


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
        click.echo(interrupts.SAID, err=True)
        return ExitCode.INTERRUPTED
    except SystemExit:
        if type(sys.stdout).__name__.endswith("PacifyFlushWrapper"):  # of a broken pipe
            return ExitCode.CANNOT_WRITE
        raise
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.CANNOT_WRITE
    except OSError as error:
        problem = CannotWriteError(f"{error.filename or 'output'}: {error.strerror or error}")
        return _complain(str(problem), problem.exit_code)
    return int(code or 0)


def _complain(message: str, code: ExitCode) -> int:
    from keras_repro.report.text import printable  # noqa: PLC0415 - it imports NumPy

    click.echo("keras-repro: " + printable(message), err=True)
    return int(code)
