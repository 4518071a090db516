"""What is planted in ``net.py``, and what of it is to be said."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """A change, and how its first link is rightly named.

    ``kinds`` are the links that it may be called; ``steps`` the steps, from 1, that it must lie
    among, None where there is none; ``says`` are words that must stand in what is said, likely
    causes among it. ``releases`` are of a package, before and after; then both sides are planted.
    """

    name: str
    what: str
    kinds: tuple[str, ...]
    steps: range | None = None
    says: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()


PLANTS = (
    Plant(
        "release",
        "another release of a package, which scales the data",
        ("data",),
        None,
        ("(x)", "first train_on_batch", "toolz 0.12.0 -> 0.12.1"),
        ("toolz==0.12.0", "toolz==0.12.1"),
    ),
    Plant("seed", "another file of seeds", ("file",), None, ("seed.txt",)),
    # Keras of old draws initial weights from NumPy's generator, before there are data.
    Plant(
        "import",
        "ten numbers drawn before Keras is imported",
        ("data", "initial weights"),
        None,
        ("numpy.random",),
    ),
    Plant("datum", "one target", ("data",), None, ("(y)", "first train_on_batch")),
    Plant("initial", "one initial weight", ("initial weights",), None, ("0.dense.bias",)),
    Plant(
        "loaded",
        "one weight set before the first step",
        ("weights",),
        None,
        ("before the first step",),
    ),
    Plant("loss", "the loss", ("cost",), range(1, 2)),
    Plant("optimizer", "the optimizer", ("weights",), range(1, 2)),
    Plant("dropout", "the stream of dropout", ("cost",), range(1, 2)),
    Plant("later datum", "one target of step 5", ("data", "cost", "weights"), range(4, 9)),
    Plant("update", "one layer's update at step 5", ("weights", "cost"), range(5, 9)),
    Plant("asked", "what it is asked to predict", ("data",), None, ("predict",)),
)
