"""What the numbers depend on, as Markdown for an issue or a pull request."""

from keras_repro.report.markdown import SIGNS, escaped, escaped_long
from keras_repro.report.vary import words
from keras_repro.studies.vary.found import Result, State

MOST_ROWS = 60


def summary(result: Result) -> str:
    """Return a row for each variation that moves something, and the others in lines."""
    where = escaped(f"{result.place.workload} on {result.backend.name}")
    lines = [f"## keras-repro: what the numbers of {where} depend on", ""]
    answer = words.headline(result)
    lines += [f"**{escaped_long(answer[0].upper() + answer[1:])}.**", ""]
    rows = words.rows(result)
    if rows:
        lines += [
            "| variation | result | arrays moved | largest | first |",
            "|---|---|--:|--:|---|",
        ]
    for name, state, arrays, largest, first in rows[:MOST_ROWS]:
        sign = SIGNS[words.cell(state).colour]
        cells = [escaped(name), f"{sign} {state}", arrays, escaped(largest), escaped(first)]
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    lines += [f"- {escaped_long(words.unmoved(result))}"] if words.unmoved(result) else []
    lines += [f"- skipped: {escaped_long(f'{n}: {why}')}" for n, why in words.left_out(result)]
    failed = result.of(State.FAILED)
    lines += [f"- ❌ failed: {escaped_long(f'{v.variation.name}: {v.problem}')}" for v in failed]
    lines.append(f"- {escaped_long(f'tolerances: {result.tolerances}; {words.counts(result)}')}")
    return "\n".join(lines)
