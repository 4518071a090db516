"""The log of a run: all that a script prints, or its beginning and its end where that is a lot."""

from __future__ import annotations

import os

from keras_repro.recorder.limits import in_words


class Log:
    """Writes to an open file, at most ``limit`` bytes: beyond, the middle is left out.

    The second half of the file is a ring, so that little is kept in memory. ``finish`` puts it in
    order; what is added after that follows.
    """

    def __init__(self, descriptor: int, limit: int) -> None:
        self._file = descriptor
        self._head = limit // 2
        self._ring = limit - self._head
        self._written = 0
        self.left_out = 0

    def write(self, block: bytes) -> None:
        """Take what was printed. Raises OSError."""
        room = max(self._head - self._written, 0)
        self._put(block[:room], self._written)
        rest = block[room:]
        if len(rest) > self._ring:  # all but the last of it would be written over
            skipped = len(rest) - self._ring
            self._written += room + skipped
            rest = rest[skipped:]
        else:
            self._written += len(block) - len(rest)
        while rest:
            place = (self._written - self._head) % self._ring
            part = rest[: self._ring - place]
            self._put(part, self._head + place)
            self._written += len(part)
            rest = rest[len(part) :]

    def finish(self) -> None:
        """Put the end after the beginning, with a line between that says what is left out."""
        beyond = self._written - self._head
        if beyond > self._ring:
            self.left_out = beyond - self._ring
            place = self._head + beyond % self._ring
            end = os.pread(self._file, self._head + self._ring - place, place)
            end += os.pread(self._file, place - self._head, self._head)
            said = "\nkeras-repro: %s are left out here (--log-limit)\n" % in_words(self.left_out)
            self._put(said.encode() + end, self._head)

    def add(self, line: str) -> None:
        """Write a line of the recorder's own at the end, once it is finished. Raises OSError."""
        text = "keras-repro: %s\n" % line
        self._put(text.encode("utf-8", "backslashreplace"), os.fstat(self._file).st_size)

    def _put(self, block: bytes, place: int) -> None:
        while block:
            count = os.pwrite(self._file, block, place)
            block, place = block[count:], place + count
