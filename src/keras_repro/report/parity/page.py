"""The parity page: what each layer computes on either side, and where they part."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from markupsafe import Markup

from keras_repro.atomic import write_whole
from keras_repro.errors import ExitCode
from keras_repro.report import text
from keras_repro.report.matrix import Cell, Colour
from keras_repro.report.page import Plots, page_environment
from keras_repro.report.parity.minimal import Minimal, file_names, minimal_script
from keras_repro.report.parity.text import (
    answer,
    config_differences,
    exponent,
    figure,
    of_model,
    trajectory,
    what,
    worst,
)
from keras_repro.report.plots.layers import layer_errors
from keras_repro.studies.parity.findings import LayerParity, ModelParity
from keras_repro.studies.parity.recorded import read_side
from keras_repro.studies.parity.study import Pair, Parity

MOST_LAYERS = 60  # of a plot
CELLS = {
    "agrees": Cell("agrees", "✓", Colour.GOOD),
    "parts": Cell("parts", "≠", Colour.BAD),
    "not compared": Cell("not compared", "–", Colour.NONE),
}


@dataclass(frozen=True)
class Part:
    """A layer that parts: its configuration, and the script that shows it or why there is none."""

    model: ModelParity
    layer: LayerParity
    config: str
    differences: list[str]
    minimal: Minimal
    file: str


@dataclass(frozen=True)
class Shown:
    """A model, and the plot of its layers; ``drawn`` is how many of them are in it."""

    model: ModelParity
    plot: Markup
    drawn: int


@dataclass(frozen=True)
class Section:
    """What the page says of a pair. ``counts`` says how many layers have which verdict."""

    pair: Pair
    cell: Cell
    counts: str
    answer: str
    trajectory: list[str]
    models: list[Shown]
    parts: list[Part] = field(default_factory=list)


def write(path: Path, result: Parity) -> list[Path]:
    """Write the page, and beside it a minimal script for each layer that parts; return the paths.

    Raises:
        CannotWriteError: a file cannot be written.
    """
    folder = path.with_name(f"{path.stem}-layers")
    written: list[Path] = []
    sections = []
    plots = Plots()
    for pair in result.pairs:
        parts = []
        for model, layer, name, minimal in _scripts(pair):
            if not minimal.problem:
                write_whole(folder / f"{name}.npz", minimal.data)
                write_whole(folder / f"{name}.py", minimal.script.encode())
                written.append(folder / f"{name}.py")
            file = f"{folder.name}/{name}.py"
            differences = config_differences(layer)
            parts.append(Part(model, layer, _config(layer), differences, minimal, file))
        models = [_shown(plots, pair, model) for model in pair.models]
        sections.append(
            Section(
                *(pair, cell(pair), counts(pair), answer(pair), trajectory(pair), models, parts)
            )
        )
    write_whole(path, _render(result, sections).encode())
    return [path, *written]


def headline(result: Parity) -> str:
    """Return the answer in one sentence."""
    if len(result.pairs) == 1:
        return f"{answer(result.pairs[0])}."
    groups: dict[str, list[str]] = {}
    for pair in result.pairs:
        groups.setdefault(cell(pair).word, []).append(pair.against.name)
    reference = result.pairs[0].reference.name
    said = []
    for word, alone, several in (
        ("parts", f"parts from {reference}", f"part from {reference}"),
        ("failed", "tells nothing", "tell nothing"),
        ("agrees", f"computes what {reference} does", f"compute what {reference} does"),
    ):
        if names := groups.get(word):
            said.append(f"{text.joined(names)} {alone if len(names) == 1 else several}")
    return f"{'; '.join(said)}."


def cell(pair: Pair) -> Cell:
    """Return what a pair comes down to: agrees, parts, or failed."""
    if pair.exit_code is ExitCode.OK:
        return CELLS["agrees"]
    return CELLS["parts"] if pair.exit_code is ExitCode.DRIFT else Cell("failed", "✗", Colour.BAD)


def counts(pair: Pair) -> str:
    """Return how many layers part, agree and were not compared."""
    found = Counter(layer.verdict for model in pair.models for layer in model.layers)
    words = {"parts": "part", "agrees": "agree", "not compared": "not compared"}
    return ", ".join(
        f"{found[verdict]} {word}" for verdict, word in words.items() if found[verdict]
    )


def _scripts(pair: Pair) -> list[tuple[ModelParity, LayerParity, str, Minimal]]:
    if pair.reference_run is None or not pair.parting:
        return []
    side = read_side(pair.reference_run.folder)
    names = file_names(pair)
    return [
        (model, layer, names[layer.key], minimal_script(pair, side, layer, names[layer.key]))
        for model, layer in pair.parting
    ]


def _config(layer: LayerParity) -> str:
    if not isinstance(layer.config, dict):
        return text.printable(layer.config)
    lines = [f"{name} = {value}" for name, value in sorted(layer.config.items())]
    return "\n".join(text.printable(line, 160) for line in lines)


def _shown(plots: Plots, pair: Pair, model: ModelParity) -> Shown:
    layers = model.layers[:MOST_LAYERS]
    if not layers:
        return Shown(model, Markup(""), 0)
    first = model.first
    where = f"{first.place} is the first that parts" if first else "none of them parts"
    description = (
        f"Relative errors of {len(layers)} layers of {model.name}, on a logarithmic scale: "
        f"{pair.reference.name} and {pair.against.name} against float64, and against each other; "
        f"{where}."
    )
    found = [worst(layer) for layer in layers]
    series = {
        f"{pair.reference.name} against float64": [f.error_reference if f else None for f in found],
        f"{pair.against.name} against float64": [f.error_against if f else None for f in found],
        "against each other": [figure(f.apart) if f else None for f in found],
    }
    shaded = [index for index, layer in enumerate(layers) if layer.parting]
    names = [text.printable(layer.place, 40) for layer in layers]
    return Shown(
        model, plots.wide_plot(description, layer_errors, names, series, shaded), len(layers)
    )


def _render(result: Parity, sections: list[Section]) -> str:
    environment = page_environment()
    environment.filters.update(exponent=exponent)
    environment.globals.update(worst=worst, what=what, of_model=of_model, cells=CELLS)
    return environment.get_template("parity.html.j2").render(
        result=result, sections=sections, headline=headline(result)
    )
