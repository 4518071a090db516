"""What became of baselines that were verified: for the terminal, as Markdown and as JSON."""

import json

from rich.console import Console
from rich.text import Text

from keras_repro.errors import ExitCode
from keras_repro.report.markdown import escaped, escaped_long
from keras_repro.report.terminal import BAD_STYLE, print_line
from keras_repro.report.text import printable
from keras_repro.runs.published import VERSION, VerifiedBaseline, VerifiedPart, VerifyDocument
from keras_repro.studies.verify import Part, Result, Verified

STYLES = {Result.GOOD: "green", Result.UNKNOWN: "yellow", Result.BAD: BAD_STYLE}
COLUMNS = ("arrays", "trail", "history", "ensemble", "git")
NOT_ALWAYS = ("trail", "ensemble")
SIGNS = {Result.GOOD: "✅", Result.UNKNOWN: "❔", Result.BAD: "❌"}


def print_verified(console: Console, found: list[Verified]) -> None:
    """Print a line for each part of each baseline."""
    for one in found:
        print_line(console, Text(printable(f"{one.workload} {one.backend}"), style="bold"))
        if one.problem:
            print_line(console, Text(f"  {printable(one.problem)}", style=BAD_STYLE))
        for part in one.parts:
            line = Text(f"  {part.name:<9}")
            line.append(f"{part.result:<9}", style=STYLES[part.result])
            line.append(printable(part.says))
            print_line(console, line)
    good = sum(one.exit_code is ExitCode.OK for one in found)
    print_line(
        console,
        Text(
            f"{good} of {len(found)} baselines are what was accepted, as far as can be told",
            style="bold green" if good == len(found) else BAD_STYLE,
        ),
    )


def markdown(found: list[Verified]) -> str:
    """Return a row for each baseline."""
    there = {part.name for one in found for part in one.parts}
    columns = [name for name in COLUMNS if name not in NOT_ALWAYS or name in there]
    lines = [f"| baseline | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for one in found:
        known = {part.name: part for part in one.parts}
        cells = [_cell(known.get(name)) for name in columns]
        if not one.parts:
            cells[0] = f"❌ {escaped_long(one.problem)}"
        lines.append(f"| **{escaped(f'{one.workload} {one.backend}')}** | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(part: Part | None) -> str:
    return "" if part is None else f"{SIGNS[part.result]} {escaped_long(part.says)}"


def document(found: list[Verified], exit_code: ExitCode) -> str:
    """Return it as a JSON document."""
    baselines = [
        VerifiedBaseline(
            workload=one.workload,
            backend=one.backend,
            exit_code=int(one.exit_code),
            problem=one.problem or None,
            parts=[
                VerifiedPart.model_validate(
                    {"part": part.name, "result": str(part.result), "says": part.says}
                )
                for part in one.parts
            ],
        )
        for one in found
    ]
    whole = VerifyDocument(schema_version=VERSION, exit_code=int(exit_code), baselines=baselines)
    return json.dumps(whole.model_dump(mode="json"), indent=2, allow_nan=False)
