"""What differs between two outcomes of a case: exit codes, documents, files, names and figures.

Documents are compared value by value. Of prose, which may be put into other words, what counts are
names (of arrays, files, backends, options), verdicts beside them, and numbers.
"""

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PROSE = {"problem", "note", "hint", "reason", "log.txt"}  # keys whose text is for people
VERDICTS = "identical|close|drift|nonfinite|dtype|shape|unexpected|missing|agrees|parts"
OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")
DATE = re.compile(r"\b\d{4}-\d\d-\d\d\b")
NAME = re.compile(
    r"(?:[\w.<>~-]+/)+[\w.<>\[\]:*-]+|/(?:[\w.-]+/?)+"
    r"|[\w-]+\.(?:npz|json|toml|txt|py|html|svg|png|pdf|doc)\b"
)
CHANGE = re.compile(r"(\S+) -> (\S+?)(?=[,;.)]?(?:\s|$))")
COUNTED = re.compile(rf"\b(\d+) ({VERDICTS})\b")
BESIDE = re.compile(
    rf"^\s*(?:\| )?`?([\w./<>:\[\]-]+)`?(?: \([^)]*\))?\s+(?:\| )?[✅❌*]* ?({VERDICTS})\b"
)
CELL = re.compile(r"[✅❌] [a-z]+(?: [a-z]+)?")
NUMBER = re.compile(r"(?<![\w.<&#])-?\d[\d,]*(?:\.\d+)*(?:e[+-]?\d+)?(?![\w])|\b(?:nan|inf)\b")
BACKEND = re.compile(r"\b(?:tensorflow1|tensorflow|theano|jax|torch)\b")
COMMANDS = re.compile(r"^ {2}([a-z]+) {2,}\S", re.M)


@dataclass(frozen=True)
class Difference:
    """One thing that differs in what became of a command, the step counted from 0 commands.

    Of prose, ``old`` has what only the old version names, as often as it does, and ``new`` what
    only the present one names.
    """

    case: str
    step: int
    what: str
    old: Any
    new: Any
    command: str = ""

    def __str__(self) -> str:
        return f"{self.case}, step {self.step}, {self.what}: {self.old!r} -> {self.new!r}"


def differences(case: str, old: dict[str, Any], new: dict[str, Any]) -> list[Difference]:
    """Return what differs between two outcomes of a case."""
    if len(old["steps"]) != len(new["steps"]):
        return [Difference(case, -1, "steps", len(old["steps"]), len(new["steps"]))]
    return [
        Difference(case, number, *found, before["command"])
        for number, (before, after) in enumerate(zip(old["steps"], new["steps"], strict=True))
        for found in _of_step(before, after)
    ]


def _of_step(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    command = old["command"]
    if command != new["command"]:
        yield "command", command, new["command"]
    if old["exit"] != new["exit"]:
        yield "exit", old["exit"], new["exit"]
    yield from of_values("document", old.get("document"), new.get("document"))
    for stream in ("stdout", "stderr"):
        before, after = old.get(stream, ""), new.get(stream, "")
        if before == after:
            continue
        if "--help" in command or before.startswith("Usage:"):
            yield from _told_apart(stream, offered(before), offered(after))
        elif stream == "stderr" and old["exit"]:
            yield from _of_error(command, before, after)
        else:
            yield from _told_apart(stream, figures(before), figures(after))
    before, after = old.get("written", {}), new.get("written", {})
    for name in sorted({*before, *after}):
        yield from of_values(f"written {name}", before.get(name, "no"), after.get(name, "no"))


def _of_error(command: str, old: str, new: str) -> Iterator[tuple[str, Any, Any]]:
    """Return how an error is not one line, or names other things than the old one.

    Of what the old one names, that counts which the command line has; of the new, other options.
    """
    if old.count("\n") != new.count("\n"):
        yield "stderr lines", old.count("\n"), new.count("\n")
    mine, theirs = named(old), named(new)
    lost = sorted(word for word in mine - theirs if word in command)
    gained = sorted(w for w in theirs - mine if w.startswith("--") and w not in command)
    if lost or gained:
        yield "stderr", lost, gained


def _told_apart(what: str, old: Counter[str], new: Counter[str]) -> Iterator[tuple[str, Any, Any]]:
    lost, gained = sorted((old - new).elements()), sorted((new - old).elements())
    if lost or gained:
        yield what, lost, gained


def of_values(place: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    """Return where two documents differ: the place, and what stands there in each."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from of_values(f"{place}: {key}", old.get(key, "no"), new.get(key, "no"))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from of_values(f"{place}: {number}", before, after)
    elif isinstance(old, str) and isinstance(new, str) and _is_prose(place):
        yield from _told_apart(place, Counter(named(old)), Counter(named(new)))
    else:
        yield place, old, new


def _is_prose(place: str) -> bool:
    return re.split(r": |/", place)[-1] in PROSE or ": not_recorded: " in place


def figures(text: str) -> Counter[str]:
    """Return the names, the verdicts and the numbers in a text, as often as they are there."""
    text = html.unescape(text)
    found: Counter[str] = Counter()
    for line in text.splitlines():
        beside = BESIDE.match(line)
        if beside and ("/" in beside[1] or "." in beside[1] or "|" in line):
            found[f"{beside[1]}: {beside[2]}"] += 1
        elif "|" in line:
            found.update(CELL.findall(line))
        found.update(f"{count} {verdict}" for count, verdict in COUNTED.findall(line))
        found.update(f"{before} -> {after}" for before, after in CHANGE.findall(line))
        rest = line
        for pattern in (DATE, NAME, NUMBER):
            found.update(pattern.findall(rest))
            rest = pattern.sub(" ", rest)
    found.update(set(BACKEND.findall(text)) | set(OPTION.findall(text)))
    return found


def named(text: str) -> set[str]:
    """Return the names, the options and the numbers in a text."""
    found: set[str] = set(OPTION.findall(text)) | set(BACKEND.findall(text))
    rest = text
    for pattern in (DATE, NAME, NUMBER):
        found |= set(pattern.findall(rest))
        rest = pattern.sub(" ", rest)
    return found


def offered(text: str) -> Counter[str]:
    """Return the options and the commands that a help text offers."""
    return Counter({*OPTION.findall(text), *COMMANDS.findall(text)})
