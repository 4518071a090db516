"""An engine that trains nothing: what the recorder publishes is made up, and put in its place."""

import json
import os
from pathlib import Path

import numpy as np

from keras_repro.engines import Ended
from keras_repro.recorder import contract, folder, supervise
from keras_repro.recorder.contract import recorder_sha256
from keras_repro.recorder.facts import cpu_facts, file_sha256
from tests.unit.made import changed, make_run

NUMBERS, FIRST = "weights/0.dense.kernel", "initial_weights/0.dense.kernel"


def computed(release: float = 1.0, ulps: int = 0, seed: int = 1337) -> dict[str, np.ndarray]:
    """Return what a run computes; where its initial weights are moved, a little else."""
    arrays = changed(NUMBERS, release * (1 + ulps * 1e-5))
    arrays["costs/test"] = arrays["costs/test"] * np.float32(1 + (seed - 1337) / 100)
    return {**arrays, FIRST: np.full(3, 1 + ulps * 1e-7, np.float32)}


class MadeUpEngine:
    """Publishes runs as the recorder does; their numbers come from the release of "planted"."""

    name = "local"
    title = "made up"
    slots = 2

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass

    def problem(self):
        return None

    def availability(self, backend):
        raise NotImplementedError

    def environment_id(self, backend):
        return "the environment"

    def changed_since(self, backend, image):
        return None

    def prepare(self, backend, say):
        say("installing packages")

    def kept(self):
        return 0, 0

    def prune(self):
        pass

    def stop(self):
        pass

    def run(self, job, say, forked=False):
        """Do what the recorder's parent process does, but for the script."""
        out = str(job.out)
        try:
            with folder.locked(out, lambda: None):
                staging, published, said = folder.prepare(out), None, None
                try:
                    facts = _facts(staging, job, forked)
                    folder.take_over(staging)
                    published = folder.publish(staging, out, facts)
                finally:
                    said = supervise.tidied(staging, out, published)
        except folder.NotARunFolderError as error:
            return Ended(contract.EXIT_USAGE, f"keras-repro: {error}; nothing was run")
        except OSError as error:
            return Ended(contract.EXIT_CANNOT_WRITE, f"keras-repro: cannot write the run: {error}")
        return Ended(0, said or "")


class ServingEngine(MadeUpEngine):
    """Makes runs in forks too, but for its first; where FORKS_PART is set, with other numbers."""

    def __init__(self):
        self.has_served = False

    def serve(self, job, alone, say):
        forked, self.has_served = self.has_served and not alone, True
        return self.run(job, say, forked)

    def let_go(self):
        pass


def _facts(staging: str, job, forked: bool) -> dict:
    release = float(job.backend.locked.get("planted", "1.0"))
    release += bool(forked and os.environ.get("FORKS_PART"))
    made = make_run(
        Path(staging),
        computed(release, job.workload.conditions.ulps, job.workload.conditions.seed),
        backend=job.backend.name,
        script=job.workload.script_path.name,
        script_sha256=file_sha256(str(job.workload.script_path)),
        **job.workload.conditions.facts(),
        requirements_sha256=job.backend.requirements_sha256,
        recorder_sha256=recorder_sha256(),
        packages={"planted": str(release)},
        cpu=cpu_facts(),
        forked=forked,
    )
    return json.loads((made / contract.FACTS).read_text())
