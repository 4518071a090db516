"""The engines that make runs on one machine."""

from importlib import import_module

from keras_repro.engines import Engine

# By name, the module and the class, in the order in which "auto" tries them. They are imported
# when used, since Docker's client takes longer than the commands that need no engine.
ENGINES = {
    "docker": ("keras_repro.engines.docker", "DockerEngine"),
    "local": ("keras_repro.engines.local", "LocalEngine"),
}


def made(name: str) -> Engine:
    """Return one of ENGINES, of which it is not known yet whether it can be used here."""
    module, kind = ENGINES[name]
    engine: Engine = getattr(import_module(module), kind)()
    return engine
