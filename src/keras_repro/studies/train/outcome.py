"""Judge how a recorder ended."""

from dataclasses import replace

from keras_repro.backends import Backend
from keras_repro.engines import Ended, Engine, Job
from keras_repro.errors import ExitCode
from keras_repro.numbers.comparison import EXACT, Comparison, Verdict, compare
from keras_repro.recorder import contract
from keras_repro.recorder.contract import ArrayName
from keras_repro.runs.costs import first_bad_cost
from keras_repro.runs.run import Run, last_run, read_run
from keras_repro.studies.first_link.between import traced
from keras_repro.studies.first_link.found import Sides
from keras_repro.studies.train.left import left_beside
from keras_repro.studies.train.plan import Trained
from keras_repro.studies.train.staleness import same_conditions

TWO = Sides("in this run", "in the run before it")
KILLED = (137, -9)  # as a container says it, and as a process


def judge(engine: Engine, job: Job, ended: Ended, seconds: float, before: Run | None) -> Trained:
    """Return what became of a job, also where its recorder was killed.

    ``before`` is the good run that stood there, None where there was none.
    """
    backend, out, status = job.backend, job.out, ended.status
    if status == 0:
        run = read_run(out)
        return replace(_of_good(backend, run, seconds, before), left=left_beside(out, run))
    if status == ExitCode.RUN_FAILED:
        run = last_run(out)
        hint = f"; {run.facts.hint}" if run.facts.hint else ""
        problem = f"{run.facts.reason}{hint}; see {run.folder / contract.LOG}"
        left = left_beside(out, None)
        return Trained(backend, ExitCode.RUN_FAILED, run, problem, seconds, left=left)
    if status in (ExitCode.CANNOT_WRITE, ExitCode.USAGE, ExitCode.INTERRUPTED):
        return Trained(backend, ExitCode(status), None, ended.complaint, seconds)
    if status in KILLED:
        reason = f"killed together with its recorder (exit status {status}); out of memory?"
    else:
        reason = f"it ended with exit status {status} and left no run: {ended.complaint}"
    place = engine.abandon(job, reason)
    log = f" log: {place / contract.LOG}" if place else ""
    left = left_beside(out, None) if place else []
    return Trained(backend, ExitCode.RUN_FAILED, None, reason + log, seconds, left=left)


def _of_good(backend: Backend, run: Run, seconds: float, before: Run | None) -> Trained:
    """Return what there is to say of a completed run: whether its numbers are any good."""
    problem = _cost_problem(run)
    if problem:
        return Trained(backend, ExitCode.RUN_FAILED, run, problem, seconds)
    repeat = _repeat(run, before)
    if before is None or repeat is None or all(c.verdict is Verdict.IDENTICAL for c in repeat):
        return Trained(backend, ExitCode.OK, run, "", seconds, repeat=repeat)
    trace = traced(run, before, repeat, TWO)
    return Trained(backend, ExitCode.DRIFT, run, "", seconds, repeat=repeat, trace=trace)


def _repeat(run: Run, before: Run | None) -> list[Comparison] | None:
    if before is None or not same_conditions(run, before):
        return None
    return compare(run.all_arrays, before.all_arrays, lambda name: EXACT)


def _cost_problem(run: Run) -> str:
    if (bad := first_bad_cost(run.arrays)) is None:
        return ""
    name, index = bad
    kind = "step" if ArrayName.parse(name).is_per_step else "test"
    return (
        f"{name} is {run.arrays[name].load()[index]} from {kind} {index[0] if index else 0} on: "
        "the training diverged; lower the learning rate, or look at the data"
    )
