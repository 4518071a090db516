"""How far numbers may be apart before they part, and why so far.

A layer was computed alone, on both sides, from the same weights and the same inputs, in float32
and in float64. It parts where

- the two float64 computations differ by more than ``MEANING`` of the largest value: rounding in
  float64 is a hundred million times smaller, so the two mean something else; or
- the float32 error of one side, against float64, is more than ``FACTOR`` times the other's, and
  than ``FLOOR``: the rule by which PyTorch's compiler tests tell a wrong kernel from rounding
  (``torch._dynamo.utils.same``: an error against a float64 reference, a multiple of the error of
  the eager float32 computation). Each side's error is taken against its own float64.

Where a layer cannot be computed in float64, or computes in float32 whatever it is told (on both
sides its float64 values are its float32 values, bit for bit), it parts where the float32 values
differ by more than ``WITHOUT_FLOAT64``. All are relative to the largest absolute value of the array
in float64; the float32 errors of a layer's gradients to the largest of them all, since a sum of
terms that cancel is as uncertain as its terms are large. A layer that computes in 16 bits rounds as
much more as its numbers are shorter; that much it is allowed, up to ``MOST_IN_HALF``.

What is in no layer shows in the model: each side keeps what arrives at a layer in its own net, and
what it passes on. Where something arrives ``JUMP`` times further apart than all that was passed on
before, and by more than ``BETWEEN``, the operations between the layers are others.

Two runs have the same first batch, and a layer the same weights, where what each made itself is
``NEAR`` the other's: another model may have made it, whose rounding is in it. What a layer computes
alone is what it computed in the model within ``NEAR`` too, or ``ROUGHLY`` in 16 bits.

What is not in the first batch has its bounds in ``trajectory``.
"""

from keras_repro.studies.parity.findings import Another, Apart
from keras_repro.studies.parity.recorded import ArrayFacts

MEANING = 1e-6
FACTOR = 10.0
MEANING_FLOOR = 1e-7  # of a layer's largest gradient: no float32 tells less from nothing
FLOOR = 3e-6  # 25 ulps of float32: what sums of some hundred terms, in another order, give
WITHOUT_FLOAT64 = FACTOR * FLOOR
WHOLE_GRADIENT = 1e-4  # of the largest gradient of a model
JUMP = 100.0
BETWEEN = 1e-4
WITHOUT_TRAINING = 1e-3  # of what a model computes, and a layer in it, from the same weights
NEAR = 1e-4
ROUGHLY = 1e-1
MOST_IN_HALF = 0.1  # of what a whole model computes in 16 bits
ULPS = {"float16": 2.0**13, "bfloat16": 2.0**16}  # of float32, in one of theirs


def ulps(dtype: str) -> float:
    """Return how many ulps of float32 there are in one of a dtype."""
    return ULPS.get(dtype, 1.0)


def in_half(bound: float, ulps: float) -> float:
    """Return a bound for what a whole model computes, as wide as its numbers are short."""
    return max(bound, min(bound * ulps, MOST_IN_HALF))


def beyond(apart: Apart | None, bound: float) -> bool:
    """Whether arrays are further apart than a bound; what has no figure is, what is unknown not."""
    return isinstance(apart, Another) or (apart is not None and apart > bound)


def jumped(apart: Apart | None, bound: float, before: Apart) -> bool:
    """Whether arrays are beyond a bound, and ``JUMP`` times further apart than those before.

    Nothing jumps after what has no figure.
    """
    if isinstance(before, Another):
        return False
    return beyond(apart, max(bound, JUMP * before))


def further(one: Apart, other: Apart | None) -> Apart:
    """Return which of two is further apart; what has no figure is further than any."""
    if other is None or isinstance(one, Another):
        return one
    return other if isinstance(other, Another) else max(one, other)


def near(array: ArrayFacts) -> bool:
    """Whether an array is the reference's up to rounding; whole numbers have to be equal."""
    return array.equal or (array.apart is not None and not beyond(array.apart, NEAR))


def as_in_the_model(alone: Apart, dtype: str) -> bool:
    """Whether a layer alone computes what it does in the model, in a dtype or Keras' policy."""
    in_16_bits = dtype in ULPS or "mixed" in dtype
    return not beyond(alone, ROUGHLY if in_16_bits else NEAR)
