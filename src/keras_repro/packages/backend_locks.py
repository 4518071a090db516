"""Write a backend's own lock: its requirements.txt from its requirements.in."""

from keras_repro.atomic import write_whole
from keras_repro.backends import Backend
from keras_repro.errors import UnavailableError
from keras_repro.packages.compile import compile_lock
from keras_repro.packages.uv import UvError


def write(backend: Backend) -> None:
    """Resolve and write the lock; what is locked already stays as far as it can.

    Raises:
        UnavailableError: uv finds no set of packages; what was there stands as it was.
        CannotWriteError: the lock cannot be written.
    """
    lines = (backend.folder / "requirements.in").read_text(encoding="utf-8").splitlines()
    try:
        text = compile_lock(backend, lines, preferred=backend.lock, annotate=True)
    except UvError as error:
        raise UnavailableError(f"cannot lock {backend.name}: {error.readable}") from None
    write_whole(backend.requirements, text.encode())
