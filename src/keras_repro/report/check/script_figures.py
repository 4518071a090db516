"""The script's own figures: into the page, as far as there is room."""

from markupsafe import Markup

from keras_repro.recorder import contract
from keras_repro.report.plots.embedding import png_image
from keras_repro.report.shown import read_png
from keras_repro.runs.run import Run

MOST_BYTES = 700_000  # of the scripts' own figures, in all


class ScriptFigures:
    """Takes figures of runs, and counts how much room they have taken."""

    def __init__(self) -> None:
        self._bytes = 0

    def take(self, run: Run, backend: str) -> tuple[list[Markup], list[str]]:
        """Return a run's figures as HTML, and the names of those that are left out."""
        folder = run.folder / contract.FIGURES
        taken: list[Markup] = []
        left_out: list[str] = []
        if folder.is_symlink():
            return taken, left_out
        try:
            paths = sorted(path for path in folder.iterdir() if path.suffix == ".png")
        except OSError:
            return taken, left_out
        for number, path in enumerate(paths, 1):
            content = read_png(path, MOST_BYTES)
            if content is None or self._bytes + len(content) > MOST_BYTES:
                left_out.append(path.name)
                continue
            self._bytes += len(content)
            alt = f"figure {number} that the script showed on {backend}"
            taken.append(png_image(content, alt))
        return taken, left_out
