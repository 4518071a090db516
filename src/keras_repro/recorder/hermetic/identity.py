"""Who and where the script is: the machine's name, the process' number, the user's name."""

from __future__ import annotations

import builtins
import contextlib
import functools
import io
import os
import platform
import socket
import uuid
from typing import Any, Callable, Dict

from keras_repro.recorder.hermetic import callers
from keras_repro.recorder.hermetic.callers import SCRIPT, number
from keras_repro.recorder.hermetic.environment import HERMETIC_HOST
from keras_repro.recorder.hermetic.stand_in import put

FIRST_FREE = (1 << 22) + 1  # no system has processes of such numbers: PID_MAX_LIMIT of Linux
SPAN = 1 << 20
# Functions of os that take a process' number, and as which argument.
TAKING = {
    **dict.fromkeys(("kill", "killpg", "getpgid", "getsid", "setpgid", "pidfd_open"), 0),
    **dict.fromkeys(("waitpid", "wait4", "sched_getaffinity", "sched_setaffinity"), 0),
    **dict.fromkeys(("sched_getscheduler", "sched_setscheduler", "sched_getparam"), 0),
    **dict.fromkeys(("sched_setparam", "sched_rr_get_interval"), 0),
    **dict.fromkeys(("getpriority", "setpriority"), 1),
}


def install_host(name: str) -> None:
    """Call the machine by another name, which still leads to itself.

    Libraries are told the real one: by it they find out whether who holds a lock is alive.
    """
    real_name = socket.gethostname()
    for module, function, told in (
        (socket, "gethostname", lambda _: name),
        (platform, "node", lambda _: name),
        (platform, "uname", lambda found: found._replace(node=name)),
        (os, "uname", lambda found: os.uname_result((found[0], name) + tuple(found)[2:])),
    ):
        put(module, function, _told(getattr(module, function), told))
    real_full = socket.getfqdn

    def full(host: str = "") -> str:
        is_own = host in ("", "0.0.0.0", "::", name)  # noqa: S104 - compared
        return name if is_own and callers.caller() is SCRIPT else real_full(host)

    put(socket, "getfqdn", full)
    for looking_up in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        _translate_host(looking_up, name, real_name)


def _told(real: Callable[[], Any], told: Callable[[Any], Any]) -> Callable[[], Any]:
    """Return what tells the script ``told`` of what the function returns."""

    def ask() -> Any:
        found = real()
        return told(found) if callers.caller() is SCRIPT else found

    return ask


def _translate_host(function: str, name: str, real_name: str) -> None:
    if name in (HERMETIC_HOST, real_name):
        return
    real = getattr(socket, function)

    @functools.wraps(real)
    def call(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real(real_name if host in (name, name.encode()) else host, *args, **kwargs)

    setattr(socket, function, call)


class Numbers:
    """The numbers by which the script knows its process and the one above: no process has them.

    Libraries are told the real ones, since they hand them to the system; processes that the script
    forks have their real ones, for their parent is told those.
    """

    def __init__(self, seed: int) -> None:
        own, above = (number(SPAN, seed, "process", i) for i in (0, 1))
        above += above == own
        numbers = {os.getpid(): FIRST_FREE + own, os.getppid(): FIRST_FREE + above}
        self._told = numbers
        self._real: Dict[Any, int] = {told: real for real, told in numbers.items()}
        self._own = FIRST_FREE + own

    def install(self) -> None:
        """Tell them from now on, and understand them wherever the script hands them on."""
        for name in ("getpid", "getppid"):
            put(os, name, _told(getattr(os, name), lambda found: self._told.get(found, found)))
        for name, place in TAKING.items():
            if hasattr(os, name):
                put(os, name, self._taking(getattr(os, name), place))
        real_open, prefix = builtins.open, "/proc/%d/" % self._own

        @functools.wraps(real_open)
        def call(file: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(file, str) and file.startswith(prefix):
                file = "/proc/self/" + file[len(prefix) :]
            return real_open(file, *args, **kwargs)

        builtins.open = io.open = call

    def _taking(self, real: Callable[..., Any], place: int) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            given = list(args)
            if len(given) > place:
                given[place] = self.real(given[place])
            return real(*given, **{name: self.real(value) for name, value in kwargs.items()})

        return call

    def real(self, value: Any) -> Any:
        """Return the real number of a process for the one that the script knows it by."""
        return self._real.get(value, value) if isinstance(value, int) else value

    def watch_psutil(self, psutil: Any) -> None:
        """Let psutil understand the numbers too."""
        with contextlib.suppress(AttributeError):
            begin, exists = psutil.Process.__init__, psutil.pid_exists

            @functools.wraps(begin)
            def call(process: Any, pid: Any = None, *args: Any, **kwargs: Any) -> None:
                begin(process, self.real(pid), *args, **kwargs)

            psutil.Process.__init__ = call
            psutil.pid_exists = functools.wraps(exists)(lambda pid: exists(self.real(pid)))


def install_node(seed: int) -> None:
    """Have ``uuid.getnode`` tell no network card's address, but one that is marked as none."""
    uuid._node = number(1 << 48, seed, "node") | 1 << 40  # type: ignore[attr-defined]


def install_user(name: str) -> None:
    """Call the user by another name; ``USER`` and the like are the environment's."""
    import pwd  # noqa: PLC0415 - no system but Unix has it

    real_by_number, real_by_name, own = pwd.getpwuid, pwd.getpwnam, os.getuid()

    def entry(found: Any) -> Any:
        return pwd.struct_passwd((name,) + tuple(found)[1:])

    def by_number(uid: int) -> Any:
        return entry(real_by_number(uid)) if uid == own else real_by_number(uid)

    def by_name(asked: str) -> Any:
        return entry(real_by_number(own)) if asked == name else real_by_name(asked)

    put(pwd, "getpwuid", by_number)
    put(pwd, "getpwnam", by_name)
    put(os, "getlogin", lambda: name)
