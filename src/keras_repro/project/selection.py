"""Which workloads, and which backends of each, a command line means."""

from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.errors import UsageError
from keras_repro.project.configuration import Config
from keras_repro.project.workload import (
    Workload,
    builtin,
    builtin_names,
    from_module,
    from_script,
)


def workloads(known: Config, script: str | None, module: str | None) -> list[Workload]:
    """Return what a command is to do: one workload, or all of the configuration.

    Without a configuration, and without a script, it is the regression that comes with
    keras-repro. Raises UsageError.
    """
    if module is not None:
        return [from_module(module, Path.cwd())]
    if script is None:
        return list(known.workloads.values()) or [builtin("regression", "")]
    return [named(known, script, Path.cwd())]


def one_workload(known: Config, script: str | None, module: str | None, command: str) -> Workload:
    """Return the one workload of a command that takes no more. Raises UsageError."""
    found = workloads(known, script, module)
    if len(found) > 1:
        raise UsageError(
            f"{command} takes one workload; name one of {', '.join(w.name for w in found)}"
        )
    return found[0]


def named(known: Config, script: str, folder: Path) -> Workload:
    """Return the workload of a name: a configured one, a script as seen from a folder, a builtin.

    Raises UsageError.
    """
    if script in known.workloads:
        return known.workloads[script]
    there = folder / script
    if script in builtin_names() and not there.exists():
        return builtin(script, script)
    try:
        return from_script(script, folder)
    except UsageError as error:
        names = [
            *known.workloads,
            *(n for n in builtin_names() if n not in known.workloads),
        ]
        if there.suffix or there.exists():
            raise
        there_are = f"and no workload of that name; there are {', '.join(names)}"
        raise UsageError(f"{error}, {there_are}") from None


def backends_of(known: Config, workload: Workload, names: tuple[str, ...] = ()) -> list[Backend]:
    """Return the backends of these names; where none is named, those that a workload runs on.

    Raises UsageError.
    """
    return known.select(names or workload.backends)


def runs_on(workload: Workload, backend: Backend) -> bool:
    """Return whether a workload is to run on a backend: on all, where it names none."""
    return not workload.backends or backend.name in workload.backends


def counterparts(known: Config, workload: Workload, reference: Backend) -> list[Backend]:
    """Return the other backends of the reference's Keras that a workload runs on.

    Raises UsageError.
    """
    generation = reference.pins["keras"].partition(".")[0]
    return [
        backend
        for backend in backends_of(known, workload)
        if backend.name != reference.name and backend.pins["keras"].partition(".")[0] == generation
    ]
