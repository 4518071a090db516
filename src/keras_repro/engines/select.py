"""Choose the engine: the one asked for, or the first that can be used here."""

from importlib import import_module

from keras_repro.engines import Engine
from keras_repro.errors import UsageError

# The engines, in the order in which "auto" tries them: by name, the module and the class. They
# are imported when used, since Docker's client takes longer than the commands that need no engine.
ENGINES = {
    "docker": ("keras_repro.engines.docker", "DockerEngine"),
    "local": ("keras_repro.engines.local", "LocalEngine"),
}
AUTO = "auto"
NAMES = (AUTO, *ENGINES)


def select(name: str) -> tuple[Engine, str]:
    """Return the engine and one line that says which it is and why.

    Raises:
        EngineUnavailableError: the engine that was asked for cannot be used here; or none can.
        UsageError: there is no engine of that name.
    """
    first = None
    for engine in _named(name):
        problem = engine.problem()
        if problem is None:
            because = f", because {first.reason}" if first else ""
            return engine, f"engine: {engine.title}{because}"
        first = first or problem
    assert first is not None
    raise first


def usable(name: str) -> list[Engine]:
    """Return the engine that was asked for, or for "auto" every one that can be used here.

    Raises:
        EngineUnavailableError: the engine that was asked for cannot be used here.
        UsageError: there is no engine of that name.
    """
    if name != AUTO:
        return [select(name)[0]]
    return [engine for engine in _named(AUTO) if engine.problem() is None]


def _named(name: str) -> list[Engine]:
    if name not in NAMES:
        raise UsageError(f"no engine {name!r}; there are {', '.join(NAMES)}")
    return [_make(*ENGINES[one]) for one in (ENGINES if name == AUTO else (name,))]


def _make(module: str, name: str) -> Engine:
    engine: Engine = getattr(import_module(module), name)()
    return engine
