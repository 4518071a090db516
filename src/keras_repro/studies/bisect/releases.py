"""Find the first release of a package after which a workload's numbers differ."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from keras_repro.backends import Backend
from keras_repro.engines import Engine
from keras_repro.errors import ExitCode, KerasReproError, MissingError, RunFailedError, UsageError
from keras_repro.numbers.comparison import Comparison
from keras_repro.numbers.differences import Tolerance
from keras_repro.numbers.tolerances import tolerance_of
from keras_repro.packages import extra, releases, resolve
from keras_repro.packages.releases import Release
from keras_repro.packages.resolve import DoesNotInstallError, Move
from keras_repro.project.workload import Workload
from keras_repro.runs.baselines import Baseline, read_baseline
from keras_repro.runs.npz import Stored
from keras_repro.runs.run import Run
from keras_repro.studies.bisect.confounders import Separation, separate
from keras_repro.studies.bisect.search import Judge, Point, Search, search
from keras_repro.studies.bisect.strategy import Bracket
from keras_repro.studies.check import Place
from keras_repro.studies.train.plan import Progress
from keras_repro.studies.trial import Probe, probe

IDENTICAL = "identical"
BASELINE = "baseline"


@dataclass(frozen=True)
class Question:
    """What is asked.

    ``good`` None means that the baseline is what is good, ``bad`` None the newest release.
    ``tolerance`` is "identical", "baseline" or a relative tolerance. ``every`` asks for all the
    releases at which the numbers change, from the first that there is where ``good`` is None.
    """

    place: Place
    backend: Backend
    package: str
    good: str | None = None
    bad: str | None = None
    tolerance: str | float = BASELINE
    only: tuple[str, ...] = ()
    pre: bool = False
    every: bool = False
    jobs: int = 1

    @property
    def workload(self) -> Workload:
        """What is trained."""
        return self.place.of


class Span(StrEnum):
    """What the points of a range are; ``what`` of a search is a package, or this word."""

    RELEASES = "release"
    DAYS = "day"
    COMMITS = "commit"


@dataclass(frozen=True)
class Change:
    """Where the numbers change: between two points, for some kinds of arrays.

    ``moved`` are the packages that differ between the two besides the one that is searched,
    ``separation`` what a second pass says of them, None where nothing else moved.
    """

    kinds: tuple[str, ...]
    bracket: Bracket
    comparisons: list[Comparison]
    moved: list[Move] = field(default_factory=list)
    separation: Separation | None = None


@dataclass(frozen=True)
class Bisection:
    """What a search found. ``good`` says in words what the numbers were compared with."""

    place: Place
    backend: Backend
    span: Span
    what: str
    search: Search
    changes: list[Change]
    good: str

    @property
    def unchanged(self) -> tuple[str, ...]:
        """The kinds of arrays that do not change anywhere in the range."""
        changed = {kind for change in self.changes for kind in change.kinds}
        return tuple(kind for kind in self.search.kinds if kind not in changed)

    @property
    def exit_code(self) -> ExitCode:
        """DRIFT where a change was found, else OK."""
        return ExitCode.DRIFT if self.changes else ExitCode.OK


def start(question: Question) -> tuple[Search, str]:
    """Return the range to search, and in words what is good.

    Raises:
        UsageError: the environment has no such package, a version is no release of it, or the
            two are the wrong way round.
        UnavailableError: the index cannot be read.
        MissingError, UnreadableError: there is no baseline, and it was asked for.
    """
    package = known_package(question.backend, question.workload, question.package)
    baseline = _baseline(question)
    found = _offered(question, package, baseline)
    if not found:
        raise UsageError(f"the index in use has no release of {package} like the lock's")
    good = _good(question, package, found, baseline)
    usable = [release for release in found if not release.problem]
    if not usable:
        raise UsageError(f"no release of {package} installs: {found[-1].problem}")
    bad = (
        usable[-1].version
        if question.bad is None
        else _release("--bad", question.bad, package, found)
    )
    if good > bad:
        raise UsageError(
            f"{package} {good} (good) is later than {bad} (bad): they are the wrong way round; "
            f"swap them: --good {bad} --bad {good}"
        )
    if good == bad:
        raise UsageError(f"{package} {good} is both good and bad; name another --bad")
    points = [
        Point(
            *(str(release.version), _date(release)),
            problem=f"does not install: {release.problem}" if release.problem else "",
        )
        for release in found
        if good <= release.version <= bad
    ]
    for end, name in ((points[0], "good"), (points[-1], "bad")):
        if end.problem and not question.every:
            raise UsageError(f"{package} {end.label} ({name}) {end.problem}; name another --{name}")
    expected = baseline.arrays if baseline is not None and question.good is None else None
    said = f"{package} {good}" if expected is None else f"the baseline ({package} {good})"
    judge = judge_of(question.place, question.backend, question.tolerance, question.only, baseline)
    state = Search(
        points, judge, None if question.every else expected, question.every, question.jobs
    )
    return state, said


def finish(
    question: Question,
    state: Search,
    good: str,
    engine: Engine,
    on_probe: Callable[[str, Progress | None], None] = lambda label, progress: None,
) -> Bisection:
    """Search the range, then tell the package from what moved with it.

    ``on_probe`` is told of the runs of the second pass. KeyboardInterrupt is raised again, with
    what was learnt in ``state``.

    Raises:
        UsageError, RunFailedError: an end of the range tells nothing, or the good one is not good.
        UnavailableError, StoppedError: as a probe does.
    """
    environments = Environments(question)

    def try_point(at: int, progress: Progress) -> Probe:
        progress.phase = "resolving"
        try:
            backend = environments.at(state.points[at].label)
        except DoesNotInstallError as error:
            return Probe(question.backend, None, f"does not install: {error}")
        return probe(question.workload, backend, engine, progress)

    search(state, try_point, question.backend, engine)
    if question.every:
        check_told(state, question.package)
    else:
        check_ends(state, question.package, good)
    changes = [
        _separated(question, state, change, environments, engine, on_probe)
        for change in (every_change(state) if question.every else first_changes(state))
    ]
    return Bisection(
        *(question.place, question.backend, Span.RELEASES, question.package),
        *(state, changes, good),
    )


class Environments:
    """The environments of the releases, each resolved once."""

    def __init__(self, question: Question) -> None:
        workload = question.workload
        self._backend = with_extra(question.backend, workload)
        asked = extra.read(workload.requirement_files, workload.requirements)
        self._asked = [requirement for _, requirement in asked]
        self._package = canonicalize_name(question.package)
        known = releases.releases(self._package, question.backend, pre=True)
        self._wheels = {str(release.version) for release in known if release.wheels}

    def at(self, version: str) -> Backend:
        """Return the environment of a release. Raises DoesNotInstallError, UnavailableError."""
        return self.holding({self._package: version})

    def holding(self, versions: dict[str, str], base: Backend | None = None) -> Backend:
        """Return the environment with some packages at just these versions.

        The rest stays as it is in ``base``, or in the lock.
        """
        wanted = [Requirement(f"{name}=={version}") for name, version in versions.items()]
        own = versions.get(self._package)
        only_binary = [self._package] if own in self._wheels else []
        # Without the script's own packages the lock is no other where nothing moves.
        return resolve.changed(
            self._backend if base is None else base, wanted, self._asked, only_binary=only_binary
        )


def with_extra(backend: Backend, workload: Workload) -> Backend:
    """Return the backend with what a workload needs besides."""
    return extra.with_extra(backend, workload.requirement_files, workload.requirements)


def known_package(backend: Backend, workload: Workload, name: str) -> str:
    """Return a package's name as the lock writes it. Raises UsageError where it has none."""
    there = resolve.whole(with_extra(backend, workload))
    found = canonicalize_name(name)
    if found not in there:
        near = [other for other in there if found in other or other in found]
        near += [n for n in difflib.get_close_matches(found, there) if n not in near]
        hint = f"; did you mean {near[0]}" if near else f"; it has {', '.join(sorted(there)[:8])}"
        raise UsageError(f"{backend.name} has no package {name!r}{hint}")
    return found


def judge_of(
    place: Place,
    backend: Backend,
    tolerance: str | float,
    only: tuple[str, ...],
    baseline: Baseline | None,
) -> Judge:
    """Return what counts as different."""
    if tolerance == IDENTICAL:
        return Judge(None, only)
    if isinstance(tolerance, float):
        relative = Tolerance(tolerance, 0.0)
        return Judge(lambda name: relative, only)
    if baseline is not None:
        return Judge(place.tolerance_of(baseline), only)
    tolerances = place.of.tolerances | backend.tolerances
    return Judge(lambda name: tolerance_of(name, tolerances), only)


def baseline_of(place: Place, backend: Backend) -> Baseline | None:
    """Return the baseline whose tolerances hold, None where none can be read."""
    try:
        return read_baseline(place.baseline(backend))
    except KerasReproError:
        return None


def check_ends(state: Search, what: str, good: str) -> None:
    """Raise where an end of the range has no numbers, or the good one is not as the baseline."""
    first, last = state.points[0], state.points[-1]
    for point, name in ((first, "good"), (last, "bad")):
        if point.problem:
            message = f"{what} {point.label} ({name}) tells nothing: {point.problem}"
            if point.problem.startswith("the script fails"):
                raise RunFailedError(f"{message}; name another --{name}")
            raise UsageError(f"{message}; name another --{name}")
    if any((state.outcomes[0] or {}).values()):
        raise RunFailedError(
            f"with {what} {first.label} the numbers are not {good}'s here, so another release "
            "cannot be the reason; see keras-repro check for what is"
        )


def check_told(state: Search, what: str) -> None:
    """Raise where fewer than two points have numbers, so that there is nothing to compare."""
    told = [point for point in state.points if point.told]
    if len(told) > 1:
        return
    count = "none" if not told else f"only {told[0].label}"
    problem = next((point.problem for point in state.points if point.problem), "")
    raise RunFailedError(
        f"of {len(state.points)} releases of {what} {count} has numbers: {problem}"
    )


def first_changes(state: Search) -> list[Change]:
    """Return the first change of each kind of array, those of the same place together."""
    places: dict[Bracket, list[str]] = {}
    for kind in state.kinds:
        bracket = state.bracket(kind)
        if bracket is not None:
            places.setdefault(bracket, []).append(kind)
    ordered = sorted(places.items(), key=lambda item: item[0].bad)
    return [Change(tuple(kinds), at, state.between(at.good, at.bad)) for at, kinds in ordered]


def every_change(state: Search) -> list[Change]:
    """Return each place where neighbours differ, in order."""
    told = [at for at, point in enumerate(state.points) if point.told]
    changes = []
    for left, right in pairwise(told):
        outcome = state.judge.outcome(state.between(left, right))
        kinds = tuple(sorted(kind for kind, differs in outcome.items() if differs))
        if kinds:
            bracket = Bracket(left, right, tuple(range(left + 1, right)))
            changes.append(Change(kinds, bracket, state.between(left, right)))
    return changes


def _separated(
    question: Question,
    state: Search,
    change: Change,
    environments: Environments,
    engine: Engine,
    on_probe: Callable[[str, Progress | None], None],
) -> Change:
    """Return the change with what else moved there, and which of the two is the reason."""
    good, bad = state.points[change.bracket.good], state.points[change.bracket.bad]
    if good.probe is None or good.probe.run is None or bad.probe is None:
        return change
    base, expected = good.probe.backend, good.probe.run.arrays
    package = canonicalize_name(question.package)
    between = resolve.moves(base, bad.probe.backend)
    moved = [move for move in between if move.package != package]
    if not moved:
        return change
    # All that was there stays where it was, also what nothing needs any more. A package that is
    # only there now belongs to whatever needs it.
    before = {move.package: move.before for move in moved if move.before is not None}
    before[package] = good.label
    apart = set(before)

    def differs(label: str, versions: dict[str, str]) -> bool | None:
        progress = Progress(label, base)
        on_probe(label, progress)
        versions = {name: version for name, version in versions.items() if name in before}
        try:
            backend = environments.holding(before | versions, base)
            found = probe_alone(question.workload, base, backend, versions, apart, engine, progress)
        except DoesNotInstallError:
            return None
        finally:
            on_probe(label, None)
        return None if found is None else change_of(state, found, expected, change.kinds)

    suspect = Move(package, good.label, bad.label)
    return replace(change, moved=moved, separation=separate(suspect, moved, differs))


def probe_alone(
    workload: Workload,
    base: Backend,
    backend: Backend,
    versions: dict[str, str],
    apart: set[str],
    engine: Engine,
    progress: Progress,
) -> Run | None:
    """Return the run in an environment in which, of ``apart``, just ``versions`` moved.

    None where one draws another along, or where there are no numbers.
    """
    there = {move.package: move.after for move in resolve.moves(base, backend)}
    if {name: there[name] for name in apart & set(there)} != versions:
        return None
    return probe(workload, backend, engine, progress).run


def change_of(
    state: Search, run: Run, expected: Mapping[str, Stored], kinds: tuple[str, ...]
) -> bool:
    """Return whether any of these kinds of a run's arrays differ from the expected ones."""
    outcome = state.judge.outcome(state.judge.compare(run.arrays, expected))
    return any(outcome.get(kind, False) for kind in kinds)


def _baseline(question: Question) -> Baseline | None:
    folder = question.place.baseline(question.backend)
    try:
        return read_baseline(folder)
    except MissingError as error:
        if question.good is None and not question.every:
            raise MissingError(f"{error}; say what is good with --good VERSION") from None
        return None
    except KerasReproError:
        if question.good is None and not question.every:
            raise
        return None


def _offered(question: Question, package: str, baseline: Baseline | None) -> list[Release]:
    """Return the releases to search: of pre-releases only the ends, unless all are asked for.

    Of builds with a version of their own, PyTorch's "+cpu" say, those like the lock's alone: any
    other is another thing.
    """
    texts = [question.good, question.bad]
    if baseline is not None and question.good is None:
        texts.append(baseline.facts.packages.get(package))
    ends = {_version(text) for text in texts if text is not None}
    found = releases.releases(package, question.backend, pre=True)
    only_pre = all(release.version.is_prerelease for release in found)
    locked = Version(resolve.whole(with_extra(question.backend, question.workload))[package])
    return [
        release
        for release in found
        if release.version.local == locked.local
        and (
            question.pre or only_pre or release.version in ends or not release.version.is_prerelease
        )
    ]


def _good(
    question: Question, package: str, found: list[Release], baseline: Baseline | None
) -> Version:
    if question.good is not None:
        return _release("--good", question.good, package, found)
    if question.every:
        usable = [release.version for release in found if not release.problem]
        return usable[0] if usable else found[0].version
    assert baseline is not None
    text = baseline.facts.packages.get(package)
    if text is None:
        raise UsageError(
            f"the baseline does not say which {package} it was made with; name one with --good"
        )
    return _release("the baseline's", text, package, found)


def _release(option: str, text: str, package: str, found: list[Release]) -> Version:
    version = _version(text)
    versions = [release.version for release in found]
    if version in versions:
        return version
    near = sorted(versions, key=lambda other: (_distance(version, other), other))[:3]
    raise UsageError(
        f"{option} {text}: the index in use has no such release of {package}, or it was yanked; "
        f"near it are {', '.join(map(str, sorted(near)))}"
    )


def _distance(one: Version, other: Version) -> tuple[int, ...]:
    longest = max(len(one.release), len(other.release))
    pad = [(*v.release, *([0] * (longest - len(v.release)))) for v in (one, other)]
    return tuple(abs(a - b) for a, b in zip(*pad, strict=True))


def _version(text: str) -> Version:
    try:
        return Version(text)
    except InvalidVersion:
        raise UsageError(f"{text!r} is no version; write it as in 3.15.1") from None


def _date(release: Release) -> str:
    uploaded: datetime | None = release.uploaded
    return "" if uploaded is None else uploaded.date().isoformat()
