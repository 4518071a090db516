"""Every way to end badly: one class, one exit code and one line that says what to do next."""

from enum import IntEnum

from keras_repro.recorder import contract


class ExitCode(IntEnum):
    """What the commands exit with; docs/reference/exit-codes.md lists them."""

    OK = 0
    DRIFT = 1
    USAGE = contract.EXIT_USAGE
    MISSING = 3
    RUN_FAILED = contract.EXIT_FAILED
    UNAVAILABLE = 5
    UNREADABLE = 6
    CANNOT_WRITE = contract.EXIT_CANNOT_WRITE
    UNDECIDED = 8
    INTERRUPTED = contract.EXIT_INTERRUPTED


# Where several apply, the gravest is what a command exits with.
GRAVITY = (
    ExitCode.INTERRUPTED,
    ExitCode.USAGE,
    ExitCode.CANNOT_WRITE,
    ExitCode.UNAVAILABLE,
    ExitCode.RUN_FAILED,
    ExitCode.UNREADABLE,
    ExitCode.MISSING,
    ExitCode.UNDECIDED,
    ExitCode.DRIFT,
    ExitCode.OK,
)


def gravest(codes: list[ExitCode]) -> ExitCode:
    """Return the gravest of the codes, ``OK`` where there is none."""
    return min(codes, key=GRAVITY.index, default=ExitCode.OK)


class KerasReproError(Exception):
    """An error that ends the command with one line and its exit code."""

    exit_code = ExitCode.USAGE


class UsageError(KerasReproError):
    """The input is wrong."""


class DriftError(KerasReproError):
    """Numbers differ that must not."""

    exit_code = ExitCode.DRIFT


class MissingError(KerasReproError):
    """A run or a baseline is not there."""

    exit_code = ExitCode.MISSING


class RunFailedError(KerasReproError):
    """The script failed, or its numbers are no good."""

    exit_code = ExitCode.RUN_FAILED


class UnavailableError(KerasReproError):
    """An engine or a backend cannot be used on this machine, or went away."""

    exit_code = ExitCode.UNAVAILABLE


class UnreadableError(KerasReproError):
    """A run or a baseline is damaged, edited, or newer than this keras-repro."""

    exit_code = ExitCode.UNREADABLE


class StoppedError(KerasReproError):
    """The engine was told to stop."""

    exit_code = ExitCode.INTERRUPTED


class CannotWriteError(KerasReproError):
    """A folder cannot be written."""

    exit_code = ExitCode.CANNOT_WRITE


BY_CODE: dict[ExitCode, type[KerasReproError]] = {
    error.exit_code: error
    for error in (
        *(UsageError, DriftError, MissingError, RunFailedError, UnavailableError),
        *(UnreadableError, StoppedError, CannotWriteError),
    )
}
"""The error that ends with an exit code."""
