"""Compile requirements into a lock, with uv. Every lock of keras-repro comes from here."""

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from keras_repro.atomic import temporary
from keras_repro.backends import Backend
from keras_repro.packages import platforms
from keras_repro.packages.uv import BUILD_CONSTRAINTS, UvError, uv


def compile_lock(
    backend: Backend,
    requirements: Iterable[str],
    files: Iterable[Path] = (),
    *,
    constraints: str = "",
    preferred: str = "",
    left_out: Iterable[str] = (),
    annotate: bool = False,
    options: Iterable[str] = (),
) -> str:
    """Return the lock of some requirements, for a backend's Python and platform.

    It has every file's hash, and no index's address. ``requirements`` are lines, and ``files``
    hold more of them. ``constraints`` is the text of a lock that must hold, and ``preferred`` of
    one that holds as far as it can. Packages of ``left_out`` are resolved, but not written.
    ``annotate`` writes what asks for what. ``options`` are more of uv's own.

    Raises:
        UvError: uv finds no set of packages. Its text says "the requirements" and "the lock" for
            the files that uv was given.
        CannotWriteError: its temporary files cannot be written.
    """
    with temporary("resolve packages"), tempfile.TemporaryDirectory() as folder:
        lines, held, output = (Path(folder, name) for name in ("requirements", "held", "lock.txt"))
        lines.write_text("\n".join(requirements), encoding="utf-8")
        held.write_text(constraints, encoding="utf-8")
        if preferred:
            output.write_text(preferred, encoding="utf-8")  # uv keeps what stands there
        command = ["pip", "compile", "--quiet", "--no-header", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-emit-find-links"]
        command += [] if annotate else ["--no-annotate"]
        command += ["--python-version", backend.python]
        command += ["--python-platform", platforms.uv_name(backend.platform)]
        command += ["--build-constraints", str(BUILD_CONSTRAINTS), "--constraints", str(held)]
        for name in left_out:
            command += ["--no-emit-package", name]
        command += [*options, "--output-file", str(output), *map(str, files), str(lines)]
        try:
            uv(*command)
        except UvError as error:
            text = error.text.replace(str(lines), "the requirements").replace(str(held), "the lock")
            raise UvError(text) from None
        text = output.read_text(encoding="utf-8").replace(str(lines), "requirements.in")
        return _without(str(held), text)


def _without(constraints: str, text: str) -> str:
    """Return a lock that does not say which of its packages a file of ``constraints`` held."""
    text = re.sub(rf"^ +# +-c {re.escape(constraints)}\n", "", text, flags=re.MULTILINE)
    # What is left alone goes behind "via", as uv writes it.
    return re.sub(r"# via\n +# +(\S.*\n)(?! +# )", r"# via \1", text)
