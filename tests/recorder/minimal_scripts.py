"""Write the minimal scripts of what parity found, and run them."""

import re
from pathlib import Path

from keras_repro import backends
from keras_repro.errors import ExitCode
from keras_repro.report.parity import minimal
from keras_repro.studies.parity.findings import Finding, LayerParity, ModelParity
from keras_repro.studies.parity.recorded import read_side
from keras_repro.studies.parity.study import Pair
from tests.conftest import Scripts
from tests.recorder.compared import Compared

DRIVER = """
import glob, runpy
for path in sorted(glob.glob("*-*.py")):
    print("script", path)
    runpy.run_path(path)
"""


def write_for(
    compared: Compared, layer: LayerParity, finding: Finding, folder: Path, name: str
) -> str:
    """Write the minimal script of a layer that parts in one array alone; return any problem."""
    folder.mkdir(exist_ok=True)
    against = compared.against[0]
    pair = Pair(*backends.select((compared.reference, against)), ExitCode.DRIFT)
    side = read_side(compared.folder / compared.reference)
    only = LayerParity(**{**vars(layer), "findings": [finding]})
    made = minimal.minimal_script(pair, side, only, name)
    if not made.problem:
        (folder / f"{name}.py").write_text(made.script)
        (folder / f"{name}.npz").write_bytes(made.data)
    return made.problem


def write_every(compared: Compared, folder: Path, models: dict[str, ModelParity]) -> dict[str, str]:
    """Write a minimal script for every array of every layer, as if it parted there."""
    number, refused = 0, {}
    for model in models.values():
        for layer in model.layers:
            for finding in layer.findings:
                why = finding.why or "differs by nothing"
                alone = Finding(**{**vars(finding), "why": why})
                problem = write_for(compared, layer, alone, folder, f"{number}-{finding.kind}")
                if problem:
                    refused[layer.name] = problem
                else:
                    number += 1
    return refused


def run_all(engine: str, folder: Path, backend: str) -> dict[str, float]:
    """Run all scripts of a folder on a backend; return the difference that each prints.

    In one process: importing a framework takes longer than most scripts.
    """
    (folder / "driver.py").write_text(DRIVER)
    output = Scripts(engine, folder).bare(backend, folder / "driver.py")
    name = backends.load()[backend].keras_backend
    said = re.compile(rf"^script (\S+)$.*?^{name} largest difference: (\S+)$", re.M | re.S)
    found = said.findall(output)
    assert len(found) == len(list(folder.glob("*-*.py"))), output
    return {script: float(figure) for script, figure in found}
