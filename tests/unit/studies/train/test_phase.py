"""What a training is at is read from its progress file, whatever a stranger writes there."""

import time
from pathlib import Path

from keras_repro import backends
from keras_repro.recorder import contract
from keras_repro.studies.train.plan import Progress, Watching


def test_each_phase_is_shown(tmp_path):
    out = tmp_path / "jax"
    staging = Path(contract.staging_folder(str(out)))
    staging.mkdir()
    progress = Progress("jax", backends.load()["jax"])
    with Watching(progress, out):
        for text, phase, steps in (
            ("", "importing and compiling", 0),
            (contract.COMPUTING_CLASS, "computing the numeric class, once", 0),
            ("17", "training", 17),
        ):
            (staging / contract.PROGRESS).write_text(text)
            until = time.monotonic() + 20
            while (progress.phase, progress.steps) != (phase, steps) and time.monotonic() < until:
                time.sleep(0.01)
            assert (progress.phase, progress.steps) == (phase, steps)
