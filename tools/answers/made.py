"""The ensembles that the page is made of: made where they are not there, and told from then on."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from packaging.requirements import Requirement

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import KerasReproError
from keras_repro.project import configuration, selection
from keras_repro.project.workload import Workload, from_script
from keras_repro.studies import upgrade
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.ensemble import Asked, ensemble
from keras_repro.studies.ensemble.equivalent import Side
from keras_repro.workloads import __file__ as bundled

CONFIG = Path(bundled).with_name("keras-repro.toml")
PLACE = Path("artifacts/answers")
WORKLOADS = ("regression", "sine", "classifier", "convnet", "two_inputs", "gan", "custom_step")
LAST_IMPORT = re.compile(r"(?:.*\n)*?(?=from keras)(?:from keras.*\n)+")


@dataclass
class Ensembles:
    """Ensembles of so many seeds, on an engine; those that were made are kept in memory."""

    engine: Engine
    count: int
    known: dict[tuple[str, ...], Side | str] = field(default_factory=dict)

    @cached_property
    def config(self) -> configuration.Config:
        """The configuration of the bundled workloads."""
        return configuration.load(CONFIG)

    def workload(self, name: str) -> Workload:
        """Return a bundled workload."""
        return selection.one_workload(self.config, name, None, "answers")

    def backend(self, name: str) -> Backend:
        """Return a backend."""
        [found] = self.config.select((name,))
        return found

    def of(self, name: str, backend: str) -> Side | str:
        """Return the seeds of a workload on a backend; why there are none, where there are none."""
        return self._made((name, backend), self.workload(name), self.backend(backend))

    def with_packages(self, name: str, backend: str, wanted: str) -> Side | str:
        """Return the seeds of a workload on a backend with another release of a package."""
        workload, base = self.workload(name), self.backend(backend)
        try:
            moved = upgrade.plan(base, [Requirement(wanted)], [workload]).environment(workload)
        except KerasReproError as error:
            return str(error)
        return self._made((name, backend, wanted), workload, moved, as_trials=True)

    def with_plant(self, name: str, backend: str, planted: Mapping[str, str]) -> Side | str:
        """Return the seeds of a workload with something planted: {what: by how much}."""
        workload = self.workload(name)
        changed = workload.conditions.having(planted=dict(planted))
        key = (name, backend, str(planted))
        return self._made(key, replace(workload, conditions=changed), self.backend(backend))

    def with_text(self, name: str, backend: str, change: str, lines: str) -> Side | str:
        """Return the seeds of a workload whose script has more lines after its imports of Keras."""
        text = (CONFIG.with_name(f"{name}.py")).read_text(encoding="utf-8")
        found = LAST_IMPORT.match(text)
        if found is None:
            return "it imports nothing from Keras"
        folder = (PLACE / "scripts").absolute()
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}_{change}.py"
        path.write_text(found[0] + lines + text[found.end() :], encoding="utf-8")
        workload = from_script(path.name, folder)
        return self._made((name, backend, change), workload, self.backend(backend))

    def _made(
        self, key: tuple[str, ...], workload: Workload, backend: Backend, *, as_trials: bool = False
    ) -> Side | str:
        if key not in self.known:
            print(" ".join(key), file=sys.stderr, flush=True)
            place = Place(workload, PLACE.absolute(), Path("baselines").absolute())
            asked = Asked(place, backend, self.count, self.engine.slots, as_trials=as_trials)
            try:
                result = ensemble(asked, self.engine)
            except KerasReproError as error:
                self.known[key] = str(error)
            else:
                same = "every seed is the same run"
                self.known[key] = same if result.facts is None else Side(None, result.facts)
        return self.known[key]
