"""The regression on every backend against its baseline: what this project promises."""

from pathlib import Path

import pytest

from keras_repro.errors import MissingError
from keras_repro.numbers.tolerances import tolerance_of
from keras_repro.recorder import contract
from keras_repro.runs import baselines
from keras_repro.runs.run import Run, last_run, read_run, run_folder
from tests.conftest import BACKENDS, ON_PURPOSE, ROOT

ARTIFACTS = ROOT / "artifacts"
BASELINES = ROOT / "baselines"


@pytest.fixture
def run(backend: str) -> Run:
    try:
        run = last_run(run_folder(ARTIFACTS, "regression", backend))
    except MissingError as error:
        pytest.fail(f"{error}; train it: make train BACKENDS={backend}", pytrace=False)
    if not run.facts.completed:
        pytest.fail(f"the last run failed: {run.facts.reason}; see {run.folder}", pytrace=False)
    return run


@pytest.fixture
def baseline_folder(backend: str) -> Path:
    folder = baselines.baseline_folder(BASELINES, "regression", backend)
    for name in (baselines.FACTS, contract.ARRAYS, contract.TRAIL):
        # pytest-regressions makes a missing file, and passes from then on.
        if not (folder / name).is_file():
            command = ON_PURPOSE.removesuffix('"') + f'" BACKENDS={backend}'
            pytest.fail(f"no baseline in {folder} ({name}); {command}", pytrace=False)
    return folder


@pytest.mark.parametrize("backend", BACKENDS)
def test_numbers_are_those_of_the_baseline(run, baseline_folder, ndarrays_regression):
    facts = baselines.read_facts(baseline_folder)
    tolerances = {}
    for name in run.arrays:
        tolerance = tolerance_of(name, facts.tolerances)
        tolerances[name] = {"rtol": tolerance.rtol, "atol": tolerance.atol}
    table = ""
    try:
        ndarrays_regression.check(
            {name: array.load() for name, array in run.arrays.items()},
            fullpath=baseline_folder / "arrays.npz",
            tolerances=tolerances,
        )
    except AssertionError as error:
        table = str(error)
    if table:  # out of the except, so that it is shown once, and with this project's advice
        advice = "To update values, use --force-regen option."
        pytest.fail(table.replace(advice, ON_PURPOSE), pytrace=False)


@pytest.mark.parametrize("backend", BACKENDS)
def test_baseline_is_the_file_that_was_accepted(baseline_folder):
    baseline = baselines.read_baseline(baseline_folder)
    assert not baseline.edited, (
        f"{baseline_folder}/arrays.npz is not the file that was accepted: "
        f"git checkout -- {baseline_folder}"
    )


@pytest.mark.parametrize("backend", BACKENDS)
def test_tolerances_are_never_wide(baseline_folder):
    for tolerance in baselines.read_facts(baseline_folder).tolerances.values():
        assert tolerance.rtol <= 1e-4
        assert tolerance.atol <= 1e-7


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_rerun_gives_the_same_bits(backend, run, engine, keras_repro, tmp_path):
    """In the same image on the same machine the bar is identical, whatever the tolerances."""
    arguments = ("--backend", backend, "--engine", engine, "--artifacts", tmp_path / "artifacts")
    done = keras_repro("train", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    again = read_run(tmp_path / "artifacts" / "regression" / backend)
    assert again.facts.arrays_sha256 == run.facts.arrays_sha256
