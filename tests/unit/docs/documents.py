"""The project's documents, and what is in them: links, headings, commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.conftest import ROOT

# Of docs/parity, the tables and the scripts beside them are made by `make parity`.
DOCUMENTS = sorted(
    [ROOT / name for name in ("README.md", "README.zh-TW.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    + list((ROOT / "docs").rglob("*.md"))
)
FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^()\s]+)\)")
TARGET = re.compile(r"^([a-z][\w-]*):", re.MULTILINE)
VARIABLE = re.compile(r"^([A-Z]\w*) \?=", re.MULTILINE)
OPERATORS = set("();<>|&")


@dataclass(frozen=True)
class Document:
    path: Path

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """The text without its blocks of code."""
        return FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """The targets of links and pictures that are no addresses."""
        found = LINK.findall(INLINE.sub("", self.prose))
        return [target for target in found if not re.match(r"[a-z]+:", target)]

    @property
    def anchors(self) -> list[str]:
        """What a link may name after "#", as GitHub makes it of the headings."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
        return [heading.replace(" ", "-") for heading in plain]

    @property
    def commands(self) -> Iterator[list[str]]:
        """The words of each simple command in the blocks of shell and of workflows."""
        for _, language, code in FENCE.findall(self.text):
            if language == "sh":
                yield from simple_commands(code)
            elif language == "yaml" and "\njobs:" in code:
                for run in runs_of(code):
                    yield from simple_commands(run)

    @property
    def spans(self) -> list[str]:
        """What stands between backticks in the prose, on one line each."""
        joined = re.sub(r"(?<=\S)\n(?=\S)", " ", self.prose)
        return INLINE.findall(joined)


def runs_of(workflow: str) -> list[str]:
    """Return the commands of a workflow's steps."""
    jobs = yaml.safe_load(workflow)["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]


def simple_commands(code: str) -> Iterator[list[str]]:
    """Yield the words of each command, without variables before it and redirections after it."""
    for line in code.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        words: list[str] = []
        for word in [*lexer, ";"]:
            if not set(word) <= OPERATORS:
                words.append(word)
                continue
            while words and re.match(r"[A-Z_]+=", words[0]):
                del words[0]
            if words:
                yield words
            words = []


def make_targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text()))


def make_variables() -> set[str]:
    return set(VARIABLE.findall((ROOT / "Makefile").read_text()))
