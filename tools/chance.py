"""Simulate ensembles whose truth is known, and write docs/chance.md: make chance.

Each row of its tables draws pairs of ensembles and counts what is decided. The same seed gives the
same page.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_repro.atomic import write_whole
from keras_repro.numbers.chance.apart import ordinary
from keras_repro.numbers.chance.decide import Decision, Scalar, decide, decision_of
from keras_repro.numbers.chance.location import p_of_location
from keras_repro.numbers.chance.spread import p_of_spread
from keras_repro.numbers.chance.within import apart, deviation_of, own_margin
from keras_repro.numbers.differences import Array
from tools.chance_of_search import of_searches

PAGE = Path("docs/chance.md")
DECIDED, DRAWN, SEED = 1_000, 20_000, 1
HEAD = """\
# By chance or not: how good the decision is

[Ensembles](guides/ensembles.md) of seeds are decided on by `keras-repro equivalent`. Here is what
it decides where the truth is known: numbers of seeds are drawn by a computer from distributions
that differ by so much, and the same code decides. `make chance` makes this page; it draws the
same numbers each time.

"sd" is the standard deviation of the expected seeds, and one of them is the margin, *estimated
from the seeds themselves* as it is where nobody gives one.

## What is promised

- **different** is said of ensembles between which nothing differs in at most 5 % of all cases.
- **equivalent** is said of ensembles of which a mean that counts is off by the margin, or more,
  in at most 5 %; of evenly spread values, which a training seldom gives, in 5.3 %.
- Otherwise it says **inconclusive**: that no difference was found is no evidence of sameness.

## What is decided

{DECIDED} pairs of ensembles a row; a rate of 5 % is known to ±0.7.
{DECISIONS}

Of ensembles that are off by the margin nearly all are found to be different: the two tests do not
exclude each other, and the smaller the number of seeds, the more is left undecided. Where seeds
fail to train, the others are compared, and that as many fail takes some hundred seeds to show.

## The margin is an estimate

A margin of one standard deviation is known from 30 seeds to a seventh only. Two one-sided tests
that take it for exact say "equivalent" too often where the true difference is just one deviation.
So each seed's share of the margin goes into the error: the upper test is Welch's one-sided t-test
of the obtained seeds against `x + s + (e^2 - mean(e^2)) / (2 s)`, with `e = x - mean(x)` and `s`
the standard deviation of the expected seeds `x`; the lower one has a minus. The last term is the
influence of a seed on the standard deviation (Hampel and others, *Robust Statistics*, 1986, 2.1;
Efron, *The Jackknife, the Bootstrap and Other Resampling Plans*, 1982, chapter 6). It needs no
normal values: of heavy tails and skewed values the share is larger. What it costs is a power of
two in a hundred at 30 and 30 seeds.

How often the mean is shown to be within the margin, {DRAWN} pairs a row:

{MARGINS}

A margin that a person gives as a number is exact, and is taken so.

## Why seeds are dealt out anew

The p-value of a difference of means is that of Welch's t among 9,999 ways to deal the seeds out
to the two sides. Where the two sides are alike it errs in 5 %, however few the seeds and whatever
their shape, which the t distribution does not for few or uneven values. For normal values both
are the same, so there is one rule and no test of normality before it. Rejected at 5 %:

{TESTS}

## A search over many seeds

`keras-repro bisect --tolerance distribution` looks at each point with few seeds first, then with
more, and at several points. Here are searches of 30 releases with at most 30 seeds at each, made
of the same code, {SEARCHED} a row: a rate of 5 % is known to ±1.5. A release before the right one,
or any where nothing differs, is to be blamed in at most 5 %. "Trainings" is how many a search
makes.

{SEARCHES}
"""
SIZES = ((30, 30), (30, 20), (30, 10), (10, 5))


@dataclass(frozen=True)
class Shape:
    """A distribution with mean 0 and standard deviation 1, in words, and how it is drawn."""

    words: str
    draw: Callable[[np.random.Generator, tuple[int, ...]], Array]


def _skewed(generator: np.random.Generator, shape: tuple[int, ...], sigma: float = 0.5) -> Array:
    square = sigma**2
    values = np.exp(sigma * generator.standard_normal(shape)) - np.exp(square / 2)
    return values / np.sqrt((np.exp(square) - 1) * np.exp(square))


NORMAL = Shape("normal", lambda generator, shape: generator.standard_normal(shape))
SHAPES = (
    NORMAL,
    Shape("uniform", lambda g, shape: (g.random(shape) - 0.5) * np.sqrt(12)),
    Shape("heavy tails (t, 5 degrees)", lambda g, s: g.standard_t(5, s) / np.sqrt(5 / 3)),
    Shape("heavy tails (t, 3 degrees)", lambda g, s: g.standard_t(3, s) / np.sqrt(3)),
    Shape("skewed (log-normal, 0.5)", _skewed),
    Shape("skewed (log-normal, 1)", lambda g, s: _skewed(g, s, 1.0)),
    Shape("four values", lambda g, s: (g.binomial(3, 0.3, s) - 0.9) / np.sqrt(0.63)),
    Shape("two values, 4 : 6", lambda g, s: ((g.random(s) < 0.4) - 0.4) / np.sqrt(0.24)),
)

# A pair of ensembles: [scalars, seeds] of each side.
Pair = tuple[Array, Array]


@dataclass(frozen=True)
class Truth:
    """A row: what is true, in words, and how a pair of ensembles is drawn under it."""

    words: str
    draw: Callable[[np.random.Generator], Pair]
    few: bool = False  # pairs, since each has other counts, and its seeds are dealt out anew


def plain(n: int, m: int, shift: float = 0.0, spread: float = 1.0, scalars: int = 1) -> Truth:
    """Return normal ensembles; of their scalars the first is off and spread otherwise."""
    words = "nothing differs" if (shift, spread) == (0, 1) else ""
    words = words or (f"the mean is off by {shift:g} sd" if shift else f"the spread is {spread:g}x")
    more = f", {scalars} scalars" if scalars > 1 else ""

    def draw(generator: np.random.Generator) -> Pair:
        first = generator.standard_normal((scalars, n))
        second = generator.standard_normal((scalars, m))
        second[0] = spread * second[0] + shift
        return first, second

    return Truth(f"{words}{more}; {n} and {m} seeds", draw)


def shaped(shape: Shape, shift: float, n: int = 30) -> Truth:
    """Return ensembles of a shape."""
    words = f"the mean is off by {shift:g} sd" if shift else "nothing differs"

    def draw(generator: np.random.Generator) -> Pair:
        return shape.draw(generator, (1, n)), shape.draw(generator, (1, n)) + shift

    return Truth(f"{shape.words}: {words}; {n} and {n} seeds", draw)


def failing(first: float, second: float, shift: float, n: int, value: float = 100.0) -> Truth:
    """Return ensembles of which some seeds fail to train, or diverge."""
    what = "diverge" if np.isnan(value) else "fail to train"
    words = f"{first:.0%} and {second:.0%} {what}"
    words += f", the others off by {shift:g} sd" if shift else ""

    def draw(generator: np.random.Generator) -> Pair:
        sides = generator.standard_normal((1, n)), generator.standard_normal((1, n)) + shift
        for side, share in zip(sides, (first, second), strict=True):
            side[generator.random(side.shape) < share] = value
        return sides

    few = n > 100
    words += f"; {n} and {n} seeds" + (", a tenth of the pairs" if few else "")
    return Truth(words, draw, few)


def correlated(scalars: int, shift: float) -> Truth:
    """Return ensembles whose scalars have much to do with each other."""
    words = f"{scalars} scalars, correlated by 0.7: "
    words += f"one is off by {shift:g} sd" if shift else "nothing differs"

    def draw(generator: np.random.Generator) -> Pair:
        sides = []
        for _ in range(2):
            common = generator.standard_normal((1, 30))
            own = generator.standard_normal((scalars, 30))
            sides.append(np.sqrt(0.7) * common + np.sqrt(0.3) * own)
        sides[1][0] += shift
        return sides[0], sides[1]

    return Truth(f"{words}; 30 and 30 seeds", draw)


TRUTHS = {
    "Nothing differs": (
        *(plain(n, m) for n, m in SIZES),
        plain(100, 100),
        plain(30, 30, scalars=5),
        correlated(20, 0.0),
        *(shaped(shape, 0.0) for shape in SHAPES[1:]),
    ),
    "The mean is off by just the margin, 1 sd": (
        *(plain(n, m, 1.0) for n, m in SIZES),
        plain(100, 100, 1.0),
        plain(30, 30, 1.0, scalars=5),
        correlated(20, 1.0),
        *(shaped(shape, 1.0) for shape in SHAPES[1:]),
    ),
    "Something differs": (
        plain(30, 30, 0.4),
        plain(100, 100, 0.4),
        plain(30, 30, 2.0),
        plain(30, 30, spread=2.0),
        plain(30, 30, spread=3.0),
        failing(0.1, 0.1, 0.0, 30),
        failing(0.1, 0.1, 0.0, 300),
        failing(0.1, 0.1, 1.0, 30),
        failing(0.0, 0.3, 0.0, 30),
        failing(0.03, 0.03, 0.0, 30, np.nan),
        failing(0.03, 0.03, 0.0, 100, np.nan),
    ),
}


def decided(truth: Truth, pairs: int) -> dict[Decision, float]:
    """Return how often what is decided, the margin being one deviation of the first side."""
    generator = np.random.default_rng(SEED)
    counts = dict.fromkeys(Decision, 0)
    pairs = max(pairs // 10, 1) if truth.few else pairs
    for _ in range(pairs):
        sides = truth.draw(generator)
        scalars = [
            Scalar(str(at), first, second, own_margin(first[ordinary(first)]))
            for at, (first, second) in enumerate(zip(*sides, strict=True))
        ]
        counts[decision_of(decide(scalars))] += 1
    return {decision: count / pairs for decision, count in counts.items()}


def of_decisions(pairs: int) -> Iterator[str]:
    """Yield the tables of what is decided under each truth."""
    for title, truths in TRUTHS.items():
        yield f"### {title}"
        yield "| truth | different | equivalent | inconclusive |\n|---|--:|--:|--:|"
        for truth in truths:
            print(truth.words, file=sys.stderr, flush=True)
            found = decided(truth, pairs)
            cells = [f"{found[decision]:.1%}" for decision in Decision]
            yield f"| {truth.words} | {' | '.join(cells)} |"


def of_margins(pairs: int) -> Iterator[str]:
    """Yield how often means are said to be within, with the margin taken for exact, and not."""
    generator = np.random.default_rng(SEED)
    yield "| values | seeds | nothing differs | | off by the margin | |"
    yield "|---|---|--:|--:|--:|--:|"
    yield "| | | *taken for exact* | *as it is done* | *taken for exact* | *as it is done* |"
    for shape in SHAPES[:6]:
        for n, m in (*SIZES, (100, 100)) if shape is NORMAL else ((30, 30), (10, 10)):
            expected, obtained = (shape.draw(generator, (pairs, count)) for count in (n, m))
            margin = deviation_of(expected)
            cells = [
                apart(expected, obtained + shift, margin, deviations).within(margin).mean()
                for shift in (0.0, 1.0)
                for deviations in (0.0, 1.0)
            ]
            row = " | ".join(f"{cell:.1%}" for cell in cells)
            yield f"| {shape.words} | {n} and {m} | {row} |"


def of_tests(pairs: int) -> Iterator[str]:
    """Yield how often tests at 5 % find a difference where there is none, and where there is."""
    from scipy import stats  # noqa: PLC0415 - it takes its time

    generator = np.random.default_rng(SEED)
    yield "| values | seeds | nothing differs | | off by 0.8 sd | | spread the same | spread 2x |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    yield "| | | *Welch* | *dealt out* | *Welch* | *dealt out* | *Brown-Forsythe* | |"
    for shape in SHAPES:
        for n, m in ((5, 5), (30, 10), (30, 30)):
            first, second = (shape.draw(generator, (pairs, count)) for count in (n, m))
            cells = []
            for shift in (0.0, 0.8):
                with np.errstate(all="ignore"):
                    welch = stats.ttest_ind(first, second + shift, axis=1, equal_var=False).pvalue
                cells += [welch, p_of_location(first, second + shift)]
            cells += [p_of_spread(first, second), p_of_spread(first, 2 * second)]
            row = " | ".join(f"{np.mean(cell <= 0.05):.1%}" for cell in cells)
            yield f"| {shape.words} | {n} and {m} | {row} |"


def page(decisions: int, drawn: int) -> str:
    """Return the page."""
    text = HEAD
    parts = {
        "DECISIONS": "\n".join(_spaced(of_decisions(decisions))),
        "MARGINS": "\n".join(of_margins(drawn)),
        "TESTS": "\n".join(of_tests(min(decisions * 2, drawn))),
        "SEARCHES": "\n".join(of_searches(max(decisions // 5, 1))),
    }
    parts |= {"SEARCHED": f"{max(decisions // 5, 1):,}"}
    parts |= {"DECIDED": f"{decisions:,}", "DRAWN": f"{drawn:,}"}
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", part)
    return text


def _spaced(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield from ("", line, "") if line.startswith("#") else (line,)


def main() -> int:
    """Write the page; return an exit code."""
    parser = argparse.ArgumentParser(prog="make chance", description=__doc__)
    parser.add_argument("--pairs", type=int, default=DECIDED, help="of ensembles, a row")
    parser.add_argument("--drawn", type=int, default=DRAWN, help="pairs, of single tests")
    parser.add_argument("--print", action="store_true", help=f"Print it, and do not write {PAGE}.")
    options = parser.parse_args()
    started = time.monotonic()
    text = page(options.pairs, options.drawn)
    if options.print:
        print(text)
    else:
        write_whole(PAGE, text.encode())
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
