"""Documents and open files between the supervisor and the process that forks for it."""

from __future__ import annotations

import array
import json
import socket
from typing import Any, Dict, List, Optional, Sequence, Tuple

LONGEST = 8 << 20
BLOCK = 1 << 16
MOST_FILES = 8


def send(channel: socket.socket, document: Dict[str, Any], files: Sequence[int] = ()) -> None:
    """Send a document, and descriptors with it. Raises OSError."""
    data = json.dumps(document).encode() + b"\n"
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
    sent = channel.sendmsg([data[:BLOCK]], rights)
    channel.sendall(data[sent:])


def receive(channel: socket.socket) -> Optional[Tuple[Dict[str, Any], List[int]]]:
    """Return a document and the descriptors that came with it; None where the other end is closed.

    One is sent at a time, and answered before the next.

    Raises:
        OSError: nothing comes in time.
        ValueError: it is no document.
    """
    data, files = b"", array.array("i")
    while not data.endswith(b"\n"):
        if len(data) > LONGEST:
            raise ValueError("a document without an end")
        part, rights, _, _ = channel.recvmsg(BLOCK, socket.CMSG_SPACE(MOST_FILES * files.itemsize))
        for level, kind, value in rights:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                files.frombytes(value[: len(value) - len(value) % files.itemsize])
        if not part:
            return None
        data += part
    document = json.loads(data.decode())
    if not isinstance(document, dict):
        raise ValueError("not a document")
    return document, list(files)
