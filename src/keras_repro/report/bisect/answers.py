"""What a search found, in sentences, and the commands that show it again."""

import shlex

from keras_repro.numbers.comparison import Verdict
from keras_repro.recorder.contract import Conditions
from keras_repro.report.bisect import chance
from keras_repro.report.terminal import shorter
from keras_repro.studies.bisect.distribution import DISTRIBUTION
from keras_repro.studies.bisect.explanation import Blame, Explanation, Moved
from keras_repro.studies.bisect.search import Bisection, Change, Search
from keras_repro.studies.bisect.searchable import Point, Unit

MOST_LABELS = 8  # of the points in a headline


def headline(result: Bisection) -> str:
    """Return the answer in one line."""
    changes, unit = result.changes, result.range.unit
    if len(changes) < 2:
        return answers(result)[0]
    places = [result.search.points[change.bracket.bad].label for change in changes]
    labels = ", ".join(places[:MOST_LABELS])
    if len(places) > MOST_LABELS:
        labels += f" and {len(places) - MOST_LABELS} more"
    if unit is not Unit.RELEASE:
        with_ = "on" if unit is Unit.DAY else "with"
        return f"the numbers change {with_} {len(changes)} {unit}s: {labels}"
    first, *others = {_with_its(change) for change in changes}
    each = f", each{first}" if first and not others else ""
    return f"the numbers change with {len(changes)} releases of {result.range.name}{each}: {labels}"


def answers(result: Bisection) -> list[str]:
    """Return the answer: a sentence for each place where the numbers change, and for the rest."""
    search = result.search
    said = [_change_line(result, change) for change in result.changes]
    first, last = search.points[0].label, search.points[-1].label
    if not result.changes:
        name = result.range.name
        what = "nothing changes"
        if chance.is_undecided(search):
            what = "no change is shown"
        return [f"{what} between {name} {first} and {last}: {_same(search)}"]
    if result.unchanged and not search.every:
        said.append(f"{_and(result.unchanged)}: no change from {first} to {last}")
    return said


def _same(search: Search) -> str:
    if chance.by_seeds(search) is not None:
        return chance.nothing_changes(search)
    told = [point for point in search.points if point.told]
    same = all(point.verdict is Verdict.IDENTICAL for point in told)
    skipped = sum(not point.told and bool(point.problem) for point in search.points)
    rest = f"; {skipped} skipped" if skipped else ""
    return f"{'the same bits' if same else 'all within the tolerance'}, {search.tried} tried{rest}"


def _change_line(result: Bisection, change: Change) -> str:
    name, points = result.range.name, result.search.points
    good, bad = points[change.bracket.good], points[change.bracket.bad]
    what = chance.kinds_change(result.search, change.kinds, change)
    its = _with_its(change)
    if change.bracket.skipped:
        skipped = [points[at] for at in change.bracket.skipped]
        shown = ", ".join(f"{point.label} {_short_problem(point)}" for point in skipped[:3])
        more = f", and {len(skipped) - 3} more tell nothing" if len(skipped) > 3 else ""
        line = (
            f"{what} between {name} {good.label} (good) and {bad.label}{its} (bad); {shown}{more}"
        )
    elif result.range.unit is Unit.DAY:
        line = f"{what} on {bad.label}, and are good on the day before"
    else:
        since = f" ({bad.detail})" if bad.detail else ""
        before = f"the {result.range.unit} before it is {good.label}"
        line = f"{what} with {name} {bad.label}{its}{since}; {before}"
    return f"{line}{_but(change.explanation, name)}"


def _with_its(change: Change) -> str:
    found = change.explanation
    return "" if found is None or found.suspect is None else found.suspect.with_its


def _but(found: Explanation | None, name: str) -> str:
    """Return the reason where it is not the package, or not known to be."""
    if found is None or found.blame is Blame.SUSPECT:
        return ""
    moved = ", ".join(map(str, found.guilty or found.companions))
    if found.suspect is None:
        said = {Blame.COMPANION: f"the reason is {moved}", Blame.TOGETHER: f"{moved} only together"}
        return f": {said.get(found.blame, f'{moved} moved, and cannot be told apart')}"
    if found.blame is Blame.COMPANION:
        return f"; the reason is not {name} but what moved with it: {moved}"
    if found.blame is Blame.EITHER:
        return f"; {moved}, which moved with it, changes them as well"
    if found.blame is Blame.TOGETHER:
        return f"; but only together with {moved}"
    return f"; {moved} moved with it, and the two cannot be told apart"


def _short_problem(point: Point) -> str:
    if point.problem.startswith("the script fails"):
        return "fails"
    return "does not install" if "install" in point.problem else "tells nothing"


def explanation_lines(found: Explanation | None) -> list[str]:
    """Return what moved at a change, and which of it is the reason."""
    if found is None:
        return []
    all_moved = [*([found.suspect] if found.suspect else []), *found.companions]
    lines = [line for one in all_moved for line in _pinned_lines(one)]
    companions = ", ".join(map(str, found.companions))
    if found.suspect is None:
        lines += [f"moved: {companions}"] if len(found.companions) > 1 else []
    elif found.companions:
        lines.append(f"confounder: {companions} moved with it")
        lines.append(f"{found.suspect.move.package} alone: {_alone(found.suspect_alone)}")
        lines.append(f"what moved with it alone: {_alone(found.companions_alone)}")
    lines += [f"{move} alone: {_alone(differs)}" for move, differs in found.alone.items()]
    return [*lines, f"so it is {blamed(found)}"] if len(all_moved) > 1 else lines


def _pinned_lines(moved: Moved) -> list[str]:
    whole = f"{moved.move.package} {moved.move.after}"
    return [f"{move} is part of {whole}: neither is to be had alone" for move in moved.pinned]


def _alone(differs: bool | None) -> str:
    if differs is None:
        return "cannot be had, or tells nothing"
    return "changes the numbers" if differs else "changes nothing"


def blamed(found: Explanation) -> str:
    """Return which of the packages that moved is the reason."""
    names = " or ".join(f"{one.move.package}{one.with_its}" for one in found.guilty)
    if found.suspect is None and found.blame is Blame.COMPANION:
        return names
    suspect = f"{found.suspect.move.package}{found.suspect.with_its}" if found.suspect else ""
    return {
        Blame.SUSPECT: suspect,
        Blame.COMPANION: f"not {suspect}, but {names or 'what moved with it'}",
        Blame.EITHER: f"{suspect} as well as what moved with it: each of them alone changes the "
        "numbers",
        Blame.TOGETHER: "neither alone: only both together change the numbers",
        Blame.UNKNOWN: "not known which: they cannot be told apart",
    }[found.blame]


def reproduce(result: Bisection, change: Change) -> list[str]:
    """Return a command for each side of a change, and one that compares the two runs."""
    if chance.by_seeds(result.search) is not None:
        return [_asked_again(result, change)]
    place, unit = result.range.place, result.range.unit
    backend, script = result.range.backend.name, f"{place.argument}{_conditions(result)}".strip()
    ends = [result.search.points[at] for at in (change.bracket.good, change.bracket.bad)]
    lines = []
    if unit is Unit.DAY:
        parts = ["keras-repro bisect day", script, f"--backend {backend}"]
        parts += [f"--since {ends[0].label} --until {ends[1].label}"]
        lines.append(" ".join(part for part in parts if part))
    folders = []
    for point in ends:
        if unit is Unit.RELEASE:
            wanted = f'--with "{result.range.name}=={point.label}"'
            parts = ["keras-repro upgrade", script, f"--backend {backend}", wanted]
            lines.append(" ".join(part for part in parts if part))
        elif unit is Unit.COMMIT:
            lines.append(
                f"git checkout {point.label} && keras-repro train {script} --backend {backend}"
            )
        if point.trial is not None and point.trial.run is not None:
            folders.append(shlex.quote(shorter(point.trial.run.folder)))
    if len(folders) == 2:
        lines.append(f"keras-repro compare {folders[0]} {folders[1]}")
    return lines


def _asked_again(result: Bisection, change: Change) -> str:
    """Return the search of these two points alone: all seeds are kept, and it answers at once."""
    range_, judge = result.range, chance.by_seeds(result.search)
    assert judge is not None
    good, bad = (result.search.points[at].label for at in (change.bracket.good, change.bracket.bad))
    parts = [f"keras-repro bisect {range_.unit}", f"{range_.place.argument}{_conditions(result)}"]
    parts += [f"--backend {range_.backend.name}"]
    parts += [f"--package {range_.name}"] if range_.unit is Unit.RELEASE else []
    parts += [f"{range_.ends[0]} {good} {range_.ends[1]} {bad}"]
    parts += ["--vary-own-seeds"] if range_.place.of.conditions.vary_own_seeds else []
    parts += [f"--primary {shlex.quote(name)}" for name in judge.primary]
    parts += [f"--tolerance {DISTRIBUTION} --seeds {judge.most}"]
    return " ".join(part.strip() for part in parts if part.strip())


def _conditions(result: Bisection) -> str:
    """Return the options that a workload is trained under, where they are not the ordinary ones."""
    workload = result.range.place.of
    options = [f"--requirements {shlex.quote(shorter(p))}" for p in workload.requirement_files]
    options += [f"--system-package {name}" for name in workload.conditions.system_packages]
    usual = Conditions()
    for name in ("seed", "threads", "processor"):
        value = getattr(workload.conditions, name)
        if value != getattr(usual, name):
            options.append(f"--{name} {value}")
    return "".join(f" {option}" for option in options)


def _and(words: tuple[str, ...]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
