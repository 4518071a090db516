"""The decision on two ensembles, as Markdown for an issue or a pull request."""

from keras_repro.numbers.chance.decide import Decision
from keras_repro.report.ensemble import words
from keras_repro.report.ensemble.text import row, side
from keras_repro.report.markdown import SIGNS, escaped, escaped_long
from keras_repro.report.text import causes_line
from keras_repro.studies.ensemble.equivalent import Compared


def summary(compared: Compared) -> str:
    """Return the answer, a row for each scalar, and why."""
    answer = words.headline(compared)
    lines = [
        f"## keras-repro: by chance or not? {escaped(compared.obtained.name)}",
        "",
        f"**{escaped_long(answer[0].upper() + answer[1:])}.**",
        "",
        "| scalar | verdict | expected | obtained | interval of the difference | margin |",
        "|---|---|--:|--:|---|--:|",
    ]
    for one in compared.found:
        name, _, *figures = map(str, row(one))
        sign = SIGNS[words.cell(one.decision).colour]
        title = escaped(name.strip(" *")) + (" (counts)" if one.scalar.primary else "")
        lines.append(f"| {' | '.join([title, f'{sign} {one.decision}', *figures])} |")
    lines.append("")
    tests = words.tests_of(compared)
    for one in compared.found:
        if one.scalar.primary or one.decision is Decision.DIFFERENT:
            lines += [f"- {escaped_long(f'{one.name}: {t}')}" for t in words.reasons(one, tests)]
    lines += [f"- {escaped_long(line)}" for line in words.power(compared)]
    lines.append(f"- {escaped_long(f'expected: {side(compared.expected)}')}")
    lines.append(f"- {escaped_long(f'obtained: {side(compared.obtained)}')}")
    if compared.causes:
        lines.append(f"- {escaped_long(f'also different: {causes_line(compared.causes)}')}")
    return "\n".join(lines)
