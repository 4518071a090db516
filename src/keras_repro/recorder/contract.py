"""The names inside a run folder: the contract between the recorder and the harness."""

from __future__ import annotations

import os
import re

SCHEMA_VERSION = 1

ARRAYS = "arrays.npz"
INPUTS = "inputs.npz"  # what models were tested with and asked to predict, where it is small
FACTS = "run.json"
LOG = "log.txt"
FIGURES = "figures"
FILES = "files"  # what the script wrote
PARITY = "parity.npz"  # what each layer computed, where that was asked for
PARITY_FACTS = "parity.json"
PARITY_SCHEMA = 2  # of the latter; parity always runs anew, so none but this is read
PARITY_REFERENCE = "reference"  # what --parity is given in the run whose weights others begin from
ANOTHER_SHAPE = "another shape"  # stands in parity.json where no figure says how far arrays differ
ANOTHER_KIND = "another kind"  # the same: one is infinite or NaN where the other is not
PROGRESS = "progress"  # only while the run is being written
OWN_ENTRIES = (ARRAYS, INPUTS, FACTS, LOG, FIGURES, FILES, PARITY, PARITY_FACTS)

FIGURES_VARIABLE = "KERAS_REPRO_FIGURES"  # tells the matplotlib backend where to save

COSTS = "costs"
HISTORY = "history"
INITIAL_WEIGHTS = "initial_weights"
METRICS = "metrics"
PREDICTIONS = "predictions"
TESTS = "tests"
WEIGHTS = "weights"
OWN_ARRAYS = (COSTS, HISTORY, INITIAL_WEIGHTS, METRICS, PREDICTIONS, TESTS, WEIGHTS)
TRAIN_COSTS = COSTS + "/train"
TEST_COSTS = COSTS + "/test"

COMPLETED = "completed"
FAILED = "failed"

DEFAULT_SEED = 1337
DEFAULT_FILES_LIMIT = 100 << 20  # bytes
MAX_SEED = 2**32 - 1  # what numpy.random.seed and PYTHONHASHSEED accept

EXIT_USAGE = 2
EXIT_FAILED = 4
EXIT_CANNOT_WRITE = 7
EXIT_INTERRUPTED = 130


def workload_name(script: str) -> str:
    """Return the name under which the runs of ``script`` are kept: its file name, made safe.

    Only letters, digits, ``.``, ``_`` and ``-`` survive, and the first is no dot, so that the
    name is one visible folder and never a way out of it.
    """
    stem = os.path.splitext(os.path.basename(script))[0]
    return re.sub(r"^[.-]+", "", re.sub(r"[^\w.-]+", "-", stem)) or "script"


def parse_seed(text: str) -> int:
    """Return ``text`` as a seed.

    Raises:
        ValueError: it is not a whole number from 0 to 4294967295 (what NumPy accepts).
    """
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > MAX_SEED:
        raise ValueError("seed %r is not a whole number from 0 to %d" % (text, MAX_SEED))
    return int(text)


def failed_folder(out: str) -> str:
    """Return where a failed run goes when ``out`` holds a good one, which it must not replace."""
    return out + ".failed"


def staging_folder(out: str) -> str:
    """Return the folder in which a run for ``out`` is written before it is renamed."""
    parent, name = os.path.split(out)
    return os.path.join(parent, "." + name + ".partial")


def progress_file(out: str) -> str:
    """Return the file that tells how many training steps the run being written has done."""
    return os.path.join(staging_folder(out), PROGRESS)
