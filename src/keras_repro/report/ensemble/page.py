"""The page of two ensembles: the answer, a figure for each scalar that counts, and why."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from keras_repro.atomic import write_whole
from keras_repro.numbers.chance.decide import Decision, Found
from keras_repro.report import text
from keras_repro.report.ensemble import words
from keras_repro.report.ensemble.markdown import summary
from keras_repro.report.ensemble.plots import distributions
from keras_repro.report.ensemble.text import row, side
from keras_repro.report.matrix import Cell
from keras_repro.report.page import Plots, page_environment
from keras_repro.studies.ensemble.equivalent import Compared


@dataclass(frozen=True)
class Shown:
    """What the page says of a scalar."""

    name: str
    primary: bool
    cell: Cell
    figures: list[str]
    reasons: list[str]


def write(path: Path, compared: Compared) -> None:
    """Write the page.

    Raises:
        CannotWriteError: it cannot be written; what was there is untouched.
    """
    answer = words.headline(compared)
    tests = words.tests_of(compared)
    content = (
        page_environment()
        .get_template("equivalent.html.j2")
        .render(
            name=compared.obtained.name,
            headline=f"{answer[0].upper()}{answer[1:]}.",
            expected=side(compared.expected),
            obtained=side(compared.obtained),
            scalars=[_shown(one, tests) for one in compared.found],
            plots=_plots(Plots(), compared),
            power=words.power(compared),
            causes=text.causes_line(compared.causes) if compared.causes else "",
            left_out=compared.left_out,
            summary=summary(compared),
        )
    )
    write_whole(path, content.encode())


def _shown(found: Found, tests: int) -> Shown:
    _, _, *figures = map(str, row(found))
    told = found.scalar.primary or found.decision is Decision.DIFFERENT
    reasons = words.reasons(found, tests) if told else []
    return Shown(
        found.name, found.scalar.primary, words.cell(found.decision), list(figures), reasons
    )


def _plots(plots: Plots, compared: Compared) -> list[tuple[str, Markup]]:
    """Return a figure for each scalar that counts, by its name, and of those that differ."""
    found = []
    for one in compared.found:
        if one.scalar.primary or one.decision is Decision.DIFFERENT:
            name = text.printable(one.name, 60)
            description = (
                f"{name}: {one.seeds[0]} expected and {one.seeds[1]} obtained seeds; "
                f"{words.reasons(one, words.tests_of(compared))[0]}."
            )
            found.append((name, plots.wide_plot(description, distributions, one)))
    return found
