"""The parity page: what each layer computes on either side, and where they part."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from markupsafe import Markup

from keras_repro import __version__
from keras_repro.atomic import write_whole
from keras_repro.report import plots, text
from keras_repro.report.page import page_environment
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
from keras_repro.studies.parity.findings import LayerParity, ModelParity
from keras_repro.studies.parity.recorded import read_side
from keras_repro.studies.parity.study import Pair, Parity

MOST_LAYERS = 60  # of a plot


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
class Section:
    """What the page says of a pair."""

    pair: Pair
    answer: str
    trajectory: list[str]
    models: list[tuple[ModelParity, Markup]]
    parts: list[Part] = field(default_factory=list)


def write(path: Path, result: Parity) -> list[Path]:
    """Write the page, and beside it a minimal script for each layer that parts; return the paths.

    Raises:
        CannotWriteError: a file cannot be written.
    """
    folder = path.with_name(f"{path.stem}-layers")
    written: list[Path] = []
    sections = []
    number = 0
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
        models = []
        for model in pair.models:
            number += 1
            models.append((model, _plot(pair, model, number) if model.layers else Markup("")))
        sections.append(Section(pair, answer(pair), trajectory(pair), models, parts))
    write_whole(path, _render(result, sections).encode())
    return [path, *written]


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


def _plot(pair: Pair, model: ModelParity, number: int) -> Markup:
    layers = model.layers[:MOST_LAYERS]
    first = model.first
    where = f"{first.place} is the first that parts" if first else "none of them parts"
    description = (
        f"Relative errors of the {len(layers)} layers of {model.name}, on a logarithmic scale: "
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
    with np.errstate(all="ignore"):
        return plots.embedded(plots.layer_errors(names, series, shaded), description, number)


def _render(result: Parity, sections: list[Section]) -> str:
    environment = page_environment()
    environment.filters.update(exponent=exponent)
    environment.globals.update(worst=worst, what=what, of_model=of_model)
    return environment.get_template("parity.html.j2").render(
        result=result, sections=sections, version=__version__
    )
