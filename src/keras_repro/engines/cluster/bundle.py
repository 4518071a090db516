"""Folders as bytes, and bytes as folders: no link is taken along, and none is followed."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from keras_repro.errors import UnreadableError, UsageError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files are the same bytes
MOST_SENT = 256 << 20  # of a script's folder, or of its data
MOST_RECEIVED = 4 << 30  # of a run
MOST_FILES = 100_000
# What zipfile raises where the bytes are not what it wrote.
DAMAGED = (
    *(zipfile.BadZipFile, struct.error, EOFError, LookupError, NotImplementedError, RuntimeError),
    *(OverflowError, ValueError),
)


def pack(folder: Path, most: int = MOST_RECEIVED, left_out: frozenset[str] = frozenset()) -> bytes:
    """Return the regular files below a folder as an archive: the same bytes for the same files.

    Of a file, an archive of that alone. Folders of the names ``left_out`` are left out, and where
    there are any, so is what begins with a dot.

    Raises:
        UsageError: they are more than ``most`` bytes.
        OSError: one cannot be read.
    """
    target, size = io.BytesIO(), 0
    top = folder.parent if folder.is_file() else folder
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path, state in _files(folder, left_out):
            size += state.st_size
            if size > most:
                raise UsageError(
                    f"{folder} holds more than {most >> 20} MB, which is what is sent to a worker; "
                    "put elsewhere what the script does not read"
                )
            entry = zipfile.ZipInfo(path.relative_to(top).as_posix(), EPOCH)
            entry.external_attr = (stat.S_IFREG | (stat.S_IMODE(state.st_mode) & 0o755)) << 16
            archive.writestr(entry, path.read_bytes())
    return target.getvalue()


def _files(folder: Path, left_out: frozenset[str]) -> Iterator[tuple[Path, os.stat_result]]:
    if folder.is_file():
        yield folder, folder.stat()
    for place, folders, names in os.walk(folder):
        hidden = "." if left_out else "\0"
        folders[:] = sorted(n for n in folders if n not in left_out and not n.startswith(hidden))
        for name in sorted(names):
            path = Path(place, name)
            state = path.lstat()
            if stat.S_ISREG(state.st_mode) and not name.startswith(hidden):
                yield path, state


def unpack(content: bytes, folder: Path, below: str = "", most: int = MOST_RECEIVED) -> None:
    """Write the files of an archive, or of one folder in it, into ``folder``, where there are none.

    Raises:
        UnreadableError: it is damaged, too large, compressed, or names what lies elsewhere.
        OSError: a file cannot be written.
    """
    start = f"{below}/" if below else ""
    with _opened(content, most) as archive:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in archive.infolist():
            if not entry.filename.startswith(start):
                continue
            path = folder / entry.filename.removeprefix(start)
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = 0o755 if entry.external_attr >> 16 & 0o100 else 0o644
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(path, flags, mode), "wb") as file:
                file.write(archive.read(entry))


def member(content: bytes, name: str, most: int) -> bytes | None:
    """Return one file of an archive, None where it is not there. Raises UnreadableError."""
    with _opened(content, MOST_RECEIVED) as archive:
        if name not in archive.namelist():
            return None
        if archive.getinfo(name).file_size > most:
            raise UnreadableError(f"what was sent is too large: {name}")
        return archive.read(name)


@contextmanager
def _opened(content: bytes, most: int) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive.infolist(), most)
            yield archive
    except DAMAGED as error:
        raise UnreadableError(f"what was sent is damaged: {error}") from None


def _check(entries: list[zipfile.ZipInfo], most: int) -> None:
    if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > most:
        raise UnreadableError(f"what was sent is more than {most >> 20} MB, or too many files")
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise UnreadableError("what was sent holds a file twice")
    for entry in entries:
        name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
        path = PurePosixPath(name)
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise UnreadableError(f"what was sent is compressed: {name!r}")
        if path.is_absolute() or str(path) != name or ".." in path.parts or not path.name:
            raise UnreadableError(f"what was sent names what lies elsewhere: {name!r}")
        if kind not in (0, stat.S_IFREG):
            raise UnreadableError(f"what was sent holds what is no file: {name!r}")
