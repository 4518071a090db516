"""Which package indexes and wheel folders are in use here: uv's settings, else pip's.

uv does not read pip's configuration; an index, a mirror or a wheel folder named there is meant for
both. Where uv has a setting of its own, that one holds.
"""

import hashlib
import os
import subprocess
import sys
import tomllib
from ast import literal_eval
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from platformdirs import site_config_path, user_config_path


@dataclass(frozen=True)
class IndexSettings:
    """The indexes, by URL, and where wheels lie besides: folders, or pages of links.

    ``default`` is None where it is uv's own.
    """

    default: str | None = None
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False


@dataclass(frozen=True)
class InUse(IndexSettings):
    """The settings that hold, and what uv has to be told of them, since they are pip's.

    ``best_match`` says that all indexes are asked for a package, as pip does; uv alone takes the
    first that has it.
    """

    variables: tuple[tuple[str, str], ...] = ()
    best_match: bool = False


def in_use() -> InUse:
    """Return the settings that hold here and now."""
    uvs, pips = _uv(), _pip()
    found = InUse(**vars(uvs))
    told: dict[str, str] = {}
    if not (uvs.default or uvs.extra or uvs.no_index):
        found = replace(found, default=pips.default, extra=pips.extra, no_index=pips.no_index)
        if pips.default:
            told["UV_DEFAULT_INDEX"] = pips.default
        if pips.extra:  # pip takes the best of all its indexes
            told["UV_INDEX"] = " ".join(pips.extra)
            told["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if pips.find_links and not uvs.find_links:
        found = replace(found, find_links=pips.find_links)
        told["UV_FIND_LINKS"] = ",".join(pips.find_links)
    strategy = told.get("UV_INDEX_STRATEGY", os.environ.get("UV_INDEX_STRATEGY", ""))
    best_match = strategy.startswith("unsafe")
    return replace(found, variables=tuple(told.items()), best_match=best_match)


def fingerprint(settings: InUse) -> str:
    """Return what tells whether a local index or wheel folder in use was changed; "" for others."""
    digest = hashlib.sha256()
    for place in (*settings.extra, settings.default or "", *settings.find_links):
        folder = local_folder(place) if place else None
        pages = [] if folder is None else sorted(folder.glob("*/index.html"))
        for path in [] if folder is None else [folder, *pages]:
            with suppress(OSError):
                state = path.stat()
                digest.update(f"{path} {state.st_mtime_ns} {state.st_size}\n".encode())
    return digest.hexdigest()


def local_folder(place: str) -> Path | None:
    """Return the path that a wheel folder or a file URL names; None for what is elsewhere."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return None if parts.scheme in ("http", "https") else Path(place).expanduser()


def _uv() -> IndexSettings:
    """Return what the environment and uv's files say; each setting's first place holds."""
    places = [_uv_environment(), *map(_uv_table, _uv_tables())]
    merged = IndexSettings()
    for name in vars(merged):
        value = next((found for place in places if (found := getattr(place, name))), None)
        if value:
            merged = replace(merged, **{name: value})
    return merged


def _uv_environment() -> IndexSettings:
    variables = os.environ
    extra = variables.get("UV_INDEX", variables.get("UV_EXTRA_INDEX_URL", ""))
    return IndexSettings(
        variables.get("UV_DEFAULT_INDEX") or variables.get("UV_INDEX_URL") or None,
        tuple(_url(text) for text in extra.split()),
        tuple(filter(None, variables.get("UV_FIND_LINKS", "").split(","))),
    )


def _uv_tables() -> Iterator[dict[str, Any]]:
    """Yield uv's configuration files, the nearest first, as its documentation orders them."""
    if os.environ.get("UV_NO_CONFIG", "").lower() in ("1", "true"):
        return
    if named := os.environ.get("UV_CONFIG_FILE"):
        yield from _read(Path(named))
        return
    for folder in (Path.cwd(), *Path.cwd().parents):
        projects = [project.get("tool", {}) for project in _read(folder / "pyproject.toml")]
        found = _read(folder / "uv.toml") or [tool["uv"] for tool in projects if "uv" in tool]
        if found:
            yield from found
            break
    yield from _read(user_config_path("uv") / "uv.toml")
    yield from _read(site_config_path("uv") / "uv.toml")
    yield from _read(Path("/etc/uv/uv.toml"))


def _read(path: Path) -> list[dict[str, Any]]:
    with suppress(OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return [tomllib.loads(path.read_text(encoding="utf-8"))]
    return []


def _uv_table(table: dict[str, Any]) -> IndexSettings:
    table = {**table, **table.get("pip", {})}
    indexes = [index for index in table.get("index", []) if not index.get("explicit")]
    default = next((index["url"] for index in indexes if index.get("default")), None)
    return IndexSettings(
        default or table.get("index-url"),
        tuple(index["url"] for index in indexes if not index.get("default"))
        or tuple(table.get("extra-index-url", [])),
        tuple(table.get("find-links", [])),
        bool(table.get("no-index")),
    )


def _url(text: str) -> str:
    """Return an index's URL without the name that uv allows before it (``name=url``)."""
    name, equals, url = text.partition("=")
    return url if equals and name.replace("-", "").replace("_", "").isalnum() else text


def _pip() -> IndexSettings:
    # The environment is looked at anew; pip's files are read once.
    stored = _pip_stored()

    def setting(name: str) -> str:
        return os.environ.get("PIP_" + name.upper().replace("-", "_"), stored.get(name, ""))

    return IndexSettings(
        setting("index-url") or None,
        tuple(setting("extra-index-url").split()),
        tuple(setting("find-links").split()),
        setting("no-index").lower() in ("1", "true", "yes", "on"),
    )


@cache
def _pip_stored() -> dict[str, str]:
    """Return {name: value} of pip's configuration files; those for installing before the global."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found: dict[str, str] = {}
    if asked.returncode == 0:
        for scope in ("global", "install"):
            for line in asked.stdout.splitlines():
                name, _, value = line.partition("=")
                if name.startswith(scope + "."):
                    found[name.partition(".")[2]] = str(literal_eval(value))
    return found
