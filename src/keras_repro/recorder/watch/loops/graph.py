"""What running a part of a graph of TensorFlow 1 does to variables, found by looking at it.

Nothing here adds to a graph, or runs it.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Set, Tuple

Path = Tuple[Any, ...]  # the keys under which a value lies in what a run returns

VARIABLES = ("VarHandleOp", "VariableV2", "Variable")
PASSED_ON = ("Identity", "ReadVariableOp", "Enter", "RefEnter", "Switch", "RefSwitch")
WRITES = re.compile("(Resource)?(Sparse)?(Apply|Assign|Scatter|StridedSliceAssign)")
TRAINS = re.compile("(Resource)?(Sparse)?Apply")


class Differentiated(NamedTuple):
    """A value of which gradients were made, by which variables; None where they are several."""

    loss: Any
    variables: List[Any]  # their operations
    gradients: FrozenSet[Any]  # operations


class Trained(NamedTuple):
    """A loss by which a run changes variables; ``path`` is where the run returns it, or None."""

    variables: List[Any]
    path: Optional[Path]


class Run:
    """What to run some fetches does: which variables it changes, and by which losses."""

    def __init__(self, elements: List[Tuple[Optional[Path], Any]], known: List[Any]) -> None:
        """``elements`` are tensors and operations, ``known`` what was differentiated so far."""
        operations = [getattr(element, "op", element) for _, element in elements]
        writes = [(one, target) for one in ancestors(operations) for target in _written(one)]
        self.initialized = [target for one, target in writes if _initializes(one, target)]
        writes = [write for write in writes if not _initializes(*write)]
        self.changed = [target for _, target in writes]
        self.trained = _trained(elements, writes, known)
        by_loss = {variable for trained in self.trained for variable in trained.variables}
        # Changed by a training operation, and by nothing that is known to be a loss.
        self.by_unknown = [
            target for one, target in writes if TRAINS.match(one.type) and target not in by_loss
        ]
        # The session before whose run first values were read, weakly.
        self.looked_at: Callable[[], Any] = lambda: None
        # By the place in ``trained``: the weights of the script's models, and what was said.
        self.weights: Dict[int, List[Any]] = {}
        self.said_at: Dict[int, str] = {}


def differentiated(ys: Any, xs: Any, grad_ys: Any, gradients: Iterable[Any]) -> Optional[Any]:
    """Return what was differentiated by variables; None where by none."""
    losses = list(ys) if isinstance(ys, (list, tuple)) else [ys]
    weighted = grad_ys is not None and any(
        one is not None for one in (grad_ys if isinstance(grad_ys, (list, tuple)) else [grad_ys])
    )
    variables, found = [], set()
    for x, gradient in zip(xs if isinstance(xs, (list, tuple)) else [xs], gradients):
        variable = source(x.op)
        if gradient is not None and variable.type in VARIABLES:
            variables.append(variable)
            found.add(gradient.op)
    if not variables:
        return None
    loss = same_value(losses[0]) if len(losses) == 1 and not weighted else None
    return Differentiated(loss, variables, frozenset(found))


def ancestors(operations: Iterable[Any]) -> Set[Any]:
    """Return these operations and all that run before them."""
    found: Set[Any] = set()
    waiting = list(operations)
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting.extend(tensor.op for tensor in operation.inputs)
            waiting.extend(operation.control_inputs)
    return found


def source(operation: Any) -> Any:
    """Return the operation whose first output this one only passes on; itself where it does not."""
    while operation.type in PASSED_ON and operation.inputs:
        operation = operation.inputs[0].op
    return operation


def same_value(tensor: Any) -> Any:
    """Return the tensor whose value this one only repeats."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def _written(operation: Any) -> List[Any]:
    if not WRITES.match(operation.type) or not operation.inputs:
        return []
    target = source(operation.inputs[0].op)
    return [target] if target.type in VARIABLES else []


def _initializes(operation: Any, target: Any) -> bool:
    return bool(operation.name == target.name + "/Assign")


def _trained(
    elements: List[Tuple[Optional[Path], Any]], writes: List[Tuple[Any, Any]], known: List[Any]
) -> List[Trained]:
    """Return the losses whose gradients reach what is written to the variables they are by."""
    before: Dict[FrozenSet[Any], Set[Any]] = {}
    used: List[Differentiated] = []
    for one in known:
        wanted = set(one.variables)
        writing = frozenset(operation for operation, target in writes if target in wanted)
        if not writing:
            continue
        if writing not in before:
            before[writing] = ancestors(writing)
        if before[writing] & one.gradients:
            used.append(one)
    paths = {
        _key(same_value(element)): path
        for path, element in reversed(elements)
        if path is not None and hasattr(element, "op")
    }
    merged: Dict[Any, Trained] = {}
    for one in _outermost(used):
        key = one.loss is not None and _key(one.loss)
        trained = merged.setdefault(key, Trained([], paths.get(key)))
        trained.variables.extend(set(one.variables) - set(trained.variables))
    return list(merged.values())


def _outermost(used: List[Differentiated]) -> List[Differentiated]:
    """Leave out the losses whose gradients are a part of another's, as in meta-learning."""
    if len(used) < 2:
        return used
    before = [set() if one.loss is None else ancestors([one.loss.op]) for one in used]
    return [one for one in used if not any(one.gradients & others for others in before)]


def _key(tensor: Any) -> Any:
    return tensor.op, tensor.value_index
