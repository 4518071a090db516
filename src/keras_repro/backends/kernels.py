"""What chooses kernels by instruction sets, and the settings that limit it: ``kernels.toml``."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

Variables = dict[str, str]


class Switch(BaseModel):
    """The settings that turn a library on and off."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    on: Variables
    off: Variables


class Library(BaseModel):
    """A library that has kernels for several instruction sets, and chooses among them.

    ``limits`` has the value of ``variable`` that allows none above a level, ``portable`` settings
    under which it chooses alike everywhere. ``joined`` joins a value to the user's own; empty where
    it replaces that. ``without`` and ``without_switch`` say of backends why there is no such thing.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)

    title: str
    backends: list[str]
    variable: str
    joined: str = ""
    limits: dict[str, str]
    portable: Variables = {}
    without: dict[str, str] = {}
    switch: dict[str, Switch] = {}
    without_switch: dict[str, str] = {}

    def limited_to(self, level: str) -> Variables:
        """Return the settings of the highest of its levels up to this one; none where none is."""
        names = list(table().levels)
        found = [name for name in names[: names.index(level) + 1] if name in self.limits]
        value = self.limits[found[-1]] if found else ""
        return {self.variable: value} if value else {}


class Table(BaseModel):
    """Levels of instruction sets, the lowest first, with the flags of each; and the libraries."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    levels: dict[str, list[str]]
    libraries: dict[str, Library]

    def of(self, backend: str) -> dict[str, Library]:
        """Return the libraries of a backend whose kernels can be limited, by name."""
        return {name: one for name, one in self.libraries.items() if backend in one.backends}


@cache
def table() -> Table:
    """Return what ``kernels.toml`` holds."""
    text = Path(__file__).with_name("kernels.toml").read_text(encoding="utf-8")
    return Table.model_validate(tomllib.loads(text))


def portable(backend: str) -> str:
    """Return the portable settings of a backend's libraries, as the recorder is given them."""
    settings = []
    for library in table().libraries.values():
        variables = dict(library.portable) if backend in library.backends else {}
        if backend in library.switch:
            variables |= library.switch[backend].off
        if variables:
            settings.append((library.title, library.joined, variables))
    return json.dumps(settings)


def joined(environment: Mapping[str, str], settings: Iterable[Variables]) -> Variables:
    """Return an environment with these settings in it, the last of which wins.

    To a variable that holds a list they are added: what a user put there stays.
    """
    by = {library.variable: library.joined for library in table().libraries.values()}
    found = dict(environment)
    for variables in settings:
        for name, value in variables.items():
            before = found.get(name, "") if by.get(name) else ""
            found[name] = by[name].join((before, value)) if before else value
    return found
