"""The releases of a package that the index in use has, and which of them this Python can have."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    DistributionPackage,
    NoSuchProjectError,
    ProjectPage,
    PyPISimple,
    UnsupportedContentTypeError,
)

from keras_repro.backends import Backend
from keras_repro.errors import UnavailableError, UsageError
from keras_repro.packages import index_settings, platforms

TIMEOUT = (10.0, 60.0)  # seconds to connect, and between two bytes


@dataclass(frozen=True)
class Release:
    """A release of a package. ``uploaded`` is None where the index does not say when.

    ``wheels`` says whether it has wheels at all; ``problem`` why it cannot be installed here,
    empty where it can.
    """

    version: Version
    uploaded: datetime | None
    wheels: bool
    problem: str = ""


def releases(name: str, backend: Backend, *, pre: bool = False) -> list[Release]:
    """Return the releases of a package in version order, without those that were yanked.

    Whether one can be installed is said of the backend's Python and platform. Pre-releases are
    among them where ``pre`` asks for them, and where there are no others.

    Raises:
        UsageError: no index in use knows the package.
        UnavailableError: an index cannot be read.
    """
    by_version: dict[Version, list[DistributionPackage]] = {}
    for package in _packages(canonicalize_name(name)):
        try:
            version = Version(package.version or "")
        except InvalidVersion:  # of a time before PEP 440; uv leaves them out too
            continue
        by_version.setdefault(version, []).append(package)
    if not by_version:
        raise UsageError(f"the package index in use has no package {name!r}; mind its spelling")
    found = [
        _release(version, [package for package in packages if not package.is_yanked], backend)
        for version, packages in sorted(by_version.items())
        if not all(package.is_yanked for package in packages)
    ]
    final = [release for release in found if not release.version.is_prerelease]
    return found if pre or not final else final


def _release(version: Version, packages: list[DistributionPackage], backend: Backend) -> Release:
    python = backend.python
    wheels = [package for package in packages if package.package_type == "wheel"]
    asked = [package for package in packages if _allows(package.requires_python, python)]
    dates = [package.upload_time for package in packages if package.upload_time is not None]
    tags = platforms.wheel_tags(python, backend.platform)
    problem = ""
    if not asked:
        wanted = packages[0].requires_python
        problem = f"it needs Python {wanted}, and this is {python}"
    elif wheels and not any(tags & _wheel_tags(package.filename) for package in asked):
        problem = f"it has no wheel for Python {python} on this platform"
    return Release(version, min(dates, default=None), bool(wheels), problem)


def _allows(requires_python: str | None, python: str) -> bool:
    try:
        # Any release of this Python: what asks for >=3.7.1 is meant to install on 3.7.
        return SpecifierSet(requires_python or "").contains(f"{python}.99")
    except InvalidSpecifier:
        return True


def _wheel_tags(filename: str) -> frozenset[Tag]:
    try:
        return parse_wheel_filename(filename)[3]
    except (InvalidWheelFilename, InvalidVersion):
        return frozenset()


def _packages(name: str) -> list[DistributionPackage]:
    """Return every file of a package that the indexes and the wheel folders in use have."""
    settings = index_settings.in_use()
    indexes = [*settings.extra, settings.default or PYPI_SIMPLE_ENDPOINT]
    found: list[DistributionPackage] = []
    for url in [] if settings.no_index else indexes:
        found += _of_index(url, name)
        if found and not settings.best_match:
            break
    for place in settings.find_links:
        found += _of_links(place, name)
    return [package for package in found if package.package_type in ("wheel", "sdist")]


def _of_index(url: str, name: str) -> Iterable[DistributionPackage]:
    if folder := index_settings.local_folder(url):
        page = folder / name / "index.html"
        return _of_file(page, name, f"{url.rstrip('/')}/{name}/") if page.is_file() else []
    try:
        with PyPISimple(url) as client:
            return client.get_project_page(name, timeout=TIMEOUT).packages
    except NoSuchProjectError:
        return []
    except (requests.RequestException, UnsupportedContentTypeError, ValueError) as error:
        raise _unreadable(url, error) from None


def _of_links(place: str, name: str) -> Iterable[DistributionPackage]:
    folder = index_settings.local_folder(place)
    if folder is None:
        try:
            answer = requests.get(place, timeout=TIMEOUT)
            answer.raise_for_status()
        except requests.RequestException as error:
            raise _unreadable(place, error) from None
        packages = ProjectPage.from_html(name, answer.text, base_url=answer.url).packages
    elif folder.is_file():
        packages = list(_of_file(folder, name, place))
    elif folder.is_dir():
        names = [escape(path.name) for path in folder.iterdir()]
        links = "".join(f'<a href="{quote(name)}">{name}</a>' for name in names)
        packages = ProjectPage.from_html(
            name, links, base_url=folder.absolute().as_uri() + "/"
        ).packages
    else:
        raise UnavailableError(f"there is no wheel folder {place}; mend --find-links of uv or pip")
    return [package for package in packages if canonicalize_name(package.project or "") == name]


def _of_file(page: Path, name: str, base: str) -> Iterable[DistributionPackage]:
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(str(page), error) from None
    return ProjectPage.from_html(name, text, base_url=base).packages


def _unreadable(place: str, error: Exception) -> UnavailableError:
    parts = urlsplit(place)
    shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()  # no password
    why = " ".join(str(error).split())[:200].replace(place, shown)
    return UnavailableError(f"cannot read the package index {shown}: {why}")
