"""Watch the training loops of a script's own on PyTorch: ``backward``, ``grad``, optimizers.

Whose cost a loss is, the next optimizer's step says, by which of the weights that ``backward``
reached it changes: a generator's loss reaches the discriminator as well. Where one model alone was
reached, nothing is left to say.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import weakref
from types import ModuleType
from typing import Any, Callable, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional

from keras_repro.recorder.watch.capture import Capture
from keras_repro.recorder.watch.loops import scaled
from keras_repro.recorder.watch.loops.steps import Steps
from keras_repro.recorder.watch.loops.trouble import HAND_OVER, not_one_number, said
from keras_repro.recorder.watch.owners import Owners
from keras_repro.recorder.watch.values import as_array

SEEN = "_keras_repro_seen"  # set on an optimizer once it has made a step
KEEPING = ("arrays", "trail", "weights", "watch.spool", "watch.values") + tuple(
    "watch." + name
    for name in ("capture", "keras_methods", "loops", "models", "numbers", "owners", "running")
)


class Waiting(NamedTuple):
    """A loss of which it is not known yet which model's it is, and the weights it reached."""

    value: Any
    reached: FrozenSet[int]


def hooks(capture: Capture) -> Dict[str, Callable[[ModuleType], None]]:
    """Return what to do once PyTorch, and once Keras has been imported."""
    loops = TorchLoops(capture, Steps(capture))
    return {
        "torch": loops.watch_torch,
        "torch._dynamo.trace_rules": _leave_alone,
        "keras": loops.watch_keras,
    }


class TorchLoops:
    """Watches PyTorch's automatic differentiation and its optimizers, and those of Keras 3."""

    def __init__(self, capture: Capture, steps: Steps) -> None:
        self._capture = capture
        self._steps = steps
        self._waiting: List[Waiting] = []
        self._last: Any = lambda: None  # what was differentiated last
        self._looked = False
        self._now = threading.local()  # inside: another backward, which recomputes a part
        capture.held.append(self._let_go)

    def watch_torch(self, torch: ModuleType) -> None:
        """Watch what differentiates, and each step of an optimizer."""
        autograd: Any = torch.autograd
        self._is_tensor: Any = lambda value: isinstance(value, torch.Tensor)
        try:
            from torch.optim import optimizer  # noqa: PLC0415 - it is there by now

            optimizer.register_optimizer_step_pre_hook(self._before_step)
            optimizer.register_optimizer_step_post_hook(self._after_step)
        except (ImportError, AttributeError):
            return
        with contextlib.suppress(AttributeError, KeyError):
            scaled.watch(self._capture, torch.amp.grad_scaler.GradScaler, "scale", scaled.carry)
        autograd.backward = self._then_seen(autograd.backward, self._see_backward)
        autograd.grad = _listed(self._then_seen(autograd.grad, self._see_grad))

    def watch_keras(self, keras: ModuleType) -> None:
        """Watch the optimizers of Keras 3."""
        if keras.__version__.startswith("2.") or keras.backend.backend() != "torch":
            return
        scaled.watch_keras(self._capture, keras)
        optimizer_class: Any = keras.optimizers.Optimizer
        apply = optimizer_class.apply

        @functools.wraps(apply)
        def call(
            optimizer: Any, grads: Any, trainable_variables: Any = None, *args: Any, **kwargs: Any
        ) -> Any:
            if trainable_variables is not None:
                trainable_variables = list(trainable_variables)
            if self._capture.running.in_keras:
                return apply(optimizer, grads, trainable_variables, *args, **kwargs)
            with said(self._capture):
                self._give(trainable_variables or optimizer._trainable_variables)
            result = apply(optimizer, grads, trainable_variables, *args, **kwargs)
            with said(self._capture):
                self._steps.update()
            return result

        optimizer_class.apply = call

    def _then_seen(self, function: Callable[..., Any], see: Callable[..., Any]) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._now, "inside", False) or self._capture.running.in_keras:
                return function(*args, **kwargs)
            after = None
            with said(self._capture):
                self._capture.before_update(again=not self._looked)
                self._looked = True
                after = see(*args, **kwargs)
            self._now.inside = True
            try:
                result = function(*args, **kwargs)
            finally:
                self._now.inside = False
            if after is not None:
                with said(self._capture):
                    after()
            return result

        return call

    def _see_backward(
        self,
        tensors: Any,
        grad_tensors: Any = None,
        *args: Any,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> Optional[Callable[[], None]]:
        """Return what is to be done afterwards: see which weights got a gradient."""
        if any(each is not None for each in _each(grad_tensors)):
            self._say_weighed()
            return None
        owners = self._capture.models.owners()
        before = [parameter.grad for parameter in owners.values]
        versions = [None if grad is None else grad._version for grad in before]

        def after() -> None:
            changed = tuple(
                now is not None and (now is not grad or now._version != version)
                for now, grad, version in zip(
                    [parameter.grad for parameter in owners.values], before, versions
                )
            )
            self._see(tensors, owners, owners.at(changed))

        return after

    def _see_grad(
        self, outputs: Any, inputs: Any, grad_outputs: Any = None, *args: Any, **kwargs: Any
    ) -> Optional[Callable[[], None]]:
        """Return what is to be done afterwards: see a loss that is differentiated by weights."""
        sources = inputs.values() if isinstance(inputs, dict) else _each(inputs)
        # Weights are leaves; what a net was given is none of its weights.
        sources = [each for each in sources if self._is_tensor(each) and each.is_leaf]
        watched = self._capture.models.of_variables(sources) if sources else None
        if watched is None:
            return None
        if any(each is not None for each in _each(grad_outputs)):
            self._say_weighed()
            return None
        if kwargs.get("create_graph") or (len(args) > 1 and args[1]):
            return lambda: self._capture.loop_unseen(
                "losses whose gradients are differentiated again were not kept; " + HAND_OVER,
                watched,
            )
        owners = self._capture.models.owners()
        return lambda: self._see(outputs, owners, frozenset(owners.ids(sources)))

    def _say_weighed(self) -> None:
        self._capture.loop_unseen(
            "what was differentiated with weights of its own is no loss; " + HAND_OVER
        )

    def _see(self, tensors: Any, owners: Owners, reached: FrozenSet[int]) -> None:
        if not reached:
            return
        for tensor in _each(tensors):
            if not self._is_tensor(tensor) or tensor is self._last():
                continue  # differentiated by parts of the weights, one after the other
            self._last = weakref.ref(tensor)
            if tensor.numel() != 1:
                self._capture.loop_unseen(not_one_number(tensor.shape))
                continue
            self._steps.cost()
            value = as_array(scaled.loss_of(tensor)).copy()
            watched = owners.only(reached)
            if watched is not None and not self._waiting:
                self._capture.model_cost(watched, value)
            else:
                self._waiting.append(Waiting(value, reached))

    def _give(self, variables: Iterable[Any]) -> None:
        """Give what waits to the model of these variables, where it reached any of them."""
        self._last = lambda: None
        if not self._waiting:
            return
        owners = self._capture.models.owners()
        changed = owners.ids(variables)
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            watched = owners.of_ids(each.reached & changed)
            if watched is None:
                self._waiting.append(each)
            else:
                self._capture.model_cost(watched, each.value)

    def _let_go(self) -> None:
        """Give what waits to the model that has all that it reached: there was no optimizer."""
        waiting, self._waiting = self._waiting, []
        with said(self._capture):
            for each in waiting:
                watched = self._capture.models.owners().whole(each.reached)
                if watched is not None:
                    self._capture.model_cost(watched, each.value)
                else:
                    self._capture.loop_unseen(
                        "losses that reach the weights of several models, of which no optimizer"
                        " says whose they are; " + HAND_OVER
                    )

    def _before_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        if self._capture.running.in_keras:
            return
        with said(self._capture):
            self._capture.before_update(again=SEEN not in vars(optimizer))
            vars(optimizer)[SEEN] = True
            self._give(_parameters(optimizer))

    def _after_step(self, optimizer: Any, args: Any, kwargs: Any) -> None:  # noqa: ARG002
        if self._capture.running.in_keras:
            return
        with said(self._capture):
            parameters = _parameters(optimizer)
            self._give(parameters)  # what its closure differentiated
            owners = self._capture.models.owners()
            if any(owners.has(parameter) for parameter in parameters):
                self._steps.update()


def _leave_alone(rules: ModuleType) -> None:
    """Have PyTorch's compiler run as it is what keeps numbers; it may follow what watches Keras."""
    with contextlib.suppress(AttributeError, TypeError):
        for name in KEEPING:
            rules.add("keras_repro.recorder." + name)


def _listed(grad: Callable[..., Any]) -> Callable[..., Any]:
    """Return it so that it gets its inputs as a list, where they come one by one."""

    @functools.wraps(grad)
    def call(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(inputs, Iterator):
            inputs = list(inputs)
        return grad(outputs, inputs, *args, **kwargs)

    return call


def _parameters(optimizer: Any) -> List[Any]:
    return [each for group in optimizer.param_groups for each in group["params"]]


def _each(tensors: Any) -> List[Any]:
    return list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
