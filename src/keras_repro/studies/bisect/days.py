"""Days, as something to search.

The environment of a day is what the resolver would have made of the backend's requirements then,
within the major releases that the backend is pinned to.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from packaging.requirements import Requirement

from keras_repro.backends import Backend
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.packages import extra, releases, resolve
from keras_repro.packages.resolve import DoesNotInstallError
from keras_repro.project.workload import Workload
from keras_repro.studies.bisect.explanation import Differs, Explanation, explain
from keras_repro.studies.bisect.searchable import NothingThereError, Point, Range, Unit
from keras_repro.studies.check import Place


@dataclass
class Days:
    """Days, each with the newest packages of its evening."""

    range: Range

    @contextmanager
    def at(self, point: Point) -> Iterator[tuple[Workload, Backend]]:
        """Return the workload, and the environment of a day."""
        end = datetime.combine(date.fromisoformat(point.label) + timedelta(1), time(), UTC)
        workload = self.range.place.of
        files, inline = workload.requirement_files, workload.requirements
        base = extra.with_extra(self.range.backend, files, inline)
        try:
            backend = resolve.changed(base, (), self._asked(), hold=False, until=end)
        except DoesNotInstallError as error:
            raise NothingThereError(f"does not install: {error}") from None
        yield workload, backend

    def explain(self, good: Backend, bad: Backend, differs: Differs) -> Explanation:
        """Return which of the packages that moved that day is the reason."""

        def holding(versions: dict[str, str], base: Backend) -> Backend:
            wanted = [Requirement(f"{name}=={version}") for name, version in versions.items()]
            return resolve.changed(base, wanted, self._asked())

        return explain(None, good, bad, holding, differs)

    def _asked(self) -> list[Requirement]:
        workload = self.range.place.of
        return [one for _, one in extra.read(workload.requirement_files, workload.requirements)]


def search_days(place: Place, backend: Backend, since: str, until: str) -> Days:
    """Return the days from one date to another, both written as in 2026-06-24.

    Raises:
        UsageError: there are none.
        UnavailableError: the index cannot be read, or does not say when files were uploaded.
    """
    first, last = _day("--since", since), _day("--until", until)
    if first >= last:
        raise UsageError(f"--since {first} is not before --until {last}; swap them")
    today = datetime.now(UTC).date()
    if last > today:
        raise UsageError(f"--until {last} has not come yet; today is {today}")
    # What the backend's own requirements name first is what everything hangs on.
    name = next(iter(backend.pins))
    dates = [release.uploaded for release in releases.releases(name, backend)]
    if not any(dates):
        raise UnavailableError(
            f"the package index in use does not say when {name} was uploaded, so there are no "
            "days to go by; search a package's releases instead: keras-repro bisect release"
        )
    days = [str(first + timedelta(number)) for number in range((last - first).days + 1)]
    points = [Point(day) for day in days]
    ends = ("--since", "--until")
    return Days(Range(place, backend, Unit.DAY, Unit.DAY, str(first), points, ends=ends))


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text!r} is no date; write it as in 2026-06-24") from None
