"""The matrix for a pull request's comment: Markdown that stays small whatever the runs."""

import re

from keras_repro.numbers.comparison import Comparison
from keras_repro.report import first_link
from keras_repro.report.matrix import Cell, Colour, cell, groups, sentence, verdict_cell
from keras_repro.report.text import (
    asides,
    causes_line,
    count,
    difference,
    element,
    figure,
    index,
    note,
    printable,
    steps,
    verdict_counts,
    where,
)
from keras_repro.runs.causes import Cause
from keras_repro.studies.check import Checked
from keras_repro.studies.compare_folders import Compared
from keras_repro.studies.first_link.found import Traced

MOST_BYTES = 60_000  # GitHub takes 65,536 characters
MOST_ROWS = 20
LONGEST = 60
LONGEST_SENTENCE = 400
SIGNS = {Colour.GOOD: "✅", Colour.CLOSE: "✅", Colour.BAD: "❌", Colour.NONE: ""}
# Every character that means something in Markdown or HTML.
SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~@&$]|:(?=\S)|(?<=www)\.")
# GitHub looks for @name, #1 and GH-1 after it has decoded entities; a space of no width parts them.
REFERENCE = re.compile(r"(&#64;|&#35;|\bGH(?=-))", re.IGNORECASE)
APART = "\u200b"


def all_checked(results: list[tuple[str, list[Checked]]]) -> str:
    """Return the check of one or several workloads; together they stay below the limit."""
    line = first_link.without_trail(result for _, found in results for result in found)
    last = [_escape(line)] if line else []
    most = (MOST_BYTES - sum(len(text.encode()) + 2 for text in last)) // max(len(results), 1)
    texts = [checked(workload, found, most) for workload, found in results]
    return "\n\n".join([*texts, *last])


def checked(workload: str, results: list[Checked], most: int = MOST_BYTES) -> str:
    """Return the check of a workload, in at most so many bytes where the matrix alone fits."""
    head = [
        f"## keras-repro: {escaped(workload)}",
        "",
        f"**{escaped_long(sentence(results))}**",
        "",
    ]
    columns = groups(results)
    head += ["| backend | " + " | ".join(columns) + " |", "|---" * (1 + len(columns)) + "|"]
    for result in results:
        cells = [_cell(cell(result, group)) for group in columns]
        head.append(f"| **{escaped(result.backend.name)}** | {' | '.join(cells)} |")
    sections = [_section(result) for result in results if _has_details(result)]
    return _within_limit("\n".join(head), sections, most)


def compared(result: Compared) -> str:
    """Return the comparison of two runs."""
    head = [f"## {escaped(result.expected)} → {escaped(result.obtained)}", ""]
    head += [f"**{verdict_counts(result.comparisons)}**", ""]
    head += _comparisons(result.comparisons, result.causes, result.trace)
    return _within_limit("\n".join(head), [], MOST_BYTES)


def escaped(text: object) -> str:
    """Return text in one line that Markdown shows as it is, cut where it is very long."""
    return _escape(printable(text, LONGEST))


def _has_details(result: Checked) -> bool:
    differing = any(comparison.differing for comparison in result.comparisons)
    return bool(result.exit_code or differing or result.problem)


def _section(result: Checked) -> str:
    lines = ["", f"### {escaped(result.backend.name)}", ""]
    if result.problem:
        lines += [escaped_long(result.problem), ""]
    if result.note:
        lines += [escaped_long(result.note), ""]
    if result.comparisons:
        lines += _comparisons(result.comparisons, result.causes, result.trace)
    return "\n".join(lines)


def _comparisons(
    comparisons: list[Comparison], causes: list[Cause] | None, trace: Traced | None
) -> list[str]:
    lines = [
        "| array | verdict | max abs | max rel | ulps | first | worst | obtained | expected "
        "| difference |",
        "|---|---|--:|--:|--:|---|---|--:|--:|--:|",
    ]
    worst_first = sorted(comparisons, key=lambda c: (c.verdict.passes, not c.differing))
    for array in worst_first[:MOST_ROWS]:
        values = ["", escaped(note(array)), "", ""]
        if array.worst is not None:
            values = [
                index(array.worst),
                escaped(element(array.obtained)),
                escaped(element(array.expected)),
                difference(array.obtained, array.expected),
            ]
        figures = [figure(array.max_absolute), figure(array.max_relative), count(array.max_ulps)]
        row = [escaped(array.name), _cell(verdict_cell(array.verdict)), *figures, where(array)]
        lines.append("| " + " | ".join(row + values) + " |")
    if len(comparisons) > MOST_ROWS:
        lines.append(f"\n… and {len(comparisons) - MOST_ROWS:,} more arrays.")
    lines.append("")
    differing = any(not c.verdict.passes or c.differing for c in comparisons)
    lines += [f"- {escaped_long(line[0].upper() + line[1:])}" for line in asides(comparisons)]
    lines += _trail(trace)
    sentences = (steps(comparison, trace) for comparison in comparisons)
    lines += [f"- {escaped_long(text)}" for text in filter(None, sentences)][:5]
    if differing and causes is not None:
        lines.append(f"- Likely cause: {escaped_long(causes_line(causes[:1]))}")
    if differing and causes and causes[1:]:
        lines.append(f"- Also different: {escaped_long(causes_line(causes[1:], most=8))}")
    return lines


def _trail(trace: Traced | None) -> list[str]:
    """Return the trail as a row, and the first link of it that differs; nothing without trails."""
    parts, lines = first_link.row(trace), []
    if parts:
        lines = [f"| trail | {' | '.join(name for name, _ in parts)} |"]
        lines += ["|---" * (1 + len(parts)) + "|"]
        lines += [f"| | {' | '.join(_cell(cell) for _, cell in parts)} |", ""]
    line = first_link.sentence(trace)
    return [*lines, f"- {_escape(f'{line[0].upper()}{line[1:]}')}"] if line else lines


def escaped_long(text: str) -> str:
    """Return a sentence of the report's own, with names of the runs in it."""
    return _escape(printable(text, LONGEST_SENTENCE))


def _escape(line: str) -> str:
    escaped = SPECIAL.sub(lambda match: f"&#{ord(match.group())};", line)
    return REFERENCE.sub(rf"\1{APART}", escaped)


def _cell(what: Cell) -> str:
    return f"{SIGNS[what.colour]} {what.word}".strip()


def _within_limit(head: str, sections: list[str], most: int) -> str:
    text, left_out = head, 0
    for section in sections:
        if len((text + section).encode()) < most - 200:
            text += "\n" + section
        else:
            left_out += 1
    if left_out:
        text += f"\n\n… and {left_out} more backends: see the report."
    return text
