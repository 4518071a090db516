"""A matplotlib backend whose ``plt.show()`` saves each open figure as a PNG.

Chosen by ``MPLBACKEND=module://keras_repro.recorder.figures``, matplotlib's own way to name a
backend: https://matplotlib.org/stable/users/explain/figure/writing_a_user_interface_backend_pyplot.html
"""

from __future__ import annotations

import os
from typing import Any

from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

from keras_repro.recorder.surroundings import FIGURES_VARIABLE

FigureCanvas = FigureCanvasAgg
FigureManager = FigureManagerBase


def show(*_args: Any, **_kwargs: Any) -> None:
    """Save every open figure and close it, as a person closes the window it would open."""
    folder = os.environ[FIGURES_VARIABLE]
    os.makedirs(folder, exist_ok=True)
    for manager in Gcf.get_all_fig_managers():
        name = "%02d.png" % (len(os.listdir(folder)) + 1)
        # An open file: given a path, Pillow resolves it, and the folders above may be closed.
        with open(os.path.join(folder, name), "wb") as file:
            manager.canvas.figure.savefig(file, format="png")
    Gcf.destroy_all()
