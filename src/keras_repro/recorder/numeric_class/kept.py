"""The numeric class of a run: computed once, and kept where no script can write.

In a container that is the kept cache, whose folder is closed to the script's user; locally it is
the harness' own cache. Where there is neither, there is no class. Whatever goes wrong with it is
said, and never ends a run.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tempfile
import time
from typing import Any, Callable, Dict, Mapping, Optional

from keras_repro.recorder import portable
from keras_repro.recorder.numeric_class import environment
from keras_repro.recorder.numeric_class.computed import DIGEST, NAME, compute, digest_of
from keras_repro.recorder.request import Request

FOLDER = "numeric-class"
COMPILED = "warm-class"  # beside an image's caches: what Theano compiled for the kernels
LONGEST = 1 << 17
EMULATED_SECONDS = 900.0  # ten to twenty times as long as on a processor
# Of what failed: a machine may have been busy. After that a try a day, for a broken one stays so.
MOST_TRIES, DAY_SECONDS = 3, 86400
# Of what CPUID tells, those facts that a run keeps.
PROCESSOR = ("vendor", "name", "family", "model", "stepping", "instruction_sets", "caches")


def numeric_class(request: Request, on_compute: Callable[[], None]) -> Optional[Dict[str, Any]]:
    """Return what ``run.json`` says of the class; None where nobody is to compute one.

    ``on_compute`` is called first where it is not known yet, which takes seconds.
    """
    folder = _folder()
    if folder is None or request.keras_backend is None:
        return None
    try:
        return _known(folder, request, on_compute)
    except Exception as error:  # an error of ours ends no run
        problem = " ".join(("%s: %s" % (type(error).__name__, error)).split())
        return {"digest": None, "kernels": {}, "problem": problem[:300]}


def _folder() -> Optional[str]:
    """Return where classes are kept, or None where none is to be computed."""
    given = os.environ.get("KERAS_REPRO_CLASS_CACHE")
    if given:
        return given
    kept, compiled = os.environ.get("KERAS_REPRO_KEPT_CACHE"), compiled_folder()
    # An image with other packages, for one trial or two, has no such folder.
    return os.path.join(kept, FOLDER) if kept and compiled and os.path.isdir(compiled) else None


def compiled_folder() -> Optional[str]:
    """Return where an image has what Theano compiled for the kernels; None outside of images."""
    image = os.environ.get("KERAS_REPRO_IMAGE_CACHE")
    return os.path.join(os.path.dirname(image), COMPILED) if image else None


def _known(folder: str, request: Request, on_compute: Callable[[], None]) -> Dict[str, Any]:
    conditions = request.conditions
    own = portable.environment(os.environ, conditions.environment, request.portable)
    variables = environment.variables(conditions.threads, own)
    assert request.keras_backend is not None
    emulated = request.processor
    processor = environment.processor() if emulated is None else emulated.cpuid
    of = environment.identity(request.keras_backend, conditions.threads, variables, processor)
    if emulated is not None:  # which computes otherwise than such a processor may
        of["emulator"] = [emulated.qemu, *emulated.command[1:]]
    path = os.path.join(folder, environment.key(of) + ".json")
    entry = _read(path)
    if entry is None or (entry["class"]["digest"] is None and _is_due(entry, path)):
        tries = 0 if entry is None else entry["tries"]
        on_compute()
        compiled = compiled_folder()
        if request.keras_backend == "theano" and compiled is None:
            variables = _compiling_apart(variables, folder, of)
        found = compute(
            request.keras_backend,
            conditions.threads,
            variables,
            request.run_as,
            compiled,
            *(() if emulated is None else (EMULATED_SECONDS, emulated.command)),
        )
        entry = {"class": found, "tries": tries + 1, "of": of}
        with contextlib.suppress(OSError):  # it is computed again, then
            _write(path, entry)
    return dict(entry["class"], processor={name: processor[name] for name in PROCESSOR})


def _is_due(entry: Mapping[str, Any], path: str) -> bool:
    """Return whether what failed is to be tried again. Raises OSError where it is gone."""
    is_old = abs(time.time() - os.lstat(path).st_mtime) > DAY_SECONDS
    return is_old or bool(entry["tries"] < MOST_TRIES)


def _compiling_apart(
    variables: Mapping[str, str], folder: str, of: Mapping[str, Any]
) -> Dict[str, str]:
    """Return the variables with a folder for Theano's modules that no script writes to.

    Nor does one lock it while it compiles. It stays, so that a second try goes on from the first.
    """
    parts = ("requirements", "extra_requirements", "packages", "python", "libc")
    place = os.path.join(folder, "theano", environment.key({name: of[name] for name in parts})[:16])
    flags = [variables.get("THEANO_FLAGS", ""), "compiledir=" + place]  # the last wins
    return dict(variables, THEANO_FLAGS=",".join(filter(None, flags)))


def _read(path: str) -> Optional[Dict[str, Any]]:
    """Return what was kept; None where nothing was, or what lies there is none of ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            content = file.read(LONGEST + 1)
        entry = json.loads(content.decode()) if len(content) <= LONGEST else None
        return entry if _is_entry(entry) else None
    except (OSError, ValueError, RecursionError):
        return None


def _is_entry(entry: Any) -> bool:
    if not isinstance(entry, dict) or type(entry.get("tries")) is not int:
        return False
    found = entry.get("class")
    return isinstance(found, dict) and _is_class(found)


def _is_class(found: Mapping[str, Any]) -> bool:
    kernels, problem = found.get("kernels"), found.get("problem")
    if not isinstance(kernels, dict) or not isinstance(found.get("problems"), dict):
        return False
    if not all(
        NAME.fullmatch(name) and (digest is None or (_is_text(digest) and DIGEST.fullmatch(digest)))
        for name, digest in kernels.items()
    ):
        return False
    if found.get("digest") is None:
        return _is_text(problem)
    return problem is None and bool(kernels) and found["digest"] == digest_of(kernels)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _write(path: str, entry: Mapping[str, Any]) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    descriptor, made = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entry, file, indent=1, sort_keys=True)
        os.rename(made, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(made)
        raise
