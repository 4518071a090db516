"""In which line a TOML document says something, for errors that name it."""

import tomllib
from collections.abc import Iterator
from typing import Any


def line_of(text: str, keys: tuple[str, ...]) -> int:
    """Return in which line, from 1, a document begins to say something of a key.

    Where it says nothing of it, that is the line of the nearest table above.
    """
    statements = list(_statements(text))
    for depth in range(len(keys), 0, -1):
        for line, document in statements:
            said: Any = document
            for key in keys[:depth]:
                said = said.get(key) if isinstance(said, dict) else None
            if said is not None:
                return line
    return 1


def _statements(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the first line of each statement of a TOML document, and what it alone says.

    A statement is a document of its own, below the header of its table. One of several lines ends
    where it is whole: in the line of a closing bracket, or of three quotes.
    """
    header, statement, begins = "", "", 1
    for number, line in enumerate(text.split("\n"), 1):
        begins = begins if statement else number
        statement += line + "\n"
        if begins < number and not any(end in line for end in ("]", "}", '"""', "'''")):
            continue
        is_header = statement.lstrip().startswith("[")
        try:
            document = tomllib.loads(statement if is_header else header + statement)
        except tomllib.TOMLDecodeError:
            continue  # there is more of it
        yield begins, document
        header = statement if is_header else header
        statement = ""
