"""A socket between Docker's commands and its engine, which goes dead at a chosen moment."""

import re
import socket
import threading
from contextlib import suppress
from pathlib import Path

LARGEST = 1 << 16


class Proxy:
    """Forwards connections, until so many bytes or seconds after a request that ``mark`` finds.

    Then all of them are closed, and no new one is taken. A context manager. ``fired`` says whether
    that came to pass.
    """

    def __init__(self, place: Path, engine: Path, mark: bytes, after: int | float) -> None:
        self._engine, self._mark, self._after = engine, re.compile(mark), after
        self._passed: int | None = None  # bytes since the mark
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self.fired = False
        self._place = place
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(place))
        self._listener.listen(64)
        self._timer: threading.Timer | None = None

    @property
    def host(self) -> str:
        return f"unix://{self._place}"

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._close()

    def cut(self) -> None:
        """Close everything, as an engine that is gone does."""
        with self._lock:
            if not self.fired:
                self.fired = True
                self._place.unlink(missing_ok=True)
        self._close()

    def _close(self) -> None:
        for each in (self._listener, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            try:
                engine.connect(str(self._engine))
            except OSError:
                caller.close()
                continue
            with self._lock:
                self._open += [caller, engine]
            for pair in ((caller, engine), (engine, caller)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(LARGEST):
                self._count(data)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)  # the other half may still have something to say

    def _count(self, data: bytes) -> None:
        with self._lock:
            if self._passed is None and self._mark.search(data):
                self._passed = 0
                if isinstance(self._after, float):
                    self._timer = threading.Timer(self._after, self.cut)
                    self._timer.start()
            if self._passed is None or isinstance(self._after, float):
                return
            self._passed += len(data)
            over = self._passed >= self._after
        if over:
            self.cut()
