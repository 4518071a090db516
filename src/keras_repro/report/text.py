"""Text that came from a run, made fit to print: no terminal sequence, no broken character."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from keras_repro.numbers.comparison import Comparison, Verdict
from keras_repro.runs.causes import NOTHING, Cause

if TYPE_CHECKING:
    from keras_repro.studies.first_link.found import Traced

LONGEST = 2000  # characters of one text of a run


def printable(text: object, most: int = LONGEST) -> str:
    """Return one line in which every character can be seen; the others as Python escapes them.

    What is longer than ``most`` characters is cut.
    """
    line = visible(" ".join(str(text)[: 8 * most].split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def visible(line: str) -> str:
    """Return a line in which nothing ends it or moves the cursor: names and logs hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def where(comparison: Comparison) -> str:
    """Return where an array first differs: of costs the training step, of others the index."""
    if comparison.first is None:
        return ""
    if comparison.first_step is None:
        return index(comparison.first)
    return _after(comparison.first, comparison.first_step)


def where_outside(comparison: Comparison) -> str:
    """Return after which training step costs leave the tolerance; nothing for other arrays."""
    if comparison.first_step_outside is None or not comparison.first_outside:
        return ""
    return _after(comparison.first_outside, comparison.first_step_outside)


def _after(place: tuple[int, ...], step: int) -> str:
    return f"after step {step}" if place[0] else "at the start"


def steps(comparison: Comparison, trace: "Traced | None" = None) -> str:
    """Return the sentence that says at which training step costs part; nothing for others.

    What it comes from is guessed where no trail tells it.
    """
    if comparison.first is None or comparison.first_step is None:
        return ""
    step, known = comparison.first_step, trace is not None and trace.first is not None
    if comparison.first[0] == 0:
        text = f"{comparison.name} differs from the start"
        text += "" if known else ": the initial weights, or the first data"
    else:
        text = f"{comparison.name} first differs after step {step}"
        text += "" if known else f": the update of step {step}, or the data of step {step + 1}"
        text += "" if known else ", is not the same"
    outside = comparison.first_step_outside
    if comparison.first_outside == comparison.first:
        return f"{text}; outside the tolerance at once"
    return text if outside is None else f"{text}; outside the tolerance after step {outside}"


def index(place: tuple[int, ...]) -> str:
    """Return an index as NumPy writes one."""
    return f"[{', '.join(map(str, place))}]"


def note(comparison: Comparison) -> str:
    """Return what is to say of an array that has no figures."""
    if comparison.verdict is Verdict.MISSING:
        return "not there any more"
    if comparison.verdict is Verdict.UNEXPECTED:
        return "was not there before"
    return comparison.note


def sampled(comparisons: Iterable[Comparison], most: int = 3) -> str:
    """Return which arrays are judged on a sample, being too large to be kept; nothing for none."""
    names = [
        f"{printable(one.name)} ({one.sample:,} of {one.elements:,} values)"
        for one in comparisons
        if one.sample
    ]
    if not names:
        return ""
    rest = f", and {len(names) - most} more" if len(names) > most else ""
    return f"too large to be kept, so judged on a sample: {', '.join(names[:most])}{rest}"


def asides(comparisons: Sequence[Comparison]) -> list[str]:
    """Return how arrays are judged where that is not by all elements and a plain tolerance."""
    return [line for line in (sampled(comparisons), measured(comparisons)) if line]


def measured(comparisons: Iterable[Comparison], most: int = 3) -> str:
    """Return how far arrays are beyond what a calibration measured, or that they are within it.

    Nothing where no tolerance was measured, or all is the same.
    """
    known = [one for one in comparisons if one.differing and one.is_measured]
    if not known:
        return ""
    beyond = [one for one in known if not one.verdict.passes and one.times is not None]
    parts = [
        f"{printable(one.name)} {one.times:.2g} times as far"
        for one in sorted(beyond, key=lambda each: -(each.times or 0.0))[:most]
    ]
    rest = f", and {len(beyond) - most} more" if len(beyond) > most else ""
    text = f"beyond what rounding does here: {', '.join(parts)}{rest}" if beyond else ""
    if not beyond and all(one.verdict.passes for one in known):
        text = "what differs is within what rounding does here, as calibrate measured it"
    chaotic = [one for one in known if one.judged is not None]
    names = [
        f"{printable(one.name)} " + (f"from row {one.judged} on" if one.judged else "at all")
        for one in chaotic[:most]
    ]
    if names:
        rest = f", and {len(chaotic) - most} more" if len(chaotic) > most else ""
        unjudged = f"rounding alone moves it as far, so not judged: {', '.join(names)}{rest}"
        text = f"{text}; {unjudged}" if text else unjudged
    return text


def causes_line(causes: list[Cause], most: int = 5) -> str:
    """Return the likely causes in one line, the likeliest first."""
    if not causes:
        return NOTHING
    shown = [printable(cause) for cause in causes[:most]]
    rest = f", and {len(causes) - most} more" if len(causes) > most else ""
    return ", ".join(shown) + rest


def figure(value: float | None) -> str:
    """Return a difference in two digits."""
    try:
        return "" if value is None else f"{value:.1e}"
    except OverflowError:  # an integer that no float holds
        return "> 1e308"


def count(value: int | None) -> str:
    """Return a number of things."""
    if value is None:
        return ""
    return f"{value:,}" if value < 1_000_000 else f"{value:.1e}"


def number_of(number: int, word: str) -> str:
    """Return how many there are, as in "1 run" and "2 runs"."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def element(value: object) -> str:
    """Return an array's element."""
    return f"{value:.9g}" if isinstance(value, float) else printable(value)


def difference(obtained: object, expected: object) -> str:
    """Return how far two elements are apart; nothing where they are no numbers."""
    numbers = (int, float, complex)
    if not isinstance(obtained, numbers) or not isinstance(expected, numbers):
        return ""
    return f"{abs(obtained - expected):.3g}"


def verdict_counts(comparisons: Iterable[Comparison]) -> str:
    """Return how many arrays have which verdict, the best first."""
    counts = Counter(comparison.verdict for comparison in comparisons)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])


def joined(parts: list[str]) -> str:
    """Return words as in "a, b and c"."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))
