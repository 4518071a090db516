"""The points of a search, and what each of them told, in words and signs."""

from rich.text import Text

from keras_repro.numbers.comparison import Verdict
from keras_repro.report.bisect.chance import sampled, told
from keras_repro.report.text import printable
from keras_repro.studies.bisect.search import Search

BAR_WIDTH = 60
SIGNS = {"good": "●", "bad": "✗", "skipped": "–", "running": "◌", "untried": "·"}
STYLES = {"good": "green", "bad": "bold red", "skipped": "yellow", "running": "cyan"}
LONGEST_PROBLEM = 160


def state_of(search: Search, at: int) -> str:
    """Return what is known of a point, as SIGNS names it."""
    point = search.points[at]
    if at in search.running:
        return "running"
    if point.differs is None:
        return "skipped" if point.problem else "untried"
    return "bad" if any(point.differs.values()) else "good"


def range_bar(search: Search, width: int = BAR_WIDTH) -> Text:
    """Return the range as a line of signs, one a point, or one for several where there are many."""
    count = len(search.points)
    bar = Text()
    cells = min(count, width)
    order = ("running", "bad", "good", "skipped", "untried")
    for cell in range(cells):
        inside = range(cell * count // cells, (cell + 1) * count // cells)
        state = min((state_of(search, at) for at in inside), key=order.index)
        bar.append(SIGNS[state], style=STYLES.get(state, "dim"))
    return bar


def verdict_of(search: Search, at: int) -> str:
    """Return in words what a point told: which kinds of arrays differ from the good ones."""
    point = search.points[at]
    outcome, many = point.differs, sampled(point)
    if many is not None:
        return told(many)
    if outcome is None:
        return f"skipped: {printable(point.problem, LONGEST_PROBLEM)}"
    differing = [kind for kind, differs in sorted(outcome.items()) if differs]
    if differing:
        return f"differs: {', '.join(differing)}"
    return "same bits" if point.verdict is Verdict.IDENTICAL else "within the tolerance"


def trial_line(search: Search, at: int) -> str:
    """Return a line about a point that was tried, and what is left of the range."""
    point = search.points[at]
    took = "known from before"
    if point.trial is not None and not point.trial.cached:
        took = f"{point.trial.seconds:.1f} s"
    detail = f" ({point.detail})" if point.detail else ""
    told = f"{verdict_of(search, at)}, {took}{_left(search, at)}"
    return f"{search.range.name} {point.label}{detail}: {told}"


def _left(search: Search, at: int) -> str:
    if search.every:
        return ""
    ranges = [
        f"{search.points[good].label}..{search.points[bad].label} ({untried} untried)"
        for good, bad, untried in search.points[at].left
    ]
    return f"; left: {', '.join(ranges)}" if ranges else ""


def tried_line(search: Search) -> str:
    """Return how many points were tried, of how many, and in what time."""
    known = search.tried - search.trained
    cached = f", {known} of them known from before" if known else ""
    count = len(search.points)
    return f"{search.tried} of {count} tried{cached}, in {_duration(search.seconds)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
