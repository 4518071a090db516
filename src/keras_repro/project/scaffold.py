"""Write the first configuration of a project: every setting, explained."""

import ast
import json
import os
import re
from pathlib import Path

from keras_repro.atomic import write_whole
from keras_repro.backends import load
from keras_repro.errors import UsageError
from keras_repro.project.configuration import PYPROJECT, find
from keras_repro.recorder import contract
from keras_repro.recorder.contract import Conditions

MOST_SCRIPTS = 5
MOST_BYTES = 1 << 20

HEAD = """\
# What keras-repro trains here. `keras-repro train`, `check`, `accept` and `report` take every
# workload, or one by its name. What begins with "# " and a key is the default: uncomment to change.

# artifacts = "artifacts"   # where the runs are kept; leave it out of git
# baselines = "baselines"   # where the accepted runs are kept; put it into git
# locks = "locks"           # what `keras-repro upgrade --apply` writes; put it into git
"""

TABLE = """
[workloads.{name}]
script = {script}
# module = "package.train"            # instead of script: as python -m runs it
# args = ["--epochs", "3"]
# seed = {seed}
# threads = 1                          # that each library may use
# planted = {{ learning-rate = "1e-4" }} # multiplies it by 1 + X: does check catch that?
# ulps = 0                             # moves weights and data by their last place, N saying how
# vary_own_seeds = false               # what the script seeds itself depends on the seed too
# portable = false                     # have libraries choose kernels alike on every processor
# hash_seed = 1                        # of Python's hashes, where it is not to be the seed
# backends = [{backends}]
# requirements = ["scikit-learn==1.7.2"]   # or "requirements.txt"; the backend's pins hold
# system_packages = ["graphviz"]       # of Debian; with Docker they are installed in an image
# processor = "Haswell"                # emulate another one for the script, by QEMU; slow
# data = ["data"]                      # shown read-only, at the same place
# datasets = "datasets"                # as ~/.keras/datasets; containers have no network
# primary = ["metrics/*"]              # what ensembles have to be alike in, not what was evaluated
# time_limit = "10 min"
# memory_limit = "4 GB"
# processes_limit = 1024               # stop a script that starts more, threads counted
# log_limit = "100 MB"                 # of what the script prints, kept with the run
# files_limit = "100 MB"               # of what the script writes, kept with the run
# array_limit = "256 MB"               # a larger array is kept as digest, figures and a sample
# arrays_limit = "2 GB"                # of all arrays that are kept whole
# no_data_statistics = true            # tell data in the trail by their digests alone
# hermetic = true                      # clock, entropy and the like are a function of the seed
# surroundings = {{ clock = "+400d" }}   # what else the script is to find around it

# [workloads.{name}.environment]
# MY_SETTING = "1"

# [workloads.{name}.tolerances]        # before those that the baseline stores; the first match wins
# "weights/*" = {{ rtol = 1e-5, atol = 1e-7 }}

# [workloads.{name}.margins]           # of an ensemble's means, in their own units, not one sd
# "costs/test" = 0.01
"""


def write(path: Path, force: bool = False) -> None:
    """Write a configuration for the Keras scripts beside ``path``.

    Raises:
        UsageError: there is one already, or a script cannot be read.
        CannotWriteError: it cannot be written.
    """
    if os.path.lexists(path) and not force:
        raise UsageError(f"{path} already exists; edit it, or overwrite it with --force")
    other = find(Path.cwd())
    if other is not None and other.name == PYPROJECT and other.parent == Path.cwd() and not force:
        raise UsageError(f"{PYPROJECT} already has [tool.keras-repro]; edit that, or use --force")
    text = HEAD
    scripts = {contract.workload_name(script): script for script in keras_scripts(path.parent)}
    for name, script in (scripts or {"train": "train.py"}).items():
        text += TABLE.format(
            name=name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"',
            script=json.dumps(script, ensure_ascii=False),  # TOML's strings are JSON's
            seed=Conditions().seed,
            backends=", ".join(f'"{backend}"' for backend in load()),
        )
    write_whole(path, text.encode())


def keras_scripts(folder: Path) -> list[str]:
    """Return the names of the Python files in a folder that import Keras, at most five.

    Raises:
        UsageError: one cannot be read.
    """
    found = []
    for path in sorted(folder.glob("*.py")):
        try:
            if not path.is_file() or path.stat().st_size > MOST_BYTES:
                continue
            tree = ast.parse(path.read_bytes())
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise UsageError(f"cannot read {path}: {why}; mend that, or move it away") from None
        except (ValueError, SyntaxError, RecursionError):
            continue
        if not path.name.isprintable():
            continue
        if not path.stem.startswith(("test_", "conftest", "setup")) and _imports_keras(tree):
            found.append(path.name)
    return found[:MOST_SCRIPTS]


def _imports_keras(tree: ast.AST) -> bool:
    modules = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    return any(module == "keras" or module.startswith("keras.") for module in modules)
