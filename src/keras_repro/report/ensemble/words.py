"""What seeds have in common, and what is decided on two ensembles, in words for every format.

Each sentence says first what was found, for everybody, and then by which test, to be checked.
"""

import math

from keras_repro.numbers.chance.decide import Decision, Found, Question
from keras_repro.numbers.chance.location import MOST
from keras_repro.numbers.chance.rates import MARGIN
from keras_repro.numbers.chance.resampled import DRAWS
from keras_repro.numbers.chance.within import ALPHA, ROUNDING
from keras_repro.report.matrix import Cell, Colour
from keras_repro.report.text import joined, number_of, printable
from keras_repro.runs.run import SHORT_DIGITS
from keras_repro.studies.ensemble.alike import Alike
from keras_repro.studies.ensemble.ensemble import Result
from keras_repro.studies.ensemble.equivalent import Compared

CELLS = {
    Decision.EQUIVALENT: ("≈", Colour.GOOD),
    Decision.DIFFERENT: ("≠", Colour.BAD),
    Decision.INCONCLUSIVE: ("?", Colour.CLOSE),
}
MOST_NAMED = 3
MEANS = "means of {} are within their margins"
GENERATORS = {
    "random": "Python",
    "numpy.random": "NumPy",
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
    "keras": "Keras",
}


def cell(decision: Decision) -> Cell:
    """Return a decision as a cell of a table."""
    return Cell(str(decision), *CELLS[decision])


def number(value: float, signed: bool = False, digits: int = 3) -> str:
    """Return a number in a few digits."""
    return f"{value:{'+' if signed else ''}.{digits}g}" if math.isfinite(value) else str(value)


def percent(share: float) -> str:
    """Return a share of 1 in per cent, in two digits."""
    return f"{100 * share:.2g} %"


def interval(found: Found) -> str:
    """Return where the difference of the means lies."""
    if found.scalar.same:
        return "the same"
    return f"{number(found.low, True, 2)} to {number(found.high, True, 2)}"


def same_for_all(result: Result) -> str:
    """Return what was the same for all seeds, and since when, in a sentence."""
    same, count = result.alike, len(result.seeds)
    if same.everything:
        asked = result.asked.count
        which = f"all {count}" if count == asked else f"{count} of {asked} seeds, tried first,"
        rest = "" if count == asked else ", so that no more were run"
        return (
            f"{which} are the same run, bit for bit: the script fixes every generator"
            f"{_places(same)}; nothing to compare{rest}; let the seed matter with --vary-own-seeds"
        )
    if same.data is None:
        data = "what the seeds were trained with is not known"
    elif not same.data:
        data = "the data are others for each seed"
    elif same.other_data:
        data = (
            f"of the data, {few(same.data)} are the same for all {count} seeds{_since(same)}, and "
            f"{few(same.other_data)} are not"
        )
    else:
        data = f"the data are the same for all {count} seeds{_since(same)}"
    weights = {None: "", True: "; so are the initial weights", False: "; initial weights differ"}
    if not same.data and same.initial_weights:
        return f"{data}; the initial weights are the same"
    return data + weights[same.initial_weights]


def forks(result: Result) -> str:
    """Return which runs were made in forks, and how that is known to be as good; nothing if none.

    Where all had to be made alone, why.
    """
    of = result.forks
    if of is None or not (of.made or of.problem):
        return ""
    if not of.made:
        return f"each seed was run in a process that began anew: {of.problem}"
    alone = joined([str(seed) for seed in sorted(of.verified)])
    others = f"; the others were run alone: {of.problem}" if of.problem else ""
    return (
        f"{len(of.made)} seeds were run in processes forked from one that had imported what the "
        f"script imports; seeds {alone} were run alone too, and every bit is the same{others}"
    )


def classes(result: Result) -> str:
    """Return on machines of which numeric classes the seeds were run; nothing where it is one."""
    found = result.classes
    if len(found) < 2:
        return ""
    each = [f"{count} on {digest[:SHORT_DIGITS]}" for digest, count in sorted(found.items())]
    if result.others:
        return (
            f"the seeds were run on machines of {len(found)} numeric classes ({', '.join(each)}): "
            f"the {len(result.seeds)} of the one that made most are taken, and no others"
        )
    return (
        f"the seeds were run on machines of {len(found)} numeric classes ({', '.join(each)}): what "
        "those round otherwise is in the spread too; keep them apart with --one-class"
    )


def _since(same: Alike) -> str:
    """Return what in the script fixes the data; nothing where it is not known that it does."""
    if same.seedings:
        return f", since {_seedings(same)}"
    names = [GENERATORS[name] for name in same.generators if name in GENERATORS]
    return f", since something seeds {joined(names)}" if names else ""


def _places(same: Alike) -> str:
    return f" ({_seedings(same)})" if same.seedings else ""


def _seedings(same: Alike) -> str:
    parts = [f"{printable(one.place)} seeds {one.what}" for one in same.seedings[:MOST_NAMED]]
    rest = len(same.seedings) - MOST_NAMED
    return joined(parts) + (f", and {rest} more" if rest > 0 else "")


def few(names: list[str]) -> str:
    """Return the first of some names, and how many more there are."""
    shown = [printable(name, 60) for name in names[:MOST_NAMED]]
    rest = len(names) - MOST_NAMED
    return f"{', '.join(shown)} and {rest} more" if rest > 0 else joined(shown)


def counts(result: Result) -> str:
    """Return how many seeds there are, how many of them were there, and for how long it took."""
    known = sum(one.known for one in result.seeds)
    kept = f", {known} of them known from before" if known else ""
    failed = f", {len(result.failed)} failed" if result.failed else ""
    return f"{number_of(len(result.seeds), 'seed')}{kept}{failed}; {result.seconds:.0f} s"


def headline(compared: Compared) -> str:
    """Return the answer in a sentence."""
    n, m = compared.seeds
    decision = compared.decision
    if decision is Decision.DIFFERENT:
        names = few([one.name for one in compared.found if one.decision is decision])
        return f"different: chance does not account for {names}"
    primary = [one for one in compared.found if one.scalar.primary]
    names = few([one.name for one in primary])
    if decision is Decision.EQUIVALENT and all(one.scalar.same for one in compared.found):
        return f"equivalent: each of the {n} seeds gives the same numbers on both sides"
    if decision is Decision.EQUIVALENT:
        stated = [one.name for one in compared.found if one.stated]
        verb = "differs" if len(stated) == 1 else "differ"
        differ = f"; {few(stated)} {verb}, by less than that" if stated else ""
        are = "mean of {} is within its margin" if len(primary) == 1 else MEANS
        return f"equivalent: the {are.format(names)}{differ}"
    return f"inconclusive: {n} and {m} seeds cannot tell; {more(compared)}"


def more(compared: Compared) -> str:
    """Return how many seeds would decide, and how many more that is."""
    needed = compared.needed
    if needed is None:
        return "more seeds alone would not decide; see why"
    missing = [max(needed - count, 0) for count in compared.seeds]
    each = f"{missing[0]} more of each"
    if missing[0] != missing[1]:
        each = f"{missing[0]} more of the expected and {missing[1]} of the obtained"
    return f"about {needed} on each side would, in 4 of 5 cases: {each}"


def reasons(found: Found, tests: int, level: float = ALPHA, within: float = ALPHA) -> list[str]:
    """Return why a scalar's verdict is what it is; ``tests`` were judged together.

    ``level`` and ``within`` are what ``decide`` was given.
    """
    if found.scalar.same:
        return ["each seed gives the same number on both sides"]
    lines = [_of_question(found, question, tests, level) for question in Question]
    told = [line for line in lines if line]
    if found.decision is Decision.DIFFERENT and not found.mean_within:
        return told or [_of_mean(found, within)]
    return [_of_mean(found, within), *(told if found.significant else []), *_of_rates(found)]


def _of_mean(found: Found, within: float) -> str:
    """Return where the mean is, and whether that is within the margin."""
    margin = found.scalar.margin
    if not math.isfinite(found.difference):
        return f"{found.seeds[0]} and {found.seeds[1]} seeds have a number: no mean can be compared"
    if found.constant and found.difference == 0:
        who = "every seed with a number" if any(found.apart) else "every seed"
        return f"{who} gives {number(found.means[0])}, on both sides"
    if margin.value == 0:
        return (
            f"the expected seeds all give {number(found.means[0])}, so their spread is no margin; "
            f"give one: --margin '{printable(found.name)}=X'"
        )
    ends = f"{number(found.low, True)} and {number(found.high, True)}"
    where = (
        f"{_off(found)}; the true difference lies between {ends} "
        f"({percent(1 - 2 * within)} confidence)"
    )
    said = f"the margin, ±{number(margin.value)}"
    times = margin.deviations
    how = "two one-sided t-tests"
    if times is None and math.isclose(margin.value, ROUNDING * abs(found.means[0])):
        how = f"what rounding may do, as the seeds differ by less; {how}"
    if times is not None:
        how = f"{number(times)} standard deviation{'' if times == 1 else 's'} as estimated; {how}"
    if found.mean_within:
        return f"{where}: within {said} ({how}, the larger p {number(found.p_within)})"
    return f"{where}: not shown to be within {said} ({how})"


def _off(found: Found) -> str:
    """Return how far the obtained mean is from the expected one."""
    if found.difference == 0:
        return "the means are the same"
    which = "higher" if found.difference > 0 else "lower"
    return f"the mean is {number(abs(found.difference))} {which}{_in_deviations(found)}"


def _in_deviations(found: Found) -> str:
    """Return the size of the effect: Glass' delta, of the expected seeds' deviation."""
    first = found.deviations[0]
    if not first:
        return ""
    return f", {number(abs(found.difference) / first, digits=2)} standard deviations"


def _of_question(found: Found, question: Question, tests: int, level: float) -> str:
    """Return what a test found, where it found something; else nothing."""
    if question not in found.significant:
        return ""
    p = found.p[question]
    at = f"Benjamini-Hochberg at {percent(level)}"
    counted = f"p {_p(p)}, which counts among {tests} tests ({at})"
    if question is Question.SPREAD:
        first, second = found.deviations
        spread = f"the spread is {number(second / first)} times the expected" if first else ""
        spread = spread or f"the seeds are spread by {number(second)}, and were not at all"
        return f"{spread} (Brown-Forsythe: {counted})"
    if question is Question.RATE:
        return f"{_lying(found)} (Fisher's exact test: {counted})"
    return (
        f"{_off(found)}: dealt out by "
        f"chance, seeds come out so far apart in {_share(p)} of all deals (Welch's t by "
        f"permutation: {counted})"
    )


def _lying(found: Found) -> str:
    n, m = len(found.scalar.expected), len(found.scalar.obtained)
    return (
        f"{found.apart[1]} of {m} seeds end without a number or far from all others, where "
        f"{found.apart[0]} of {n} are expected to"
    )


def _of_rates(found: Found) -> list[str]:
    """Return what is known of the rates of seeds that lie apart, where there are any."""
    if found.rates is None:
        return []
    low, high = found.rates
    points = f"{100 * low:+.0f} to {100 * high:+.0f} points"
    verdict = "within" if found.rate_within else "not shown to be within"
    what = _lying(found) if any(found.apart) else "no seed lies apart"
    return [
        f"{what}: the rates differ by {points}, {verdict} the {100 * MARGIN:.0f} that are called "
        "alike (Newcombe's interval)"
    ]


def _share(p: float) -> str:
    least = 2 / MOST
    return f"less than {least:.2%}" if p < least else f"{p:.2%}"


def _p(p: float) -> str:
    return f"below {2 / MOST:.4f}" if p < 2 / MOST else number(p)


def power(compared: Compared) -> list[str]:
    """Return what so many seeds can tell, measured on the user's own."""
    rates, (n, m) = compared.rates, compared.seeds
    if all(one.scalar.same for one in compared.found):
        return []
    if rates is None:
        return [f"{n} and {m} seeds: too few, or too alike, to say how good the tests are on them"]
    primary = {one.name for one in compared.found if one.scalar.primary}
    each = [share for name, share in rates.power_of.items() if name in primary]
    of_each = f", of single ones {min(each):.0%} to {max(each):.0%}" if len(each) > 1 else ""
    return [
        f"{n} and {m} seeds, where nothing differs: all that counts is shown to be alike in "
        f"{rates.power:.0%}{of_each}; 'different' is said in {rates.size:.1%}",
        f"where a mean is off by the margin: it is taken to be within in {rates.mistaken:.1%}, and "
        f"found to be off in {rates.seen:.0%}",
        f"measured on the expected seeds, drawn against themselves {DRAWS:,} times",
    ]


def tests_of(compared: Compared) -> int:
    """Return how many tests were judged together."""
    return sum(len(one.p) for one in compared.found)
