"""What watches a script: set up before a framework is imported, without a word of where to keep."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, Callable, Dict, List, Optional, Sequence

from keras_repro.recorder import (
    active,
    contract,
    import_hooks,
    keras_config,
    own_seeds,
    seeding,
    surroundings,
    theano_blas,
    theano_cache,
    theano_compiler,
    theano_march,
)
from keras_repro.recorder.collection import FRAMEWORKS
from keras_repro.recorder.parity.probe import Probe
from keras_repro.recorder.task import Task
from keras_repro.recorder.trail.generators import Imports
from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.watch import changes as changes_of_weights
from keras_repro.recorder.watch import loaders, loops, tf_keras
from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.keras_methods import KerasMethods
from keras_repro.recorder.watch.planted import Planted

Tables = List[Dict[str, Callable[[ModuleType], None]]]
Begins = Callable[[str], None]
Ends = Callable[[str, ModuleType], None]


class Watching:
    """The trail, the capture, and what else looks at the script of a task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.probe = _probe(task)
        self.trail = Trail(task.data_statistics)
        self.capture = Capture(self.trail)
        if task.parity is None:  # which begins from weights that are given
            self.capture.models.ulps = task.ulps
            self.capture.models.planted = Planted(task.planted)
        active.capture = self.capture
        self.network = surroundings.NetworkUse()
        surroundings.answer_nobody()
        self.imports = Imports(self.trail)
        self.begins: Begins
        self.ends: Ends

    def install(self, more: Tables, before: Sequence[Dict[str, Callable[[], None]]] = ()) -> None:
        """Watch each framework as soon as it is imported, seeded.

        ``more`` is done then, and ``before`` just before.
        """
        seeds = seeding.framework_hooks(self._task.seed, self._task.threads)
        tables = [self._first(), seeds, *more, *self._watches(), self.imports.after()]
        first = [self.imports.before(), *before]
        first += [] if self.probe is None else [{"keras": self.probe.about_to_import}]
        first += [{"theano": theano_march.compile_for_it}] if self._task.emulated else []
        import_hooks.install(tables, first)

    def install_for_forks(self, begins: Begins, ends: Ends) -> None:
        """Watch each framework so, in a process that imports for those that it forks.

        What depends on the run is done by whoever is told of the imports, see ``of_run``.
        """
        self.begins, self.ends = begins, ends
        names = (*FRAMEWORKS, *own_seeds.PLACES)
        before = {name: self._begin(name) for name in names}
        last = {name: self._end(name) for name in names}
        import_hooks.install([self._first(), *self._watches(), last], [before])

    def of_run(self, task: Task, more: Tables) -> None:
        """Do with each import in a fork from now on what this run asks for."""
        seeds = seeding.framework_hooks(task.seed, task.threads)
        tables, before = [seeds, *more, self.imports.after()], self.imports.before()

        def begins(name: str) -> None:
            if name in before:
                before[name]()

        def ends(name: str, module: ModuleType) -> None:
            for table in tables:
                if name in table:
                    table[name](module)

        self.begins, self.ends = begins, ends

    def _begin(self, name: str) -> Callable[[], None]:
        return lambda: self.begins(name)

    def _end(self, name: str) -> Callable[[ModuleType], None]:
        return lambda module: self.ends(name, module)

    def _first(self) -> Dict[str, Callable[[ModuleType], None]]:
        return {"keras": self._keras, "matplotlib": _matplotlib}

    def _watches(self) -> Tables:
        return [
            self.network.hooks(),
            *loops.hooks(self.capture),
            tf_keras.hooks(self.capture),
            loaders.hooks(self.capture),
        ]

    def _keras(self, module: ModuleType) -> None:
        capture, probe = self.capture, self.probe
        keras_config.apply_old_keys(module)
        if "theano" in sys.modules:  # now, with every operation that Keras uses defined
            theano_blas.without_blas(sys.modules["theano"])
            theano_cache.keep_compiled(sys.modules["theano"])
            theano_compiler.compile_quickly(sys.modules["theano"])
        if probe is not None:
            probe.watch(module)
        capture.use(module)
        # A Keras that is made otherwise ends no script.
        capture.guarded("initial weights", changes_of_weights.watch, capture, module)
        capture.guarded("what is planted", capture.models.planted.watch, module)
        capture.guarded("what Keras computes", KerasMethods(capture, module, probe).watch)


def _matplotlib(module: Any) -> None:
    # The script may ask for a window system; there is none, and figures.py stands in.
    module.use = lambda *args, **kwargs: None


def _probe(task: Task) -> Optional[Probe]:
    """Return what looks at each layer, None where nobody asks for parity."""
    if task.parity is None:
        return None
    reference = None if task.parity == contract.PARITY_REFERENCE else task.parity
    return Probe(task.staging, reference)
