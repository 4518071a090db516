"""Choose the engine: the one asked for, or the first that can be used here."""

from keras_repro.engines import Engine
from keras_repro.engines.cluster.address import NAME as DASK
from keras_repro.engines.cluster.address import address_of
from keras_repro.engines.kinds import ENGINES, made
from keras_repro.errors import UsageError

AUTO = "auto"
NAMES = (AUTO, *ENGINES, DASK)


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
    if name.split("=", maxsplit=1)[0] == DASK:
        from keras_repro.engines.cluster.engine import DaskEngine  # noqa: PLC0415 - it takes its time

        return [DaskEngine(address_of(name))]
    if name not in NAMES:
        raise UsageError(f"no engine {name!r}; there are {', '.join(NAMES)}")
    return [made(one) for one in (ENGINES if name == AUTO else (name,))]
