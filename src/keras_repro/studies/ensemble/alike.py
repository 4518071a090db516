"""What was the same for all seeds, as their trails tell, and what in the script fixes it."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keras_repro.errors import KerasReproError
from keras_repro.runs.run import Run
from keras_repro.runs.trail import Data, Generators, InitialWeights, Trail
from keras_repro.studies.train.nondeterminism import MOST_BYTES, dotted, has_no_seed, imported

# What each seeds, in words.
SEEDING = {
    "random.seed": "Python",
    "numpy.random.seed": "NumPy",
    "numpy.random.default_rng": "a generator of NumPy",
    "numpy.random.RandomState": "a generator of NumPy",
    "keras.utils.set_random_seed": "all generators",
    "tensorflow.keras.utils.set_random_seed": "all generators",
    "tensorflow.random.set_seed": "TensorFlow",
    "tensorflow.set_random_seed": "TensorFlow",
    "tensorflow.compat.v1.set_random_seed": "TensorFlow",
    "torch.manual_seed": "PyTorch",
    "jax.random.PRNGKey": "a generator of JAX",
    "jax.random.key": "a generator of JAX",
}
MOST_FILES = 100


@dataclass(frozen=True)
class Seeding:
    """A place at which the script seeds something itself: ``train.py:9``, and what, in words."""

    place: str
    what: str


@dataclass(frozen=True)
class Alike:
    """What was the same for all seeds; None where that is not known.

    ``data`` names the arguments that were the same, and ``other_data`` those that were not.
    ``seedings`` are the places at which the script seeds something itself, ``generators`` those
    that stand alike in all runs somewhere, though they began otherwise.
    """

    everything: bool
    data: list[str] | None = None
    other_data: list[str] = field(default_factory=list)
    initial_weights: bool | None = None
    seedings: list[Seeding] = field(default_factory=list)
    generators: list[str] = field(default_factory=list)


def alike(runs: Sequence[Run], seedings: list[Seeding]) -> Alike:
    """Return what was the same for all runs, of which there are two or more."""
    everything = len({_bits(run) for run in runs}) == 1
    trails = [_trail(run) for run in runs]
    known = [trail for trail in trails if trail is not None]
    if len(known) < len(runs):
        return Alike(everything, seedings=seedings)
    data = [_data(trail) for trail in known]
    every = dict.fromkeys(argument for one in data for argument in one)
    same = [a for a in every if len({one.get(a) for one in data}) == 1 and data[0].get(a)]
    unseen = any(None in digests for one in data for digests in one.values())
    weights = {_initial_weights(trail) for trail in known}
    return Alike(
        everything,
        None if unseen or not every else same,
        [argument for argument in every if argument not in same],
        None if () in weights else len(weights) == 1,
        seedings,
        _fixed(known),
    )


def seedings_in(folder: Path, files: Sequence[Path]) -> list[Seeding]:
    """Return where these files, below ``folder``, seed something with a seed of their own.

    Read from the text alone: names are followed through imports, not through variables.
    """
    found = []
    for path in files[:MOST_FILES]:
        try:
            if (folder / path).stat().st_size > MOST_BYTES:
                continue
            tree = ast.parse((folder / path).read_bytes())
        except (OSError, ValueError, SyntaxError, RecursionError):
            continue
        name = path.name if path.is_absolute() else path
        found += [Seeding(f"{name}:{line}", what) for line, what in sorted(set(_calls(tree)))]
    return found


def _calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    names = dict(imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not has_no_seed(node):
            what = SEEDING.get(dotted(node.func, names))
            if what is not None:
                yield node.lineno, what


def _bits(run: Run) -> tuple[object, ...]:
    facts = run.facts
    return (
        facts.arrays_sha256,
        *((name, one.sha256) for name, one in sorted(facts.summaries.items())),
    )


def _trail(run: Run) -> Trail | None:
    try:
        return run.trail.trail
    except KerasReproError:  # a script may write anything there; then it tells nothing
        return None


def _data(trail: Trail) -> dict[str, tuple[str | None, ...]]:
    """Return the digests of what was trained with and tested with, by call and argument."""
    found: dict[str, tuple[str | None, ...]] = {}
    for link in trail.links:
        if isinstance(link, Data):
            name = f"{link.argument} of {link.call}" if link.argument else link.call
            digest = None if link.value is None else link.value.digest
            found[name] = (*found.get(name, ()), digest)
    return found


def _initial_weights(trail: Trail) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{link.model} {name}", value.digest)
        for link in trail.links
        if isinstance(link, InitialWeights)
        for name, value in link.weights.items()
    )


def _fixed(trails: Sequence[Trail]) -> list[str]:
    """Return the generators that something seeds: the script, or a library that it calls."""
    states = [[link for link in trail.links if isinstance(link, Generators)] for trail in trails]
    found = []
    for name in dict.fromkeys(name for link in states[0] for name in link.states):
        each = [[link.states.get(name) for link in links] for links in states]
        points = list(zip(*each, strict=False))
        if points and len(set(points[0])) > 1 and any(len(set(at)) == 1 for at in points[1:]):
            found.append(name)
    return found
