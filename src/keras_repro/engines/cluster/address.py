"""Where a cluster is, as --engine says it: dask, dask=4 or dask=tls://host:8786."""

import re
from dataclasses import dataclass

from keras_repro.errors import UsageError

NAME = "dask"
EXAMPLES = "dask, dask=4 for so many workers here, or dask=tls://host:8786"
MOST_WORKERS = 256
LOOPBACK = re.compile(r"tcp://(127(\.\d{1,3}){3}|localhost|\[::1\]):\d{1,5}")
ENCRYPTED = re.compile(r"tls://[^\s/?#@]+:\d{1,5}")


@dataclass(frozen=True)
class Address:
    """A scheduler's address; None: ``workers`` are to be started here, one a core unless given."""

    scheduler: str | None = None
    workers: int | None = None


def address_of(text: str) -> Address:
    """Return what follows ``dask`` in the name of an engine.

    Raises:
        UsageError: it is no address, or one over which anybody could read and write.
    """
    what = text.removeprefix(NAME).removeprefix("=")
    if not what and text == NAME:
        return Address()
    if re.fullmatch(r"[0-9]{1,3}", what) and 0 < int(what) <= MOST_WORKERS:
        return Address(workers=int(what))
    if LOOPBACK.fullmatch(what) or ENCRYPTED.fullmatch(what):
        return Address(what)
    if what.startswith("tcp://"):
        raise UsageError(
            f"--engine {text}: whoever reaches a scheduler over plain tcp can run what he likes on "
            "its workers; use tls://, or a scheduler on this machine's loopback"
        )
    raise UsageError(f"--engine {text!r}: write {EXAMPLES}")
