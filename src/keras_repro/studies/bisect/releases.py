"""The releases of a package, as something to search."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from keras_repro.backends import Backend
from keras_repro.errors import KerasReproError, MissingError, UsageError
from keras_repro.packages import extra, releases, resolve
from keras_repro.packages.releases import Release
from keras_repro.packages.resolve import DoesNotInstallError
from keras_repro.project.workload import Workload
from keras_repro.runs.baselines import Baseline, read_baseline
from keras_repro.studies.bisect.explanation import Differs, Explanation, explain
from keras_repro.studies.bisect.searchable import NothingThereError, Point, Range, Unit
from keras_repro.studies.check import Place


@dataclass
class Releases:
    """The releases of a package; all else stays where the lock has it, or as near as it goes."""

    range: Range
    environments: "Environments"

    @contextmanager
    def at(self, point: Point) -> Iterator[tuple[Workload, Backend]]:
        """Return the workload, and the environment of a release."""
        try:
            backend = self.environments.at(point.label)
        except DoesNotInstallError as error:
            raise NothingThereError(f"does not install: {error}") from None
        yield self.range.place.of, backend

    def explain(self, good: Backend, bad: Backend, differs: Differs) -> Explanation:
        """Return whether the release is the reason, or what moved with it."""
        return explain(self.range.name, good, bad, self.environments.holding, differs)


def search_releases(
    place: Place,
    backend: Backend,
    package: str,
    good: str | None = None,
    bad: str | None = None,
    *,
    pre: bool = False,
    every: bool = False,
) -> Releases:
    """Return the releases of a package from the good one to the bad one.

    ``good`` None means that the baseline is what is good, ``bad`` None the newest release. ``pre``
    asks for the pre-releases between them too, and ``every`` for all the releases at which the
    numbers change, from the first that there is where ``good`` is None.

    Raises:
        UsageError: the environment has no such package, a version is no release of it, or the
            two are the wrong way round.
        UnavailableError: the index cannot be read.
        MissingError, UnreadableError: there is no baseline, and it was asked for.
    """
    environments = Environments(place.of, backend, package)
    package = environments.package
    baseline = _baseline(place, backend, needed=good is None and not every)
    found = _offered(environments, (good, bad, _in_baseline(baseline, package)), pre)
    first = _first(package, good, found, baseline, every)
    last = _last(package, bad, found)
    if first > last:
        raise UsageError(
            f"{package} {first} (good) is later than {last} (bad): they are the wrong way round; "
            f"swap them: --good {last} --bad {first}"
        )
    if first == last:
        raise UsageError(f"{package} {first} is both good and bad; name another --bad")
    points = [_point(release) for release in found if first <= release.version <= last]
    for end, name in ((points[0], "good"), (points[-1], "bad")):
        if end.problem and not every:
            raise UsageError(f"{package} {end.label} ({name}) {end.problem}; name another --{name}")
    expected = None
    said = f"{package} {first}"
    if baseline is not None and good is None and not every:
        expected, said = baseline.all_arrays, f"the baseline ({said})"
    return Releases(
        Range(place, backend, Unit.RELEASE, package, said, points, expected, every), environments
    )


class Environments:
    """The environments of a package's releases.

    Raises UsageError where the backend, with what the workload needs besides, has no such package.
    """

    def __init__(self, workload: Workload, backend: Backend, package: str) -> None:
        self._backend = extra.with_extra(backend, workload.requirement_files, workload.requirements)
        asked = extra.read(workload.requirement_files, workload.requirements)
        self._asked = [requirement for _, requirement in asked]
        self.package = known_package(self._backend, package)
        # Of builds with a version of their own, PyTorch's "+cpu" say, those like the lock's alone:
        # any other is another thing.
        local = Version(resolve.whole(self._backend)[self.package]).local
        self.releases = [
            release
            for release in releases.releases(self.package, backend, pre=True)
            if release.version.local == local
        ]
        self._wheels = {str(release.version) for release in self.releases if release.wheels}

    def at(self, version: str) -> Backend:
        """Return the environment of a release. Raises DoesNotInstallError, UnavailableError."""
        return self.holding({self.package: version}, self._backend)

    def holding(self, versions: dict[str, str], base: Backend) -> Backend:
        """Return an environment with some packages at just these versions, the rest as in ``base``.

        Raises DoesNotInstallError, UnavailableError.
        """
        wanted = [Requirement(f"{name}=={version}") for name, version in versions.items()]
        only_binary = [self.package] if versions.get(self.package) in self._wheels else []
        # Without the script's own packages the lock is no other where nothing moves.
        return resolve.changed(base, wanted, self._asked, only_binary=only_binary)


def known_package(backend: Backend, name: str) -> str:
    """Return a package's name as the lock writes it. Raises UsageError where it has none."""
    there = resolve.whole(backend)
    found = canonicalize_name(name)
    if found not in there:
        near = [other for other in there if found in other or other in found]
        near += [n for n in difflib.get_close_matches(found, there) if n not in near]
        hint = f"; did you mean {near[0]}" if near else f"; it has {', '.join(sorted(there)[:8])}"
        raise UsageError(f"{backend.name} has no package {name!r}{hint}")
    return found


def _baseline(place: Place, backend: Backend, *, needed: bool) -> Baseline | None:
    try:
        return read_baseline(place.baseline(backend))
    except MissingError as error:
        if needed:
            raise MissingError(f"{error}; say what is good with --good VERSION") from None
    except KerasReproError:
        if needed:
            raise
    return None


def _in_baseline(baseline: Baseline | None, package: str) -> str | None:
    return None if baseline is None else baseline.facts.packages.get(package)


def _offered(
    environments: Environments, named: tuple[str | None, str | None, str | None], pre: bool
) -> list[Release]:
    """Return the releases to search: of pre-releases those that are named, or all of them."""
    good, bad, of_baseline = named
    texts = [good or of_baseline, bad]
    ends = {_version(text) for text in texts if text is not None}
    found = environments.releases
    if not found:
        raise UsageError(
            f"the index in use has no release of {environments.package} like the lock's"
        )
    only_pre = all(release.version.is_prerelease for release in found)
    return [
        release
        for release in found
        if pre or only_pre or release.version in ends or not release.version.is_prerelease
    ]


def _first(
    package: str, good: str | None, found: list[Release], baseline: Baseline | None, every: bool
) -> Version:
    if good is not None:
        return _release("--good", good, package, found)
    if every:
        usable = [release.version for release in found if not release.problem]
        return usable[0] if usable else found[0].version
    text = _in_baseline(baseline, package)
    if text is None:
        raise UsageError(
            f"the baseline does not say which {package} it was made with; name one with --good"
        )
    return _release("the baseline's", text, package, found)


def _last(package: str, bad: str | None, found: list[Release]) -> Version:
    usable = [release for release in found if not release.problem]
    if not usable:
        raise UsageError(f"no release of {package} installs: {found[-1].problem}")
    return usable[-1].version if bad is None else _release("--bad", bad, package, found)


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


def _point(release: Release) -> Point:
    date = "" if release.uploaded is None else release.uploaded.date().isoformat()
    problem = f"does not install: {release.problem}" if release.problem else ""
    return Point(str(release.version), date, problem)
