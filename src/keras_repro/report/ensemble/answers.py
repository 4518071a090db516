"""What seeds say of several workloads or backends, in every format."""

from collections.abc import Sequence

from rich.console import Console

from keras_repro.errors import ExitCode, gravest
from keras_repro.report.ensemble import markdown
from keras_repro.report.ensemble.document import decision, text_of
from keras_repro.report.ensemble.text import print_compared
from keras_repro.report.markdown import escaped_long
from keras_repro.report.terminal import print_heading, print_line, print_problem
from keras_repro.report.text import printable
from keras_repro.runs.published import VERSION, EquivalentsDocument
from keras_repro.studies.ensemble.answer import Answer


def exit_code(answers: Sequence[Answer]) -> ExitCode:
    """Return the gravest of them."""
    return gravest([one.exit_code for one in answers])


def print_answers(console: Console, answers: Sequence[Answer]) -> None:
    """Print each decision under a heading, or why there is none."""
    for one in answers:
        print_heading(console, f"{one.workload} on {one.backend}: by chance or not?")
        if one.compared is not None:
            print_compared(console, one.compared)
        else:
            print_problem(console, one.problem)
        if one.note:
            print_line(console, f"  {printable(one.note)}", style="yellow")


def summary(answers: Sequence[Answer]) -> str:
    """Return them as Markdown."""
    parts = []
    for one in answers:
        if one.compared is not None:
            parts.append(markdown.summary(one.compared))
        else:
            title = escaped_long(f"{one.workload} on {one.backend}")
            parts.append(f"## keras-repro: {title}\n\n**{escaped_long(one.problem)}**")
        if one.note:
            parts.append(escaped_long(one.note))
    return "\n\n".join(parts)


def document(answers: Sequence[Answer]) -> str:
    """Return them as a JSON document."""
    whole = EquivalentsDocument(
        schema_version=VERSION,
        exit_code=int(exit_code(answers)),
        problems={f"{one.workload}:{one.backend}": one.problem for one in answers if one.problem},
        ensembles=[decision(one.compared) for one in answers if one.compared is not None],
    )
    return text_of(whole)
