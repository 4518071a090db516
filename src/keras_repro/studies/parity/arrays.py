"""Judge one array on both sides by the reasoning of ``bounds``, or by tolerances."""

from collections.abc import Mapping

import numpy as np

from keras_repro.errors import UnreadableError
from keras_repro.numbers.differences import Array
from keras_repro.runs.npz import Stored
from keras_repro.studies.parity.bounds import (
    FACTOR,
    FLOOR,
    MEANING,
    MEANING_FLOOR,
    WITHOUT_FLOAT64,
    in_half,
)
from keras_repro.studies.parity.findings import Another, Apart, Finding, Rule
from keras_repro.studies.parity.recorded import REMEDY

Arrays = Mapping[str, Stored]  # of one side, by name


def compared(
    kind: str,
    index: int,
    label: str,
    reference: Arrays,
    against: Arrays,
    key: str,
    rule: Rule,
    wide: float = 0.0,
    excused: bool = False,
    ulps: float = 1.0,
) -> Finding:
    """Return how an array compares.

    ``wide`` is a scale for float32 errors that is larger; ``excused`` says that one side may lack
    it, since it could compute none, which is said elsewhere.
    """
    if key not in reference or key not in against:
        # Frameworks differ in what they say of a gradient that is nothing: none, or zeros.
        there = loaded(reference if key in reference else against, key)
        why = "" if excused or not np.any(there) else "only one side has it"
        return Finding(kind, index, label, why=why)
    mine, other = loaded(reference, key), loaded(against, key)
    if mine.shape != other.shape:
        return Finding(kind, index, label, Another.SHAPE, why=_shapes(mine, other))
    key64 = f"{key.removesuffix(f'/{kind}/{index}')}/float64/{kind}/{index}"
    mine64, other64 = (_of_shape(side, key64, mine.shape) for side in (reference, against))
    if _is_narrow(mine64, mine) and _is_narrow(other64, other):
        mine64 = other64 = None if not np.array_equal(mine, other) else mine64
    truth = mine64 if mine64 is not None else other64
    scale = largest(mine if truth is None else truth) or largest(other) or 1.0
    apart64 = error_reference = error_against = None
    if mine64 is not None and other64 is not None:
        apart64 = largest(minus(mine64, other64)) / scale
        if apart64 * scale <= MEANING_FLOOR * wide:
            apart64 = 0.0
    scale = max(scale, wide)
    apart = largest(minus(mine, other)) / scale
    if truth is not None:
        error_reference = largest(minus(mine, mine64 if mine64 is not None else truth)) / scale
        error_against = largest(minus(other, other64 if other64 is not None else truth)) / scale
    if rule.by_tolerance:
        why = _outside(mine, other, rule)
    else:
        why = _other_kind(mine, other) or _why(apart, apart64, error_reference, error_against, ulps)
    return Finding(kind, index, label, apart, apart64, error_reference, error_against, why)


def gradient_compared(
    label: str, mine: Array, other: Array, scale: float, bound: float, rule: Rule
) -> Finding:
    """Return how a gradient of a whole model compares, relative to ``scale``."""
    if mine.shape != other.shape:
        return Finding("gradient", 0, label, Another.SHAPE, why=_shapes(mine, other))
    apart = largest(minus(mine, other)) / scale
    if rule.by_tolerance:
        why = _outside(mine, other, rule)
    else:
        far = not apart <= bound
        why = _other_kind(mine, other) or (f"differs by {apart:.1e}" if far else "")
    return Finding("gradient", 0, label, apart, why=why)


def passed_apart(reference: Arrays, against: Arrays, start: str) -> Apart | None:
    """Return how far outputs differ where each side goes through its own net, at most.

    ``start`` begins their names; None where there are none.
    """
    found = []
    for name in reference:
        if not name.startswith(start) or name not in against:
            continue
        try:
            mine, other = loaded(reference, name), loaded(against, name)
        except UnreadableError:
            continue
        if mine.shape != other.shape:
            return Another.SHAPE
        if _other_kind(mine, other):
            return Another.KIND
        found.append(largest(minus(mine, other)) / (largest(mine) or 1.0))
    return max(found, default=None)


def loaded(arrays: Arrays, key: str) -> Array:
    """Return an array. Raises UnreadableError: it is damaged, or holds no numbers."""
    array: Array = arrays[key].load()
    if array.dtype.kind not in "fiubc":
        raise UnreadableError(f"{key} holds no numbers; {REMEDY}")
    return array


def minus(mine: Array, other: Array) -> Array:
    """Return the difference in float64, 0 where it is not finite."""
    with np.errstate(all="ignore"):
        apart = mine.astype(float) - other.astype(float)
    return np.where(np.isfinite(apart), apart, 0.0)


def largest(array: Array) -> float:
    """Return the largest finite absolute value, 0 where there is none."""
    with np.errstate(all="ignore"):
        values = np.abs(array.astype(float))
    values = values[np.isfinite(values)]
    return float(values.max()) if values.size else 0.0


def _why(
    apart: float,
    apart64: float | None,
    error_reference: float | None,
    error_against: float | None,
    ulps: float,
) -> str:
    """Return why two arrays part in what is finite, or nothing."""
    floor = FLOOR * ulps
    if apart64 is not None and apart64 > MEANING:
        return f"means something else: {apart64:.1e} apart in float64 too"
    if apart <= floor:
        return ""
    if error_reference is None or error_against is None:
        far = apart > in_half(WITHOUT_FLOAT64, ulps)
        return f"differs by {apart:.1e}, and no float64 tells why" if far else ""
    worse, better = sorted((error_reference, error_against), reverse=True)
    if worse > FACTOR * max(better, floor):
        who = "the reference" if error_reference == worse else "the other"
        return f"{who} is {worse:.1e} off float64, the peer {better:.1e}"
    return ""


def _other_kind(mine: Array, other: Array) -> str:
    """Return why two arrays part in what is no finite number, or nothing."""
    if mine.dtype.kind != "f" or other.dtype.kind != "f":
        return ""
    if not np.array_equal(np.isfinite(mine), np.isfinite(other)):
        return "one side is not finite where the other is"
    with np.errstate(all="ignore"):
        if np.array_equal(mine[~np.isfinite(mine)], other[~np.isfinite(other)], equal_nan=True):
            return ""
    return "is infinite with another sign, or no number, where the other is infinite"


def _outside(mine: Array, other: Array, rule: Rule) -> str:
    rtol, atol = rule.rtol or 0.0, rule.atol or 0.0
    close = np.isclose(other, mine, rtol=rtol, atol=atol, equal_nan=True)
    if np.all(close):
        return ""
    return f"{int(np.sum(~close))} of {close.size} outside rtol {rtol:g}, atol {atol:g}"


def _shapes(mine: Array, other: Array) -> str:
    return f"shape {mine.shape} and {other.shape}"


def _of_shape(arrays: Arrays, key: str, shape: tuple[int, ...]) -> Array | None:
    """Return an array, None where there is none or it has another shape."""
    array = loaded(arrays, key) if key in arrays else None
    return array if array is not None and array.shape == shape else None


def _is_narrow(wide: Array | None, narrow: Array) -> bool:
    """Whether a layer computed in float32 where it was to compute in float64: bit for bit."""
    if wide is None or narrow.dtype.kind != "f":
        return False
    return np.array_equal(wide, narrow.astype(float), equal_nan=True)
