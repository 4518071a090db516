"""Read a JSON document that a run or a person wrote: of a known schema, not deep, not large."""

import json
import os
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from keras_repro.errors import UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs.regular_file import NotRegularError, open_regular

MAX_FACTS_BYTES = 1 << 26
MAX_DEPTH = 64  # of lists and objects in each other; a run's facts have 4, and writers recurse

Document = TypeVar("Document", bound=BaseModel)


def read_document(path: Path, model: type[Document], remedy: str = "make it again") -> Document:
    """Return a JSON document as a model, its schema version and its fields checked.

    ``remedy`` is what to do where it is damaged.

    Raises:
        UnreadableError: it is not JSON, of a newer schema, or lacks what ``model`` asks for.
    """
    try:
        content = read_bytes(path, MAX_FACTS_BYTES)
    except (OSError, ValueError) as error:
        raise UnreadableError(f"{path} is damaged: {why(error)}; {remedy}") from None
    return document_of(content, path, model, remedy)


def document_of(content: bytes, path: Path, model: type[Document], remedy: str) -> Document:
    """Return what was read of ``path`` as a model. Raises UnreadableError as read_document does."""
    try:
        document = json.loads(content)
        # Half a surrogate pair is no text, and JSON has no infinities.
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
        if _is_deeper(document, MAX_DEPTH):
            raise ValueError("it is nested too deep")
        version = document["schema_version"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnreadableError(f"{path} is damaged: {why(error)}; {remedy}") from None
    if not isinstance(version, int) or version > contract.NEWEST_SCHEMA:
        raise UnreadableError(
            f"{path} has schema version {version!r}, and this keras-repro reads up to "
            f"{contract.NEWEST_SCHEMA}; use a newer keras-repro"
        )
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise UnreadableError(f"{path} is damaged: {where}: {first['msg']}; {remedy}") from None


def why(error: Exception) -> str:
    """Return in words why a document cannot be read."""
    match error:
        case NotRegularError():
            return "it is no file"
        case OSError():
            return error.strerror or str(error)
        case json.JSONDecodeError():
            return f"it is no JSON from line {error.lineno} on"
        case UnicodeError():
            return "it holds what is no text"
        case KeyError():
            return "it has no schema_version"
        case TypeError():
            return "it is no JSON object"
        case RecursionError():
            return "it is nested too deep"
    return str(error)


def read_bytes(path: Path, most: int, flags: int = 0) -> bytes:
    """Return what is in a regular file; ``flags`` are more of os.open's.

    Raises:
        OSError, ValueError: it cannot be read, is no regular file, or has more than ``most`` bytes.
    """
    with open(open_regular(path, flags), "rb") as file:
        if os.fstat(file.fileno()).st_size > most:
            raise ValueError("it is too large")
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError("it is too large")
    return content


def _is_deeper(value: Any, most: int) -> bool:
    """Whether anything lies in more than ``most`` lists and objects; looked at level by level."""
    level: list[dict[Any, Any] | list[Any]] = [[value]]
    for _ in range(most + 1):
        inner = [each.values() if isinstance(each, dict) else each for each in level]
        level = [one for each in inner for one in each if isinstance(one, dict | list)]
    return any(level)
