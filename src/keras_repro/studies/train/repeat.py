"""Train again and again on purpose, until a run parts from the first."""

import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from keras_repro.engines import Engine, Job, Say
from keras_repro.errors import ExitCode, MissingError
from keras_repro.numbers.comparison import EXACT, Comparison, compare
from keras_repro.recorder import contract
from keras_repro.studies.first_link.between import traced
from keras_repro.studies.first_link.found import Sides
from keras_repro.studies.train.nondeterminism import first_to_part, suspects
from keras_repro.studies.train.outcome import judge
from keras_repro.studies.train.plan import Plan, Progress, Trained, Watching


def repeat_on_purpose(
    plan: Plan, engine: Engine, progress: Progress, first: Trained, say: Say, started: float
) -> Trained:
    """Train again and again until a run parts from the first, which is kept beside it then."""
    run, backend, workload = first.run, first.backend, plan.workload
    if run is None:
        raise MissingError(f"no run in {progress.out}; train it again")
    run.all_arrays  # noqa: B018 - opened now, whatever becomes of its folder
    job = Job(backend, workload, plan.artifacts, f"{backend.name}.repeat")
    trained, comparisons, label = first, list[Comparison](), progress.label
    for number in range(2, plan.repeat + 1):
        progress.steps, progress.expected_steps = 0, run.facts.steps or None
        progress.label = f"{label} {number}/{plan.repeat}"
        with Watching(progress, job.out):
            ended = engine.run(job, say)
        trained = judge(engine, job, ended, time.monotonic() - started, None)
        trained = replace(trained, left=[*first.left, *trained.left])
        if trained.run is None or trained.exit_code:
            return replace(trained, runs=number)
        comparisons = compare(trained.run.all_arrays, run.all_arrays, lambda name: EXACT)
        if first_to_part(comparisons) is not None:
            files = [workload.script, *map(Path, run.facts.modules)]
            sides = Sides(f"in run {number}", "in run 1")
            found = suspects(workload.folder, files, workload.conditions.threads)
            return replace(
                trained,
                exit_code=ExitCode.DRIFT,
                repeat=comparisons,
                runs=number,
                suspects=found,
                trace=traced(trained.run, run, comparisons, sides),
            )
    remove_run(job.out)
    return replace(trained, run=run, repeat=comparisons, runs=plan.repeat)


def remove_run(folder: Path) -> None:
    """Remove a run's own files, and its folder where nobody put anything else there."""
    for name in contract.OWN_ENTRIES:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()
