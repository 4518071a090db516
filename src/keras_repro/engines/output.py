"""Follow a process's output, and find in it what the recorder says of an error."""

import subprocess

from keras_repro.engines import Say

TAIL = 8192  # bytes kept
LONGEST_LINE = 1 << 16
MARK = "keras-repro: "


def follow(process: "subprocess.Popen[bytes]", on_line: Say) -> str:
    """Read a process's output to its end, and close it; return the last of it."""
    assert process.stdout is not None
    tail = b""
    with process.stdout:
        # In parts: a line need not end.
        for line in iter(lambda: process.stdout.readline(LONGEST_LINE), b""):  # type: ignore[union-attr]
            tail = (tail + line)[-TAIL:]
            on_line(line.decode("utf-8", "replace").strip())
    return tail.decode("utf-8", "replace")


def complaint(tail: str) -> str:
    """Return the recorder's last line about an error, without its mark; else the last line."""
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    said = [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]
    return (said or lines or [""])[-1]
