"""What a search over many seeds found, and how often such a search errs, in sentences.

Each says first what is found, for everybody, and then by which test, to be checked.
"""

from keras_repro.numbers.chance.decide import Decision, Found
from keras_repro.numbers.chance.looks import DRAWS, looks
from keras_repro.numbers.chance.within import ALPHA
from keras_repro.report.ensemble import words
from keras_repro.report.ensemble.words import percent
from keras_repro.report.text import joined, number_of, printable
from keras_repro.studies.bisect.distribution import DISTRIBUTION, Distribution, Sampled
from keras_repro.studies.bisect.explanation import Explanation
from keras_repro.studies.bisect.levels import level_between, most_between
from keras_repro.studies.bisect.search import Bisection, Change, Search
from keras_repro.studies.bisect.searchable import Point

LEAST_SHARE = 3 / DRAWS  # what is never seen in so many draws is rarer than that, in 95 % of cases


def by_seeds(search: Search) -> Distribution | None:
    """Return what judges a search over many seeds, None of any other search."""
    return search.judge if isinstance(search.judge, Distribution) else None


def sampled(point: Point) -> Sampled | None:
    """Return what became of many seeds at a point; None where it has no such numbers."""
    return point.trial if isinstance(point.trial, Sampled) else None


def told(one: Sampled) -> str:
    """Return what the seeds of a point told."""
    seeds = number_of(one.seeds, "seed")
    lost = f", {one.lost} of them without a run" if one.lost else ""
    if one.decision is None:
        return f"good: {seeds}{lost}"
    if one.decision is Decision.DIFFERENT:
        return f"differs: {words.few(differing(one))}; {seeds}{lost}"
    if one.decision is Decision.EQUIVALENT:
        return f"equivalent; {seeds}{lost}"
    return f"no difference shown, counts as the same; {seeds}{lost}"


def differing(one: Sampled) -> list[str]:
    """Return the scalars that chance does not account for."""
    return [found.name for found in one.found if found.decision is Decision.DIFFERENT]


def change_of(search: Search, change: Change) -> Sampled:
    """Return what became of the point at which the distribution changes."""
    one = sampled(search.points[change.bracket.bad])
    assert one is not None
    return one


def kinds_change(search: Search, kinds: tuple[str, ...], change: Change | None = None) -> str:
    """Return what changes, as the beginning of a sentence."""
    if DISTRIBUTION not in kinds:
        return f"{joined(list(kinds))} change"
    if change is None:
        return "the distribution changes"
    return f"the distribution of {words.few(differing(change_of(search, change)))} changes"


def nothing_changes(search: Search) -> str:
    """Return what the last point told, where it is not shown to differ."""
    one, judge = sampled(search.points[-1]), by_seeds(search)
    assert one is not None
    assert judge is not None
    names = words.few(list(judge.margins))
    if one.decision is Decision.EQUIVALENT:
        return f"{names} within the margin; {one.seeds} seeds, {search.tried} tried"
    return (
        f"{judge.most} and {one.seeds} seeds show no difference of {names}, which is no evidence "
        f"of sameness; {search.tried} tried"
    )


def is_undecided(search: Search) -> bool:
    """Return whether the last point is neither shown to differ nor to be the same."""
    one = sampled(search.points[-1])
    return one is not None and one.decision is Decision.INCONCLUSIVE


def reasons(one: Sampled) -> list[str]:
    """Return why each scalar that counts is judged as it is."""
    tests = sum(len(found.p) for found in one.found)
    level, within = one.level * one.share, ALPHA * one.share
    return [
        f"{printable(found.name)}: {line}"
        for found in one.found
        for line in words.reasons(found, tests, level, within)
    ]


COLUMNS = ("scalar", "verdict", "good", "then", "margin")


def row(found: Found) -> list[str]:
    """Return a scalar as cells, as COLUMNS names them: mean and deviation of both sides."""
    sides = zip(found.means, found.deviations, strict=True)
    values = [f"{words.number(mean)} ± {words.number(deviation)}" for mean, deviation in sides]
    return [found.name, str(found.decision), *values, words.number(found.scalar.margin.value)]


def sureness(result: Bisection) -> list[str]:
    """Return how often such a search errs, either way; nothing of a search of single runs."""
    search = result.search
    judge = by_seeds(search)
    if judge is None:
        return []
    lines = [_wrongly_blamed(search, judge)]
    lines += [_passed_over(search, change) for change in result.changes]
    lines += _for_want_of_evidence(search, judge)
    if any(_was_tried(change.explanation) for change in result.changes):
        lines.append(
            f"of the packages that moved, one that changes nothing is blamed in at most "
            f"{percent(ALPHA)} (Bonferroni over the trials that tell them apart)"
        )
    return lines


def _was_tried(found: Explanation | None) -> bool:
    """Return whether a package was told from those that moved with it by trials."""
    return found is not None and (
        bool(found.alone) or {found.suspect_alone, found.companions_alone} != {None}
    )


def _wrongly_blamed(search: Search, judge: Distribution) -> str:
    """Return in how many cases a point is blamed that changes nothing."""
    unit, count = search.range.unit, len(search.points)
    plan = [look.seeds for look in looks(judge.most)]
    between = most_between(count)
    said = (
        f"such a search blames a {unit} wrongly in at most {percent(ALPHA)} of all cases: where "
        f"nothing differs, and, where one {unit} changes something, any before it"
    )
    each = f"{search.points[-1].label}, which has to differ before any other is tried, at 5 %"
    if between:
        each += (
            f"; between the ends at most {number_of(between, unit)} at "
            f"{percent(level_between(0, count))} each"
        )
    at = f"looks at {joined(list(map(str, plan)))} seeds" if len(plan) > 1 else f"{plan[0]} seeds"
    how = f"{each}; {at} share it (Bonferroni), at each Benjamini-Hochberg over all tests"
    return f"{said} ({how})"


def _passed_over(search: Search, change: Change) -> str:
    """Return in how many cases a point that differs as much as this one is passed over."""
    one, unit = change_of(search, change), search.range.unit
    found = one.share_found
    if found is None:
        return f"how often a {unit} like this one is passed over is not known: it has no means"
    differ = sum(any((point.differs or {}).values()) for point in search.points)
    missed = max(1 - found, LEAST_SHARE)
    each = f"each {unit} that differs as much is passed over in {percent(missed)}"
    all_of_them = min(differ * missed, 1.0)
    return (
        f"the other error: a change of this size is found too late, or not at all, in at most "
        f"{percent(all_of_them)} of all cases ({each}, and {differ} that differ had to be found; "
        f"if the truth is what was found and values are normal, by {DRAWS} simulated points)"
    )


def _for_want_of_evidence(search: Search, judge: Distribution) -> list[str]:
    """Return which points count as the same though that is not shown, and what could be seen."""
    undecided = [
        (point.label, one)
        for point in search.points
        if (one := sampled(point)) is not None and one.decision is Decision.INCONCLUSIVE
    ]
    if not undecided:
        return []
    labels = words.few([label for label, _ in undecided])
    level = min(one.level for _, one in undecided)
    share = judge.share_found_at_margin(level)
    margins = [f"{printable(n)} ±{words.number(m.value)}" for n, m in judge.margins.items()]
    seen = (
        "the good seeds do not vary, so that what could have been seen is not known"
        if share is None
        else f"a mean that is off by its margin ({words.few(margins)}) is found in {percent(share)}"
    )
    count = "counts" if len(undecided) == 1 else "count"
    return [
        f"{labels} {count} as the same for want of evidence: {judge.most} seeds show neither a "
        f"difference nor that there is none; {seen} (normal values, {DRAWS} simulated points)"
    ]
