"""Decide by seeds on backends, releases and planted changes; write what came out: make answers.

Each run is kept in artifacts/answers/ and in the user's cache. What was interrupted goes on, and
what is there is not run again.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from keras_repro import backends
from keras_repro.atomic import write_whole
from keras_repro.engines.select import select
from keras_repro.errors import KerasReproError
from keras_repro.numbers.chance.decide import Decision, Found, Question
from keras_repro.recorder import facts
from keras_repro.report.ensemble.words import number
from keras_repro.runs.ensemble import EnsembleFacts
from keras_repro.studies.ensemble.equivalent import Compared, Side, equivalent
from tools.answers.made import WORKLOADS, Ensembles

PAGE = Path("docs/answers.md")
REFERENCE = "tensorflow"
RELEASES = (  # on which backends, and what
    (("tensorflow", "jax", "torch"), "keras==3.14.1"),
    (("jax",), "jax==0.4.38"),
)
CHANGED_ON = "jax"
NORMAL = """\
import functools
Dense = functools.partial(Dense, kernel_initializer="glorot_normal")
"""
EPSILON = """\
import functools
BatchNormalization = functools.partial(BatchNormalization, epsilon=1e-5)
"""
FEW = (5, 10, 20, 30)
HEAD = """\
# What seeds say of the bundled workloads

Whether it matters that the numbers are others, for the workloads that come with keras-repro: on
other backends, with other releases, and with changes that were planted. {count} seeds a side; the
scripts seed their data, so that initial weights, dropout and the order of batches are what the
seeds vary. This page is made by `make answers` on {machine}; how it is decided stands in
[By chance or not](guides/ensembles.md).

**equivalent**: each mean that counts is shown to be within one standard deviation of the expected
seeds. **different**: chance does not account for it; the scalar that is furthest off is named, with
the difference of its means in standard deviations. **inconclusive**: neither.
"""
OF_BACKENDS = """
## Are the backends equivalent?

Each against {reference}.
"""
OF_REGRESSION = """
On JAX the regression is trained with other data: its script seeds NumPy before it imports Keras,
and importing JAX draws from NumPy's generator ([the trail](reference/trail.md) says so). On Theano
Keras 2.3.1 draws initial weights from NumPy's generator, which the scripts seed.
"""
OF_RELEASES = """
## Does the release matter?

Each against the release that the backend has now. In most of these every bit is another one.
"""
OF_CHANGES = """
## Which changes are found?

Planted on {backend}, against the script as it is; and of how many seeds on the changed side it
takes to call it different, where {count} did.
"""
CHANGES = {
    "the learning rate times 1.05": lambda of, name: of.with_plant(
        name, CHANGED_ON, {"learning-rate": "0.05"}
    ),
    "batch normalisation's epsilon 1e-5 for 1e-3": lambda of, name: (
        of.with_text(name, CHANGED_ON, "epsilon", EPSILON)
        if name == "classifier"
        else "it has no batch normalisation"
    ),
    "initial weights normal for uniform, of the same variance": lambda of, name: of.with_text(
        name, CHANGED_ON, "normal", NORMAL
    ),
}


def main() -> None:
    """Make the ensembles that are missing, and write the page."""
    parser = argparse.ArgumentParser(prog="make answers", description=__doc__)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--workload", action="append", default=[], choices=WORKLOADS)
    parser.add_argument("--write", action="store_true", help=f"Write {PAGE}, and do not print it.")
    options = parser.parse_args()
    with select(options.engine)[0] as engine:
        of = Ensembles(engine, options.seeds)
        page = "\n".join(_lines(of, options.workload or WORKLOADS))
    if options.write:
        write_whole(PAGE, f"{page}\n".encode())
    else:
        print(page)


def _lines(of: Ensembles, workloads: Sequence[str]) -> Iterator[str]:
    cpu = facts.cpu_facts()
    yield HEAD.format(count=of.count, machine=f"{cpu['cores']} cores of {cpu['model']}")
    yield OF_BACKENDS.format(reference=REFERENCE)
    others = [name for name in backends.load() if name != REFERENCE]
    yield from _table("workload", others)
    for name in workloads:
        expected = of.of(name, REFERENCE)
        yield _row(name, [_answer(expected, of.of(name, other)) for other in others])
    if "regression" in workloads:
        yield OF_REGRESSION
    yield OF_RELEASES
    titles = [f"{wanted}, {name}" for names, wanted in RELEASES for name in names]
    yield from _table("workload", titles)
    for name in workloads:
        cells = [
            _answer(of.of(name, backend), of.with_packages(name, backend, wanted))
            for names, wanted in RELEASES
            for backend in names
        ]
        yield _row(name, cells)
    yield OF_CHANGES.format(backend=CHANGED_ON, count=of.count)
    yield from _table("workload", list(CHANGES))
    for name in workloads:
        expected = of.of(name, CHANGED_ON)
        yield _row(name, [_found(expected, make(of, name)) for make in CHANGES.values()])


def _table(first: str, others: Sequence[str]) -> Iterator[str]:
    yield f"| {first} | {' | '.join(others)} |"
    yield "|---" * (len(others) + 1) + "|"


def _row(name: str, cells: Sequence[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _answer(expected: Side | str, obtained: Side | str) -> str:
    """Return the decision on two ensembles in a cell's words."""
    for side in (expected, obtained):
        if isinstance(side, str):
            return f"none: {side[:100]}"
    return _words(equivalent(expected, obtained, {}))


def _words(compared: Compared) -> str:
    decision = compared.decision
    if decision is Decision.EQUIVALENT:
        same = all(one.scalar.same for one in compared.found)
        return "equivalent (the same numbers)" if same else "equivalent"
    named = [one for one in compared.found if one.decision is decision]
    counting = [one for one in named if one.scalar.primary] or named
    return f"{decision}: {_furthest(max(counting, key=_effect))}"


def _effect(one: Found) -> float:
    """Return how far the means are apart, in standard deviations of the expected seeds."""
    deviation = one.deviations[0] or one.deviations[1]
    return abs(one.difference) / deviation if deviation else 0.0


def _furthest(one: Found) -> str:
    name = f"`{one.name}`"
    if Question.RATE in one.significant and not one.rate_within:
        return f"{name} {one.apart[0]} and {one.apart[1]} seeds lie apart"
    if Question.SPREAD in one.significant and one.deviations[0]:
        return f"{name} spread {one.deviations[1] / one.deviations[0]:.2g} times"
    return f"{name} {number(_effect(one) * (1 if one.difference > 0 else -1), True, 2)} sd"


def _found(expected: Side | str, obtained: Side | str) -> str:
    words = _answer(expected, obtained)
    if isinstance(expected, str) or isinstance(obtained, str) or not words.startswith("different"):
        return words
    for count in FEW:
        if count > len(obtained.facts.seeds):
            break
        few = Side(None, _first(obtained.facts, count))
        if equivalent(expected, few, {}).decision is Decision.DIFFERENT:
            return f"{words}; {count} seeds"
    return words


def _first(facts_of: EnsembleFacts, count: int) -> EnsembleFacts:
    """Return an ensemble of the first seeds of another one. Its margins are not looked at."""
    scalars = {
        name: scalar.model_copy(update={"values": scalar.values[:count]})
        for name, scalar in facts_of.scalars.items()
    }
    return facts_of.model_copy(update={"seeds": facts_of.seeds[:count], "scalars": scalars})


if __name__ == "__main__":
    try:
        main()
    except KerasReproError as error:
        raise SystemExit(f"keras-repro: {error}") from None
