"""Whether backends compute the same from the same weights and data, and which layer parts."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import ExitCode, KerasReproError, UnreadableError, UsageError, gravest
from keras_repro.numbers.comparison import Comparison, compare
from keras_repro.numbers.tolerances import DEFAULT
from keras_repro.project.workload import Workload
from keras_repro.recorder import contract
from keras_repro.runs.run import Run
from keras_repro.studies.first_link.between import traced
from keras_repro.studies.first_link.found import Sides, Traced
from keras_repro.studies.parity.findings import LayerParity, ModelParity, Rule
from keras_repro.studies.parity.judge import judge
from keras_repro.studies.parity.recorded import REMEDY, Side, read_side
from keras_repro.studies.parity.trajectory import later_parts, optimizer_apart
from keras_repro.studies.train.plan import Plan, Progress, Trained
from keras_repro.studies.train.train import train

BELOW = "parity"  # the folder of its runs, which draw nothing and so are no others


@dataclass(frozen=True)
class Pair:
    """A backend against the reference.

    ``problem`` is why there is nothing to compare; ``optimizer`` how far apart the costs are after
    the first step, where they part there.
    """

    reference: Backend
    against: Backend
    exit_code: ExitCode
    problem: str = ""
    models: list[ModelParity] = field(default_factory=list)
    costs: list[tuple[ModelParity, Comparison]] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    optimizer: float | None = None
    trajectory: str = ""  # what parts in the whole runs, where nothing parts in the first batch
    reference_run: Run | None = None
    run: Run | None = None
    trace: Traced | None = None  # of the whole runs, None where one of them has no trail

    @property
    def parting(self) -> list[tuple[ModelParity, LayerParity]]:
        """The layers that part, with their models, in the order of the graph."""
        return [(model, layer) for model in self.models for layer in model.layers if layer.parting]


@dataclass(frozen=True)
class Parity:
    """What a study found. ``switched_off`` is what drew inside the graph."""

    workload: str
    pairs: list[Pair]
    switched_off: list[str]

    @property
    def exit_code(self) -> ExitCode:
        """The gravest of the pairs'."""
        return gravest([pair.exit_code for pair in self.pairs])


def parity(
    workload: Workload,
    reference: Backend,
    against: list[Backend],
    artifacts: Path,
    engine: Engine,
    on_start: Callable[[list[Progress]], None],
    rule: Rule = Rule(),  # noqa: B008 - it is frozen
) -> Parity:
    """Run the workload on the reference, then on the others from its weights, and compare.

    Raises:
        UsageError: a backend is to be compared with itself, or with none.
    """
    if not against:
        raise UsageError("parity compares with another backend; name one with --against")
    if reference.name in {backend.name for backend in against}:
        raise UsageError(f"--against {reference.name} is the reference itself; name another")
    plan = Plan(workload, [reference], artifacts, below=BELOW, parity=contract.PARITY_REFERENCE)
    [[first]] = train([plan], engine, on_start)
    if first.run is None or not first.run.facts.completed:
        problem = f"the reference {reference.name}: {_said(first.problem)}"
        code = first.exit_code
        pairs = [Pair(reference, backend, code, problem) for backend in against]
        return Parity(workload.name, pairs, [])
    given = first.run.folder / contract.PARITY
    plan = Plan(workload, against, artifacts, below=BELOW, parity=given)
    [others] = train([plan], engine, on_start)
    side = read_side(first.run.folder)
    pairs = [_pair(reference, first.run, side, other, rule) for other in others]
    return Parity(workload.name, pairs, side.facts.switched_off)


def _pair(reference: Backend, run: Run, side: Side, other: Trained, rule: Rule) -> Pair:
    if other.run is None or not other.run.facts.completed:
        problem = _said(other.problem)
        return Pair(reference, other.backend, other.exit_code, problem, reference_run=run)
    try:
        models = judge(side, read_side(other.run.folder), rule)
        comparisons = compare(other.run.all_arrays, run.all_arrays, lambda name: DEFAULT)
    except KerasReproError as error:
        return Pair(reference, other.backend, error.exit_code, str(error), reference_run=run)
    other_batch = next((model.other_batch for model in models if model.other_batch), "")
    if other_batch:
        return Pair(reference, other.backend, ExitCode.RUN_FAILED, other_batch, reference_run=run)
    misfits = [text for model in models for text in model.misfits]
    first = next((model.first for model in models if model.first is not None), None)
    # A layer before it may tell why something does not fit; where none does, that is an error.
    if misfits and (first is None or misfits[0].startswith(f"layer {first.place} (")):
        problem = f"{misfits[0]}: it cannot be put into it"
        return Pair(reference, other.backend, ExitCode.RUN_FAILED, problem, reference_run=run)
    if not any(model.layers for model in models):
        raise UnreadableError(f"{side.folder} holds no layer; {REMEDY}")
    parts = any(model.parts for model in models)
    optimizer, trajectory = None, ""
    if not parts and not any(model.own_weights for model in models):
        try:
            optimizer = optimizer_apart(run, other.run, models)
            if optimizer is None:
                trajectory = later_parts(run, other.run, models, rule)
        except KerasReproError as error:
            return Pair(reference, other.backend, error.exit_code, str(error), reference_run=run)
    by_name = {comparison.name: comparison for comparison in comparisons}
    series = [(model, by_name.get(model.prefix + contract.TRAIN_COSTS)) for model in models]
    sides = Sides(f"on {other.backend.name}", f"on {reference.name}")
    code = ExitCode.DRIFT if parts or optimizer is not None or trajectory else ExitCode.OK
    return Pair(
        *(reference, other.backend, code, ""),
        models=models,
        costs=[(model, costs) for model, costs in series if costs is not None],
        comparisons=comparisons,
        optimizer=optimizer,
        trajectory=trajectory,
        reference_run=run,
        run=other.run,
        trace=traced(other.run, run, comparisons, sides),
    )


def _said(problem: str) -> str:
    """Return what a run said of itself, without the status of its process."""
    return re.sub(r"^exit status \d+: ", "", problem)
