"""A search for the change, for the terminal and as text to paste."""

import shlex
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_repro.engines import Engine
from keras_repro.numbers.comparison import Verdict
from keras_repro.recorder.contract import Conditions
from keras_repro.report.terminal import (
    print_comparisons,
    print_heading,
    print_line,
    shorter,
    table_of,
)
from keras_repro.report.text import figure, printable, steps
from keras_repro.runs.costs import final_cost
from keras_repro.studies.bisect.confounders import Blame, Separation
from keras_repro.studies.bisect.releases import Bisection, Change, Span
from keras_repro.studies.bisect.search import Point, Search
from keras_repro.studies.prune import Kept

BAR_WIDTH = 60
SIGNS = {"good": "●", "bad": "✗", "skipped": "–", "running": "◌", "untried": "·"}
STYLES = {"good": "green", "bad": "bold red", "skipped": "yellow", "running": "cyan"}
LONGEST_PROBLEM = 160
# Differences that no figure tells the size of.
OF_KIND = set(Verdict) - {Verdict.IDENTICAL, Verdict.CLOSE, Verdict.DRIFT}


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
    outcome = point.differs
    if outcome is None:
        return f"skipped: {printable(point.problem, LONGEST_PROBLEM)}"
    differing = [kind for kind, differs in sorted(outcome.items()) if differs]
    if differing:
        return f"differs: {', '.join(differing)}"
    return "same bits" if point.verdict is Verdict.IDENTICAL else "within the tolerance"


def probe_line(search: Search, at: int, what: str) -> str:
    """Return a line about a point that was tried, and what is left of the range."""
    point = search.points[at]
    took = "known from before"
    if point.probe is not None and not point.probe.cached:
        took = f"{point.probe.seconds:.1f} s"
    detail = f" ({point.detail})" if point.detail else ""
    return f"{what} {point.label}{detail}: {verdict_of(search, at)}, {took}{_left(search, at)}"


def _left(search: Search, at: int) -> str:
    if search.every:
        return ""
    ranges = [
        f"{search.points[good].label}..{search.points[bad].label} ({untried} untried)"
        for good, bad, untried in search.points[at].left
    ]
    return f"; left: {', '.join(ranges)}" if ranges else ""


def answers(result: Bisection) -> list[str]:
    """Return the answer: a sentence for each place where the numbers change, and for the rest."""
    search, package = result.search, result.what
    said = [_change_line(result, change) for change in result.changes]
    first, last = search.points[0].label, search.points[-1].label
    if not result.changes:
        return [f"nothing changes between {package} {first} and {last}: {_same(search)}"]
    if result.unchanged and not search.every:
        said.append(f"{_and(result.unchanged)}: no change from {first} to {last}")
    return said


def _same(search: Search) -> str:
    told = [point for point in search.points if point.told]
    same = all(point.verdict is Verdict.IDENTICAL for point in told)
    skipped = (
        len(search.points)
        - len(told)
        - sum(not point.told and not point.problem for point in search.points)
    )
    rest = f"; {skipped} skipped" if skipped else ""
    return f"{'the same bits' if same else 'all within the tolerance'}, {search.probes} tried{rest}"


def _change_line(result: Bisection, change: Change) -> str:
    package, points = result.what, result.search.points
    good, bad = points[change.bracket.good], points[change.bracket.bad]
    what = f"{_and(change.kinds)} change"
    if not change.bracket.skipped:
        since = f" ({bad.detail})" if bad.detail else ""
        if result.span is Span.DAYS:
            return f"{what} on {bad.label}, and are good on the day before{_but(change, package)}"
        line = (
            f"{what} with {package} {bad.label}{since}; the {result.span} before it is {good.label}"
        )
        return f"{line}{_but(change, package)}"
    skipped = [points[at] for at in change.bracket.skipped]
    shown = ", ".join(f"{point.label} {_short_problem(point)}" for point in skipped[:3])
    more = f", and {len(skipped) - 3} more tell nothing" if len(skipped) > 3 else ""
    line = f"{what} between {package} {good.label} (good) and {bad.label} (bad); {shown}{more}"
    return f"{line}{_but(change, package)}"


def _but(change: Change, package: str) -> str:
    """Return the reason where it is not the package, or not known to be."""
    found = change.separation
    if found is None or found.blame is Blame.SUSPECT:
        return ""
    moved = ", ".join(map(str, found.companions or change.moved))
    if package == Span.DAYS:
        said = {Blame.COMPANION: f"the reason is {moved}", Blame.TOGETHER: f"{moved} only together"}
        return f": {said.get(found.blame, f'{moved} moved, and cannot be told apart')}"
    if found.blame is Blame.COMPANION:
        return f"; the reason is not {package} but what moved with it: {moved}"
    if found.blame is Blame.EITHER:
        return f"; {moved}, which moved with it, changes them as well"
    if found.blame is Blame.TOGETHER:
        return f"; but only together with {moved}"
    return f"; {moved} moved with it, and the two cannot be told apart"


def _short_problem(point: Point) -> str:
    if point.problem.startswith("the script fails"):
        return "fails"
    return "does not install" if "install" in point.problem else "tells nothing"


def separation_lines(change: Change, package: str) -> list[str]:
    """Return what moved with the package, and which of the two is the reason."""
    if not change.moved:
        return []
    moved = ", ".join(map(str, change.moved))
    found = change.separation
    if package == Span.DAYS and len(change.moved) == 1:
        return []
    lines = [f"moved: {moved}" if package == Span.DAYS else f"confounder: {moved} moved with it"]
    if found is None:
        return lines
    if package != Span.DAYS:
        lines.append(f"{package} alone: {_alone(found.suspect_alone)}")
        lines.append(f"what moved with it alone: {_alone(found.companions_alone)}")
    lines += [f"{move} alone: {_alone(differs)}" for move, differs in found.alone.items()]
    return [*lines, f"so it is {_blamed(found, package)}"]


def _alone(differs: bool | None) -> str:
    if differs is None:
        return "cannot be had, or tells nothing"
    return "changes the numbers" if differs else "changes nothing"


def _blamed(found: Separation, package: str) -> str:
    names = " or ".join(move.package for move in found.companions)
    match found.blame:
        case Blame.SUSPECT:
            return package
        case Blame.COMPANION if package == Span.DAYS:
            return names
        case Blame.COMPANION:
            return f"not {package}, but {names or 'what moved with it'}"
        case Blame.EITHER:
            return (
                f"{package} as well as what moved with it: each of them alone changes the numbers"
            )
        case Blame.TOGETHER:
            return "neither alone: only both together change the numbers"
        case Blame.UNKNOWN:
            return "not known which: they cannot be told apart"


def reproduce(result: Bisection, change: Change) -> list[str]:
    """Return a command for each side of a change, and one that compares the two runs."""
    backend, script = result.backend.name, f"{result.place.argument}{_conditions(result)}".strip()
    ends = [result.search.points[at] for at in (change.bracket.good, change.bracket.bad)]
    lines = []
    if result.span is Span.DAYS:
        span = f"--since {ends[0].label} --until {ends[1].label}"
        lines.append(f"keras-repro bisect {backend} {script} {span}".replace("  ", " "))
    folders = []
    for point in ends:
        if result.span is Span.RELEASES:
            wanted = f'--with "{result.what}=={point.label}"'
            lines.append(f"keras-repro upgrade {backend} {wanted} {script}".strip())
        elif result.span is Span.COMMITS:
            lines.append(
                f"git checkout {point.label} && keras-repro train {script} --backend {backend}"
            )
        if point.probe is not None and point.probe.run is not None:
            folders.append(shlex.quote(shorter(point.probe.run.folder)))
    if len(folders) == 2:
        lines.append(f"keras-repro compare {folders[0]} {folders[1]}")
    return lines


def _conditions(result: Bisection) -> str:
    """Return the options that a workload is trained under, where they are not the ordinary ones."""
    workload = result.place.of
    options = [f"--requirements {shlex.quote(shorter(p))}" for p in workload.requirement_files]
    usual = Conditions()
    for name in ("seed", "threads"):
        value = getattr(workload.conditions, name)
        if value != getattr(usual, name):
            options.append(f"--{name} {value}")
    return "".join(f" {option}" for option in options)


def print_start(
    console: Console, what: str, span: Span, search: Search, good: str, tolerance: str | float
) -> None:
    """Print what is searched, and what counts as the same."""
    same = {"identical": "the same bits", "baseline": "the baseline's tolerances"}
    skipped = sum(bool(point.problem) for point in search.points)
    rest = f", {skipped} of them for another Python or platform" if skipped else ""
    print_line(
        console,
        f"{what} {search.points[0].label} to {search.points[-1].label}: {len(search.points)} "
        f"{span}s{rest}; good is {good}; {same.get(str(tolerance), f'rtol {tolerance}')}",
    )


def print_learnt(console: Console, search: Search, what: str) -> None:
    """Print what a search that was interrupted knows; what it tried is kept."""
    print_line(console, f"{tried_line(search)}; the same command goes on from here", "yellow")
    for kind in search.kinds:
        bracket = search.bracket(kind)
        if bracket is not None:
            good, bad = search.points[bracket.good].label, search.points[bracket.bad].label
            print_line(console, f"  {kind} change between {what} {good} and {bad}")


def print_bisection(console: Console, result: Bisection, kept: Kept) -> None:
    """Print what was tried, the answer, and the verdicts between its two sides."""
    search, package = result.search, result.what
    if search.every:
        console.print(history_table(result))
    for change in result.changes if not search.every else []:
        good, bad = (search.points[at].label for at in (change.bracket.good, change.bracket.bad))
        print_heading(console, f"{package} {good} -> {bad}")
        print_comparisons(console, change.comparisons)
        for line in separation_lines(change, package):
            print_line(console, f"  {printable(line)}", "yellow")
        print_line(console, "  each side, and the two compared:")
        for line in reproduce(result, change):
            console.print(f"    {line}", soft_wrap=True)
    if search.every:
        for change in result.changes:
            for line in separation_lines(change, package):
                bad = search.points[change.bracket.bad].label
                print_line(console, f"  {bad}: {printable(line)}", "yellow")
    print_line(console, tried_line(search))
    if kept.environments or kept.runs:
        environments = f"{kept.environments} environments and {kept.runs} runs"
        size = f"{kept.bytes / 1e9:.1f} GB" if kept.bytes > 1e8 else f"{kept.bytes / 1e6:.0f} MB"
        rest = "keras-repro bisect --prune removes them"
        print_line(console, f"kept for the next question: {environments}, {size}; {rest}", "dim")
    for line in answers(result):
        print_line(console, printable(line), "bold red" if result.changes else "bold green")


def tried_line(search: Search) -> str:
    """Return how many points were tried, of how many, and in what time."""
    known = search.probes - search.trained
    cached = f", {known} of them known from before" if known else ""
    count = len(search.points)
    return f"{search.probes} of {count} tried{cached}, in {_duration(search.seconds)}"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


@dataclass(frozen=True)
class HistoryRow:
    """A line of the history: a release that has numbers, against the one before it that has."""

    label: str
    date: str
    cost: float | None
    difference: float | None
    changed: str


def history_rows(result: Bisection) -> list[HistoryRow]:
    """Return a line for each release that was tried and has numbers."""
    search = result.search
    rows, before = [], None
    for at, point in enumerate(search.points):
        if not point.told or point.probe is None or point.probe.run is None:
            continue
        difference, changed = None, ""
        if before is not None:
            comparisons = search.between(before, at)
            sizes = [c.max_relative for c in comparisons if c.max_relative is not None]
            of_kind = {c.verdict for c in comparisons if c.verdict in OF_KIND}
            difference = max(sizes, default=None if of_kind else 0.0)
            outcome = search.judge.outcome(comparisons)
            changed = ", ".join(sorted(kind for kind, differs in outcome.items() if differs))
            changed += f" ({', '.join(sorted(of_kind))})" if of_kind else ""
        cost = final_cost(point.probe.run.arrays)
        rows.append(HistoryRow(point.label, point.detail, cost, difference, changed))
        before = at
    return rows


def history_table(result: Bisection) -> Table:
    """Return the history of the numbers over the releases."""
    table = table_of("release", "of", "final cost", "max rel", "what changed")
    for row in history_rows(result):
        table.add_row(
            row.label,
            row.date,
            "" if row.cost is None else f"{row.cost:.9g}",
            figure(row.difference),
            Text(row.changed, style="bold red" if row.changed else "default"),
        )
    return table


def summary(result: Bisection, engine: Engine) -> str:
    """Return the answer as Markdown, without links, to paste into an issue."""
    search, place, backend = result.search, result.place, result.backend
    lines = [f"**{printable(line)}**" for line in answers(result)]
    lines += [
        "",
        f"`{printable(place.argument or place.workload)}` on {backend.name}, seed "
        f"{place.of.conditions.seed}, Python {backend.python}, engine {engine.name}; "
        f"{tried_line(search)}.",
    ]
    for change in result.changes:
        labels = [search.points[at].label for at in (change.bracket.good, change.bracket.bad)]
        lines += ["", f"{result.what} {labels[0]} → {labels[1]}:", ""]
        lines += ["| array | verdict | max abs | max rel |", "|---|---|---|---|"]
        lines += [
            f"| {printable(c.name)} | {c.verdict} | {figure(c.max_absolute)} "
            f"| {figure(c.max_relative)} |"
            for c in change.comparisons
        ]
        told = [s for s in map(steps, change.comparisons) if s]
        lines += ["", *(f"- {printable(s)}" for s in told)]
        lines += [f"- {printable(s)}" for s in separation_lines(change, result.what)]
        lines += ["", "```sh", *reproduce(result, change)[:2], "```"]
    return "\n".join(lines)


def _and(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
