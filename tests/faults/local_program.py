"""The command line with the real local engine, of a backend whose packages are planted.

FAULTS_ROOT names the folder in which all lies; FAULTS_UV is uv, where another stands for it.
"""

import os
import tempfile
from pathlib import Path

from keras_repro import backends, cli
from keras_repro.packages import index_settings, uv
from tests.faults.program import OWN

INSTEAD = Path(__file__).with_name("uv_killed.sh")


def main() -> None:
    backends.FOLDER = Path(os.environ["FAULTS_ROOT"], OWN)
    if "FAULTS_UV" in os.environ:
        uv.find_uv_bin = lambda: str(INSTEAD)
    index_settings._pip_stored = dict
    tempfile.tempdir = None  # TMPDIR is another than where this was forked from
    cli.main()


if __name__ == "__main__":
    main()
