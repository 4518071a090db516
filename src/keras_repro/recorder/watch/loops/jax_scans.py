"""Watch ``jax.lax.scan`` where a script calls it itself: its function is a step, traced once.

What the step returns beside what it carries comes out stacked, the losses of all steps among it.
"""

from __future__ import annotations

import functools
import sys
from typing import Any, Dict, Tuple

from keras_repro.recorder.watch.loops.jax_compilations import NOT_RETURNED, Compilations
from keras_repro.recorder.watch.loops.jax_jit import Static
from keras_repro.recorder.watch.loops.jax_losses import Losses

NAMES = ("f", "init", "xs", "length")


class Scans:
    """Watches what is scanned: each trace, and each call."""

    def __init__(self, losses: Losses, compilations: Compilations) -> None:
        self._losses = losses
        self._compilations = compilations
        self._careful = losses.careful

    def watch(self, jax: Any) -> None:
        """Watch from now on. Once."""
        original = jax.lax.scan

        @functools.wraps(original)
        def scan(*args: Any, **kwargs: Any) -> Any:
            given = dict(zip(NAMES, args), **kwargs)
            if (
                not self._losses.own.has(sys._getframe(1))
                or not callable(given.get("f"))
                or "init" not in given
                or given.get("reverse")
                or len(args) > len(NAMES)
                or jax.config.jax_disable_jit
            ):
                return original(*args, **kwargs)
            function = given.pop("f")
            known = self._compilations.function(function)
            static = known.static = Static(function, {}, jax)
            count = known.count
            result = original(known.wrapper, **given)

            def after() -> None:
                traced = known.latest
                if known.count == count:  # it was not traced anew
                    traced = known.look_up(static, self._of_a_step(jax, given), {})
                if traced is not None and traced.matters:
                    self._after(function, traced, given, result)

            if not self._careful.do(function, after):
                self._losses.weights.lose(known.variables())
            return result

        jax.lax.scan = scan

    def _of_a_step(self, jax: Any, given: Dict[str, Any]) -> Tuple[Any, Any]:
        """Return what the step was traced for, as far as shapes and types go."""

        def part(leaf: Any) -> Any:
            return jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype)

        return given["init"], jax.tree_util.tree_map(part, given.get("xs"))

    def _after(self, function: Any, traced: Any, given: Dict[str, Any], result: Any) -> None:
        leaves = self._losses.leaves
        carried, parts = leaves(given["init"]), leaves(given.get("xs"))
        length = len(parts[0]) if parts else given["length"]
        if length:
            scan = traced.scanned(len(carried), length)
            if scan.lost > traced.lost:
                self._careful.unseen(function, NOT_RETURNED)
            self._losses.after_call(function, scan, lambda: carried, leaves(result))
