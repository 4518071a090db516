"""An engine for workers that makes runs without a framework; Dask loads this module first.

What a run does, its script's arguments say: "poison" kills its worker, "hang" stops it for good
the first time, "slow" takes a moment.
"""

import os
import signal
import time
from pathlib import Path

import numpy as np

from keras_repro.engines import Ended, kinds
from keras_repro.project.conditions import linked
from tests.unit.made import ARRAYS, make_run
from tests.unit.studies.train.test_train import MadeUpEngine, good


class Engine(MadeUpEngine):
    title = "local environments"

    def problem(self):
        return None

    @property
    def slots(self):
        return 1

    def run(self, job, say):
        args = job.workload.args
        log = Path(os.environ["MADE_UP_LOG"])
        (log / f"{job.workload.conditions.seed}-{os.getpid()}-{time.monotonic_ns()}").touch()
        if "poison" in args:
            time.sleep(0.5)  # as a script does, whose framework has to be imported first
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in args and self.stopped.wait(0.2):
            return Ended(130, "interrupted")
        if "forever" in args:
            self.stopped.wait()
            return Ended(130, "interrupted")
        if "fails" in args:
            make_run(job.out, {}, outcome="failed", reason="ValueError: no")
            return Ended(4, "ValueError: no")
        conditions = job.workload.conditions
        value = np.random.RandomState(conditions.seed).normal()
        for data in linked(conditions.data):
            value += sum(float(path.read_text()) for path in _files(data.source))
        if conditions.datasets is not None:
            value *= float((Path(conditions.datasets) / "factor").read_text())
        return good(self, job, {**ARRAYS, "costs/test": np.array([value], np.float32)})


def _files(source):
    return [source] if source.is_file() else [p for p in source.rglob("*") if p.is_file()]


def dask_setup(worker):
    """Be the one engine there is: called by a worker that starts."""
    kinds.ENGINES.clear()
    kinds.ENGINES["local"] = (__name__, "Engine")
