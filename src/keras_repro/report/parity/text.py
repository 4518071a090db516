"""Parity, for the terminal and as Markdown."""

from collections.abc import Callable

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_repro.report.first_link import sentence
from keras_repro.report.terminal import print_line
from keras_repro.report.text import printable, verdict_counts
from keras_repro.studies.parity.findings import Another, Apart, Finding, LayerParity, ModelParity
from keras_repro.studies.parity.study import Pair, Parity

MOST_FINDINGS = 6
LONGEST_NOTE = 120
STYLES = {"agrees": "green", "parts": "bold red", "not compared": "yellow"}


def print_parity(console: Console, result: Parity) -> None:
    """Print each pair: its layers in order, what parts, and the answer."""
    for pair in result.pairs:
        heading = f"{pair.reference.name} -> {pair.against.name}"
        console.print(Text(heading, style="bold"))
        for model in pair.models:
            if len(pair.models) > 1:
                console.print(f"model {printable(model.prefix or 'model1/')[:-1]} ({model.name})")
            if model.layers:
                console.print(_table(model))
            for line in _details(model):
                print_line(console, f"  {line}", "yellow")
        for line in trajectory(pair):
            print_line(console, f"  {line}")
        if result.switched_off and pair.models:
            print_line(console, f"  switched off on both: {', '.join(result.switched_off)}")
        print_line(console, answer(pair), "bold green" if pair.exit_code == 0 else "bold red")


def answer(pair: Pair) -> str:
    """Return what a pair comes down to, in a sentence."""
    against, reference = pair.against.name, pair.reference.name
    if pair.problem:
        return f"{against}: {printable(pair.problem)}"
    if pair.parting:
        model, layer = pair.parting[0]
        others = len(pair.parting) - 1
        more = f" and {others} more" if others > 1 else " and one more" if others else ""
        what = ", ".join(finding.label or finding.why for finding in layer.parting[:2])
        return (
            f"{against} parts from {reference} in {layer.place} ({layer.class_name}, "
            f"{printable(layer.name, 60)}){of_model(pair, model)}{more}: {what}"
        )
    for model in pair.models:
        name = of_model(pair, model)
        if model.problem:
            return f"{against} parts from {reference}: {of_model(pair, model, model.problem)}"
        for finding in model.between:
            return (
                f"{against} parts from {reference} in the model{name}, and in no layer: "
                f"{finding.text}"
            )
        if model.loss is not None and model.loss.parts:
            return (
                f"{against} parts from {reference} in the loss{name}, and in no layer: "
                f"{model.loss.why}"
            )
        for gradient in model.gradients:
            if gradient.parts:
                return (
                    f"{against} parts from {reference} in the {gradient.label}{name}, and in no "
                    f"layer: {gradient.why}"
                )
    if pair.optimizer is not None:
        return (
            f"{against} parts from {reference} in the first step: its cost after it differs by "
            f"{pair.optimizer:.1e}, though layers, loss and gradients agree; look at the optimizer"
        )
    if pair.trajectory:
        return (
            f"{against} parts from {reference} after the first batch, whose {_agreeing(pair)} "
            f"agree: {pair.trajectory}; look at what the script does between the batches: sample "
            "weights, the optimizer, other data"
        )
    left = sum(layer.verdict == "not compared" for m in pair.models for layer in m.layers)
    count = sum(len(model.layers) for model in pair.models)
    rest = f"; {left} could not be compared" if left else ""
    if any(model.own_weights for model in pair.models):
        return (
            f"{against} computes in each layer what {reference} does, as far as can be told: "
            f"{count - left} layers agree{rest}; what the script trained or loaded by itself is "
            "another's, and so is all that comes of it"
        )
    return f"{against} computes what {reference} does: {count - left} layers agree{rest}"


def of_model(pair: Pair, model: ModelParity, problem: str = "") -> str:
    """Return which model is meant, where there are several; with what its problem is, if any."""
    several = len(pair.models) > 1
    if problem:
        return f"{model.name}: {printable(problem)}" if several else printable(problem)
    return f" of {model.name}" if several else ""


def _agreeing(pair: Pair) -> str:
    trains = any(model.loss is not None for model in pair.models)
    return "layers, loss and gradients" if trains else "layers"


def trajectory(pair: Pair) -> list[str]:
    """Return what became of the costs and of all else that the whole runs left."""
    lines = []
    for model, costs in pair.costs:
        name = f"the costs{of_model(pair, model)}"
        if costs.first is None:
            lines.append(f"{name} are the same to the bit")
        else:
            most = costs.max_relative
            apart = "" if most is None else f", by at most {most:.1e} of their value"
            lines.append(f"{name} differ from step {costs.first[0]} on{apart}")
    if pair.comparisons:
        lines.append(f"arrays of the whole runs: {verdict_counts(pair.comparisons)}")
    told = sentence(pair.trace)
    lines += [told] if told else []
    return lines


def worst(layer: LayerParity) -> Finding | None:
    """Return the finding to show of a layer: the first that parts, or the furthest apart."""
    if layer.parting:
        return layer.parting[0]
    return max(layer.findings, key=lambda finding: figure(finding.apart) or 0.0, default=None)


def figure(apart: Apart | None) -> float | None:
    """Return how far arrays are apart, None where that is no figure."""
    return None if isinstance(apart, Another) else apart


def what(layer: LayerParity) -> str:
    """Return in a few words where a layer parts, or why it was not compared."""
    parting = layer.parting
    if not parting:
        return printable(layer.problem)
    rest = f", and {len(parting) - 1} more" if len(parting) > 1 else ""
    return f"{parting[0].label or parting[0].why}{rest}"


def exponent(value: Apart | None) -> str:
    """Return a relative error in one digit, in words where it has no figure."""
    if isinstance(value, Another):
        return value.value
    if value is None or value == 0:
        return "" if value is None else "0"
    return f"{value:.0e}"


def markdown_table(pairs: list[Pair], link: Callable[[Pair, LayerParity], str]) -> str:
    """Return a table with a line for each layer of a script, and a column for each pair.

    ``link`` gives where a parting layer's minimal script lies, or nothing.
    """
    lines = [
        "| layer | " + " | ".join(f"{p.reference.name} → {p.against.name}" for p in pairs) + " |"
    ]
    lines.append("|---" * (1 + len(pairs)) + "|")
    rows: dict[str, list[str]] = {}
    for column, pair in enumerate(pairs):
        for model in pair.models:
            for layer in model.layers:
                row = rows.setdefault(_title(layer), [""] * len(pairs))
                row[column] = _cell(layer, link(pair, layer))
    for title, cells in rows.items():
        lines.append(f"| {title} | " + " | ".join(cell or "–" for cell in cells) + " |")
    return "\n".join(lines)


def _title(layer: LayerParity) -> str:
    return f"`{layer.class_name}` ({layer.name})"


def _cell(layer: LayerParity, link: str) -> str:
    finding = worst(layer)
    if layer.problem and not layer.parting:
        return f"not compared: {printable(layer.problem, 100).replace('|', ' ')}"
    if finding is None or not finding.parts:
        return "agrees"
    script = f", [script]({link})" if link else ""
    why = f" ({finding.why})" if finding.label else ""
    return f"**parts**: {what(layer)}{why}{script}"


def _table(model: ModelParity) -> Table:
    table = Table(box=box.SIMPLE, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for column in ("layer", "verdict"):
        table.add_column(column, no_wrap=column == "verdict")
    for column in ("ref. error", "error", "apart", "passed on"):
        table.add_column(column, justify="right", no_wrap=True)
    for layer in model.layers:
        finding = worst(layer)
        errors: tuple[Apart | None, ...] = (None, None, None)
        if finding is not None:
            errors = (finding.error_reference, finding.error_against, finding.apart)
        table.add_row(
            printable(layer.place),
            Text(layer.verdict, style=STYLES[layer.verdict]),
            *map(exponent, errors),
            exponent(layer.passed),
        )
    return table


def _details(model: ModelParity) -> list[str]:
    lines = [f"{printable(text)}: it kept its own" for text in model.misfits]
    lines += [printable(note) for note in model.notes]
    for layer in model.layers:
        if layer.problem:
            lines.append(f"{layer.place} was not compared: {printable(layer.problem)}")
        for finding in layer.parting[:MOST_FINDINGS]:
            lines.append(f"{layer.place}: {finding.text}")
        if layer.parting:
            lines += config_differences(layer)
    lines += _layers_notes(model)
    if model.first is None:
        whole = ([] if model.loss is None else [model.loss]) + model.gradients
        lines += [finding.text for finding in model.between + whole if finding.parts]
    return lines


def _layers_notes(model: ModelParity) -> list[str]:
    """Return what is to be said of layers, once for all of which it is said."""
    places: dict[str, list[str]] = {}
    for layer in model.layers:
        for note in layer.notes:
            if note != layer.problem:
                places.setdefault(note, []).append(layer.place)
    return [
        f"{where[0]}{f' and {len(where) - 1} more' if len(where) > 1 else ''}: "
        f"{printable(note, LONGEST_NOTE)}"
        for note, where in places.items()
    ]


def config_differences(layer: LayerParity) -> list[str]:
    """Return where a layer's configuration is another one on the other side."""
    mine, other = layer.config, layer.config_against
    if not isinstance(mine, dict) or not isinstance(other, dict):
        return []
    return [
        f"{layer.place}: its configuration differs: {printable(name)} {printable(mine[name], 60)} "
        f"-> {printable(other[name], 60)}"
        for name in sorted(set(mine) & set(other) - {"name", "dtype"})
        if mine[name] != other[name] and not isinstance(mine[name], dict)
    ]
