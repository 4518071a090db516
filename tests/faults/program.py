"""The command line, with backends and an engine that need no network and train nothing.

FAULTS_ROOT names the folder in which all lies that it reads and writes.
"""

import os
import random
import tempfile
from pathlib import Path

from keras_repro import backends, cli
from keras_repro.engines import kinds, select
from keras_repro.packages import compile, index_settings  # noqa: A004 - its name
from tests.faults.made_up_uv import uv

OWN = Path("own", "src", "keras_repro", "backends")  # as in keras-repro's own repository


def main() -> None:
    backends.FOLDER = Path(os.environ["FAULTS_ROOT"], OWN)
    made_up = {"local": ("tests.faults.engine", os.environ.get("FAULTS_ENGINE", "MadeUpEngine"))}
    select.ENGINES = kinds.ENGINES = made_up
    # Asking uv and pip takes longer than all else, and what they do is not watched.
    compile.uv = uv
    index_settings._pip_stored = dict
    random.seed(1)  # a fault meets what it met when it was planned
    tempfile.tempdir = None  # TMPDIR is another than where this was forked from
    cli.main()


if __name__ == "__main__":
    main()
