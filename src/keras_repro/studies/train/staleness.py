"""Whether a run that stands is the one that a plan would make."""

from pathlib import Path, PurePath

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import MissingError, UnreadableError
from keras_repro.project.workload import Workload
from keras_repro.recorder import contract
from keras_repro.recorder.contract import CONDITIONS
from keras_repro.runs.costs import first_bad_cost
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.run import Run, RunFacts, last_run
from keras_repro.studies.train.plan import Plan

# Facts besides the conditions that numbers come from.
MADE_OF = (
    *("script_sha256", "modules", "script_args", "requirements_sha256"),
    *("extra_requirements_sha256", "recorder_sha256", "engine", "image", "cpu", "packages"),
    *("debian_packages", "environment"),
)


def stale_reason(plan: Plan, backend: Backend, engine: Engine) -> str | None:
    """Return why the run there is not the one the plan would make, or None where it is."""
    try:
        run = last_run(plan.out(backend))
        run.check_arrays()  # damaged or exchanged ones are as good as none
    except MissingError:
        return "there is no run"
    except UnreadableError:
        return "the run is damaged"
    facts = run.facts
    if not facts.completed:
        return "the last run failed"
    if not plan.takes_diverged and first_bad_cost(run.arrays) is not None:
        return "the last run failed"
    if (other := other_condition(facts, plan.workload, backend, engine.name)) is not None:
        return f"another {other}"
    if (changed := engine.changed_since(backend, facts.image)) is not None:
        return f"another {changed}"
    return None


def other_condition(
    facts: RunFacts, workload: Workload, backend: Backend, engine: str
) -> str | None:
    """Return what a run's facts say is another than the workload would have now, or None."""
    modules = {name: _module_sha256(workload.folder, name) for name in facts.modules}
    variables = workload.conditions.environment
    own = {
        name: value
        for name, value in facts.environment.items()
        if name not in contract.RECORDED_VARIABLES or name in variables
    }
    now = workload.conditions.facts()
    for what, is_now, was in (
        ("engine", engine, facts.engine),
        ("script", file_sha256(workload.script_path), facts.script_sha256),
        ("module beside the script", modules, facts.modules),
        ("arguments", list(workload.args), facts.script_args),
        *((c.in_words, now[c.name], c.recorded(facts)) for c in CONDITIONS if c.is_fact),
        ("environment", contract.without_secrets(variables), own),
        ("lock file", backend.requirements_sha256, facts.requirements_sha256),
        ("extra packages", backend.extra_sha256, facts.extra_requirements_sha256),
        ("recorder", contract.recorder_sha256(), facts.recorder_sha256),
    ):
        if is_now != was:
            return what
    return None


def _module_sha256(folder: Path, name: str) -> str | None:
    """Return the SHA-256 of a file below ``folder``; None of all else that a run may name."""
    path = PurePath(name)
    try:
        if path.is_absolute() or ".." in path.parts or not (folder / path).is_file():
            return None
    except (OSError, ValueError):  # no name that a file can have
        return None
    return file_sha256(folder / path)


def same_conditions(run: Run, before: Run) -> bool:
    """Whether two runs were made of the same things: there only chance could part them."""
    mine, other = run.facts, before.facts
    return all(getattr(mine, name) == getattr(other, name) for name in MADE_OF) and all(
        c.recorded(mine) == c.recorded(other) for c in CONDITIONS if c.is_fact
    )
