"""What an interrupt does: Ctrl-C, or another signal that asks a command to end.

While a command is imported nothing is begun, and an exception could get lost in what is imported:
there the process ends at once. Once it works, an interrupt is a KeyboardInterrupt, so that what
was started is ended too. A signal that the caller has ignored, as nohup does, stays ignored.
"""

import os
import signal
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
EXIT_CODE = 130  # errors.ExitCode.INTERRUPTED; that module is imported later
SAID = "keras-repro: interrupted"


def end_at_once() -> None:
    """Have an interrupt end the process at once."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def raise_from_now_on() -> None:
    """Have an interrupt raise KeyboardInterrupt, where it would end the process at once."""
    for number in SIGNALS:
        if signal.getsignal(number) is _end:
            signal.signal(number, signal.default_int_handler)


def _end(_number: int, _frame: FrameType | None) -> None:
    os.write(2, f"{SAID}\n".encode())
    os._exit(EXIT_CODE)
