"""What a calibration measured: a row an array, how good the bounds are, and JSON."""

import json

from rich.console import Console
from rich.text import Text

from keras_repro.numbers import spread
from keras_repro.report.terminal import MOST_ROWS, print_line, right, shorter, table_of
from keras_repro.report.text import figure, number_of, printable
from keras_repro.runs.calibration import CalibrationFacts, EnvelopeFacts
from keras_repro.runs.published import VERSION, CalibrateDocument
from keras_repro.studies.calibrate.calibrate import Calibration


def print_calibration(console: Console, found: Calibration) -> None:
    """Print how far each array was moved, how far it may be, and how good that is."""
    facts = found.facts
    rows = sorted(facts.envelopes.items(), key=lambda item: item[1].horizon is None)
    table = table_of("array", "size", "moved", "by", "may move", gap=0)
    right(table, "size", "moved", "may move")
    for name, one in rows[:MOST_ROWS]:
        style = "yellow" if one.horizon is not None else ""
        cells = figure(one.size), figure(one.moved), printable(one.by or "", 24)
        table.add_row(name, *cells, Text(bounds(one), style=style))
    console.print(table)
    if len(rows) > MOST_ROWS:
        print_line(console, f"  … and {len(rows) - MOST_ROWS:,} more; --format json has all")
    for line in filter(None, [chaotic(facts), configured(found)]):
        print_line(console, f"  {line}", style="yellow")
    for name, why in list(facts.unbounded.items())[:MOST_ROWS]:
        print_line(console, f"  not measured: {printable(name)}: {printable(why)}", style="yellow")
    for line in filter(None, (evidence(facts), alarms(facts), caught(facts))):
        print_line(console, f"  {line}")


def bounds(one: EnvelopeFacts) -> str:
    """Return how far an array may be off; of a series from the least to the most."""
    known = [bound for bound in one.bounds if bound is not None]
    if not known:
        return "not judged"
    low, high = min(known), max(known)
    text = figure(high) if low == high else f"{figure(low)} to {figure(high)}"
    if not high:
        text = f"{figure(one.rtol)} of itself"
    return text if one.horizon is None else f"{text}, up to row {one.horizon}"


def chaotic(facts: CalibrationFacts) -> str:
    """Return which arrays rounding alone moves by a tenth of their size; nothing for none."""
    names = [printable(name) for name, one in facts.envelopes.items() if one.horizon is not None]
    if not names:
        return ""
    rest = f", and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"chaotic: rounding alone moves {', '.join(names[:3])}{rest} by a tenth of the size and "
        "more; what is beyond the row named is not judged"
    )


def configured(found: Calibration) -> str:
    """Return that the configuration's tolerances go before what is measured; nothing for none."""
    patterns = [printable(pattern) for pattern in found.varied.place.of.tolerances]
    if not patterns:
        return ""
    return (
        f"the configuration has tolerances for {', '.join(patterns[:3])}, which go before these; "
        "remove them to judge by what was measured"
    )


def evidence(facts: CalibrationFacts) -> str:
    """Return from how many runs the bounds come, and how they are made."""
    if not facts.variations:
        return "no variation moves a bit: what differs may be rounded, and no more"
    if facts.factor is None:
        return (
            f"from {number_of(len(facts.variations), 'variation')} that move the numbers, each in "
            f"its own way: too few for statistics, so {spread.MOST:.0f} times what was seen"
        )
    return (
        f"from {number_of(len(facts.variations), 'variation')} that move the numbers, each in its "
        f"own way: the mean of the logarithms and {facts.factor:.2f} times their standard "
        f"deviation, which covers {facts.content:.1%} of all runs with a probability of "
        f"{facts.confidence:.0%}"
    )


def alarms(facts: CalibrationFacts) -> str:
    """Return how many variations are beyond the bounds that all others give; nothing for none."""
    if not facts.variations:
        return ""
    text = f"false alarms on variations held out: {len(facts.false_alarms)} of "
    text += str(len(facts.variations))
    few = [f"{name} ({printable(array)})" for name, array in list(facts.false_alarms.items())[:3]]
    return text + (f": {', '.join(few)}" if few else "")


def caught(facts: CalibrationFacts) -> str:
    """Return the smallest planted changes that the bounds catch; nothing where none was planted."""
    parts = [
        f"{name} x (1 + {size:g})" if size is not None else f"{name}: none up to x 2"
        for name, size in facts.caught.items()
    ]
    return f"smallest planted change that is caught: {', '.join(parts)}" if parts else ""


def document(found: Calibration) -> str:
    """Return it as a JSON document."""
    whole = CalibrateDocument(
        schema_version=VERSION,
        workload=found.varied.place.workload,
        backend=found.varied.backend.name,
        baseline=shorter(found.folder),
        calibration=found.facts,
    )
    return json.dumps(whole.model_dump(mode="json"), indent=2, allow_nan=False)
