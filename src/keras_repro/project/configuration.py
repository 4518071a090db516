"""Read ``keras-repro.toml``, or ``[tool.keras-repro]`` of ``pyproject.toml``."""

import difflib
import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)

from keras_repro import backends
from keras_repro.backends import Backend
from keras_repro.errors import UsageError
from keras_repro.numbers.chance.apart import LARGEST
from keras_repro.numbers.tolerances import Tolerances
from keras_repro.packages.project_locks import of_project
from keras_repro.project.conditions import looked_up
from keras_repro.project.toml_lines import line_of
from keras_repro.project.workload import Workload, from_module, from_script
from keras_repro.recorder import contract
from keras_repro.recorder.contract import CONDITIONS, OWN_VARIABLES, Condition, Conditions

NAME = "keras-repro.toml"
PYPROJECT = "pyproject.toml"
TABLE = ("tool", "keras-repro")
PLACES = ("artifacts", "baselines", "locks")


def _backend(name: str) -> str:
    known = backends.load()
    if name not in known:
        raise ValueError(f"no backend {name!r}; there are {', '.join(known)}")
    return name


def _variable(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise ValueError(f"{name!r} is not the name of a variable")
    if name in OWN_VARIABLES:
        raise ValueError(f"{name} is set by keras-repro itself")
    return name


def _requirement(text: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise ValueError(f"{text!r} is no requirement: {str(error).splitlines()[0]}") from None
    return text


def _annotation(condition: Condition) -> Any:
    """Return the type of a condition's value in a configuration."""
    if condition.name == "environment":
        return dict[Annotated[str, BeforeValidator(_variable)], str]
    if str in condition.types and list in condition.types:
        return str | list[Annotated[str, BeforeValidator(_requirement)]]
    if list in condition.types:
        return list[Annotated[str, AfterValidator(condition.read)]]
    if condition.is_switch:
        return bool
    if condition.types == (int,):
        return Annotated[int, AfterValidator(lambda value: condition.read(str(value)))]
    return Annotated[Any, BeforeValidator(lambda value: _read(condition, value))]


def _read(condition: Condition, value: Any) -> Any:
    if isinstance(value, dict) and dict in condition.types:
        return dict(condition.read(f"{name}={part}") for name, part in value.items())
    if isinstance(value, bool) or not isinstance(value, condition.types):
        raise ValueError(f"{value!r} is neither text nor a number")
    return condition.read(str(value))


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    script: str | None = None
    module: str | None = None
    args: list[str] = []
    backends: list[Annotated[str, BeforeValidator(_backend)]] = []
    tolerances: dict[str, Tolerances] = {}
    primary: list[str] = []
    margins: dict[str, Annotated[float, Field(gt=0, le=LARGEST, allow_inf_nan=False)]] = {}


_CONDITIONS: Any = {c.name: (_annotation(c), c.default) for c in CONDITIONS}
# ``[workloads.<name>]``: what is trained, and a key for each condition.
WorkloadTable = create_model("WorkloadTable", __base__=_Table, **_CONDITIONS)


class Document(BaseModel):
    """The whole file, or the whole table."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    artifacts: str = "artifacts"
    baselines: str = "baselines"
    locks: str = "locks"
    workloads: dict[str, WorkloadTable] = {}  # type: ignore[valid-type]


@dataclass(frozen=True)
class Config:
    """A project's configuration; without a file, ``path`` is None and there are no workloads.

    ``places`` are as seen from the present folder. ``outside`` says of those that lead out of the
    project why they are refused: a configuration may be a stranger's, and what it names is shown
    to a script, or written.
    """

    folder: Path
    path: Path | None
    places: dict[str, Path]
    outside: dict[str, str]
    workloads: dict[str, Workload] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        """The folder of the runs. Raises UsageError where it lies outside."""
        return self._place("artifacts")

    @property
    def baselines(self) -> Path:
        """The folder of the baselines. Raises UsageError where it lies outside."""
        return self._place("baselines")

    @property
    def locks(self) -> Path:
        """The folder of the project's own locks. Raises UsageError where it lies outside."""
        return self._place("locks")

    def _place(self, name: str) -> Path:
        if name in self.outside:
            raise UsageError(self.outside[name])
        return self.places[name]

    def select(self, names: tuple[str, ...] = ()) -> list[Backend]:
        """Return the named backends, all where none is named, with the project's own locks.

        Raises:
            UsageError: there is no backend of that name, or its lock cannot be read.
        """
        return [of_project(backend, self.locks) for backend in backends.select(names)]


def find(folder: Path) -> Path | None:
    """Return the configuration that holds for ``folder``: the nearest at or above it, or None."""
    for place in (folder, *folder.parents):
        if (place / NAME).is_file():
            return place / NAME
        if (place / PYPROJECT).is_file() and _has_table(place / PYPROJECT):
            return place / PYPROJECT
    return None


def load(path: Path | None = None, folder: Path | None = None) -> Config:
    """Return the configuration in ``path``, or that of ``folder``, the present one by default.

    Raises:
        UsageError: it cannot be read, or says something that means nothing; the message names
            file, line and key.
    """
    if path is None:
        folder = folder or Path.cwd()
        path = find(folder)
        if path is None:
            return Config(folder, None, *_places(folder, dict(zip(PLACES, PLACES, strict=True))))
    text = _text(path)
    try:
        document: Any = tomllib.loads(text)
    except RecursionError:
        raise UsageError(f"{_near(path)}: its values are nested too deep") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{_near(path)}{_syntax_problem(str(error))}") from None
    prefix: tuple[str, ...] = ()
    if path.name == PYPROJECT:
        prefix = TABLE
        for key in TABLE:
            document = document.get(key, {}) if isinstance(document, dict) else {}
    try:
        read = Document.model_validate(document)
    except ValidationError as error:
        raise UsageError(_problem(path, text, prefix, error)) from None
    folder = path.absolute().parent.resolve()
    workloads = {}
    for name, table in read.workloads.items():
        place = (*prefix, "workloads", name)
        try:
            workloads[name] = _workload(name, table, folder)
        except _KeyProblemError as problem:
            line = line_of(text, (*place, problem.key))
            key = ".".join(filter(None, (*place[len(prefix) :], problem.key)))
            raise UsageError(f"{_near(path)}:{line}: {key}: {problem}") from None
    given = {name: getattr(read, name) for name in PLACES}
    lines = {name: f"{_near(path)}:{line_of(text, (*prefix, name))}: {name}: " for name in PLACES}
    return Config(folder, path, *_places(folder, given, lines), workloads)


def _places(
    folder: Path, given: dict[str, str], lines: dict[str, str] | None = None
) -> tuple[dict[str, Path], dict[str, str]]:
    """Return where the places of a project are, and what to say of those that lie outside."""
    outside = {}
    for name, value in given.items():
        if not lies_within(folder / value, folder):
            remedy = "move it into the project"
            if name != "locks":
                remedy = f"to use it all the same, give it as --{name}"
            where = lines[name] if lines else ""
            outside[name] = f"{where}{value} lies outside of {folder}; {remedy}"
    return {name: _near(folder / value) for name, value in given.items()}, outside


def lies_within(path: Path, folder: Path) -> bool:
    """Return whether a path lies in a folder, wherever its links lead."""
    return path.resolve().is_relative_to(folder.resolve())


class _KeyProblemError(Exception):
    """What is wrong with the value of a key."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _workload(name: str, table: Any, folder: Path) -> Workload:
    if contract.workload_name(f"{name}.py") != name:
        raise _KeyProblemError("", "a name has letters, digits, '.', '_' and '-'")
    if (table.script is None) == (table.module is None):
        raise _KeyProblemError("", "name either a script or a module")
    runs_in = folder
    if table.module is not None:
        script = _checked("module", lambda: from_module(str(table.module), folder).script)
    else:
        alone = _checked("script", lambda: from_script(str(table.script), folder))
        script, runs_in = alone.script, alone.folder
    given: dict[str, Any] = {}
    outside = {}
    for condition in CONDITIONS:
        key = condition.name
        if key in table.model_fields_set:
            value = {key: getattr(table, key)}
            found = _checked(key, lambda value=value: looked_up(value, folder))
            for shown in _shown(key, found[key]):
                if not lies_within(shown, folder):
                    outside[key] = (
                        f"workloads.{name}.{key}: {shown} lies outside of {folder}; "
                        f"to show it to the script all the same, give it as {condition.flag}"
                    )
            given |= {} if key in outside else found
    return Workload(
        name=name,
        folder=runs_in,
        script=script,
        module=table.module,
        args=tuple(table.args),
        backends=tuple(table.backends),
        conditions=Conditions(**given),
        tolerances=dict(table.tolerances),
        primary=tuple(table.primary),
        margins=dict(table.margins),
        argument=name,
        outside=outside,
    )


def _shown(key: str, value: Any) -> list[Path]:
    """Return what a condition shows to a script: folders and files of this machine."""
    if key == "data":
        return [data.source for data in value]
    return [value] if key == "datasets" else []


def _checked(key: str, read: Any) -> Any:
    try:
        return read()
    except UsageError as error:
        raise _KeyProblemError(key, str(error)) from None


def _near(path: Path) -> Path:
    """Return a path as seen from the present folder where it lies below it."""
    path = Path(os.path.normpath(path))
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = str(getattr(error, "strerror", "")).lower() or "it is no UTF-8 text"
        raise UsageError(f"cannot read the configuration {path}: {why}") from None
    if "\\u0000" in text or "\\U00000000" in text:  # no path and no argument can hold it
        raise UsageError(f"{path} holds a null character, which means nothing here; take it out")
    return text


def _has_table(path: Path) -> bool:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # another tool's to complain of
        return False
    tool = document.get(TABLE[0])
    return isinstance(tool, dict) and TABLE[1] in tool


def _problem(path: Path, text: str, prefix: tuple[str, ...], error: ValidationError) -> str:
    """Return the first problem in one line: file, line, key, what is wrong and what to do."""
    # Of a value that may be one thing or another, what its own check says, and not its type's.
    first = min(error.errors(), key=lambda e: e["type"] != "value_error")
    keys = _keys(first["loc"])
    line = line_of(text, (*prefix, *keys))
    message = first["msg"]
    if first["type"] == "value_error":
        message = message.removeprefix("Value error, ")
    else:
        message = message[:1].lower() + message[1:]
    if first["type"] == "extra_forbidden":
        known = _known_keys(keys[:-1])
        near = difflib.get_close_matches(keys[-1], known, 1)
        message = f"there is no such key; {f'is it {near[0]}?' if near else _those(known)}"
    key = ".".join(keys) or ".".join(prefix) or "the document"
    return f"{_near(path)}:{line}: {key}: {message}"


def _syntax_problem(message: str) -> str:
    """Return ":<line>: what is wrong" of tomllib's "What is wrong (at line 4, column 8)"."""
    place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if place is None:
        return f": {message[:1].lower()}{message[1:]}"
    what = message[: place.start()]
    return f":{place.group(1)}: {what[:1].lower()}{what[1:]} (column {place.group(2)})"


def _keys(location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return the keys of a place in the document: without list indices and pydantic's own words."""
    keys: list[str] = []
    for part in location:
        # Of requirements, what follows names the kinds of value that they may be.
        if isinstance(part, int) or part == "[key]" or keys[2:] == ["requirements"]:
            break
        keys.append(part)
    return tuple(keys)


def _known_keys(keys: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = Document
    if len(keys) >= 2:
        model = Tolerances if "tolerances" in keys[2:] else WorkloadTable
    return list(model.model_fields)


def _those(known: list[str]) -> str:
    return f"there are {', '.join(known)}"
