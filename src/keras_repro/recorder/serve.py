"""Make one run after another of a script, each from another seed: alone, or in a fork.

What to run comes as a line of JSON through the standard input: a seed, a run folder, and whether
it is to be a process of its own. How it ended goes to the standard error, as one line, after what
else there is to say.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from types import TracebackType
from typing import Any, Optional, Type

from keras_repro.recorder import caches, contract, left, removal, working_copy
from keras_repro.recorder.child import Child
from keras_repro.recorder.forks import Forks, Known, NotForkedError
from keras_repro.recorder.request import Request
from keras_repro.recorder.scratch import scratch
from keras_repro.recorder.supervise import Alone, Interrupted, run, tell, watch_signals

PLACE = "run"  # the same path for every run: what was imported beforehand may know it
COMPILED, MOST_COMPILED = "compiled", 256 << 20  # what JAX compiled, in bytes


def serve(request: Request) -> int:
    """Make the runs that are asked for, until nobody asks; return an exit code."""
    try:
        watch_signals()
        with Shared(request) as shared:
            for line in iter(sys.stdin.buffer.readline, b""):
                asked = json.loads(line.decode())
                conditions = request.conditions.having(seed=asked["seed"])
                shared.asks_for_fork(not asked["alone"])
                status = run(request._replace(out=asked["out"], conditions=conditions), shared)
                ended = {contract.ENDED: status, "out": asked["out"]}
                print(json.dumps(ended), file=sys.stderr, flush=True)
                if status == contract.EXIT_INTERRUPTED:
                    return status
                watch_signals()
    except Interrupted:
        return contract.EXIT_INTERRUPTED
    except OSError as error:
        tell("cannot make a folder for the script: %s" % (error.strerror or error))
        return contract.EXIT_CANNOT_WRITE
    return 0


class Shared(Alone):
    """What the runs of one recorder share: a place, a cache, and the process that forks."""

    tells_imports = True

    def __init__(self, request: Request) -> None:
        self._request = request
        self._known: Optional[Known] = None
        self._forks: Optional[Forks] = None
        self._files = contextlib.ExitStack()
        self._cache: Optional[caches.Cache] = None
        self._good = False

    def __enter__(self) -> Shared:
        self._scratch = self._files.enter_context(scratch())
        os.chmod(self._scratch, 0o755)  # noqa: S103 - the script's user passes through it
        self._cache = caches.prepare(self._request)
        self._compiled = os.path.join(self._scratch, COMPILED)
        self._empty_compiled()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        where: Optional[TracebackType],
    ) -> None:
        """End the process that forks; keep what was compiled, and remove the place."""
        self._end_forks()
        if self._cache is not None and self._good:
            caches.keep(self._cache)
        self._files.close()

    def asks_for_fork(self, asked: bool) -> None:
        """Have the next run made in a fork, or alone: the first always, which tells its imports."""
        self.forking = asked and self._good

    @contextlib.contextmanager
    def place(self) -> Any:
        """Give an empty folder, always of the same path."""
        folder = os.path.join(self._scratch, PLACE)
        removal.remove(folder)
        left.clean(self._request.run_as)
        os.mkdir(folder)
        try:
            yield folder
        finally:
            with contextlib.suppress(OSError):
                removal.remove(folder)
            if _bytes_in(self._compiled) > MOST_COMPILED:
                self._empty_compiled()

    def _empty_compiled(self) -> None:
        removal.remove(self._compiled)
        os.mkdir(self._compiled)
        if self._request.run_as is not None:
            os.chown(self._compiled, *self._request.run_as)

    def cache(self, request: Request) -> Optional[caches.Cache]:
        """Return None: there is one for all runs, which is kept at the end."""

    def forks_for(self, request: Request, place: working_copy.Work) -> Optional[Forks]:
        """Return the process that forks, which begins with the first run that is to be forked.

        Raises:
            NotForkedError: there can be none.
        """
        if self.forking and self._known is None:
            raise NotForkedError("it does not tell what it imports, or a variable is too long")
        if self.forking and self._forks is None and self._known is not None:
            self._forks = Forks(request, place, self._known, self._compiled)
            self.has_forks = True
        return self._forks

    def ended(self, child: Child, good: bool) -> None:
        """Take note of how a run ended, and of what it imported.

        Raises:
            NotForkedError: it was not what it would have been alone.
        """
        self._good = self._good or good
        if "not_forked" in child.said:
            raise NotForkedError(child.said["not_forked"])
        if good and "imports" in child.said:
            self._known = Known(child.said["imports"], child.said.get("variables", {}))

    def _end_forks(self) -> None:
        if self._forks is not None:
            self._forks.end()
            self._forks = None


def _bytes_in(folder: str) -> int:
    """Return how large the files of a folder are; of another user's, which may change meanwhile."""
    size = 0
    with contextlib.suppress(OSError), removal.opened(folder) as place:
        for name in os.listdir(place):
            with contextlib.suppress(OSError):
                size += os.lstat(name, dir_fd=place).st_size
    return size
