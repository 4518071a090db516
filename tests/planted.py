"""The regression with a fault planted in it."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

from keras_repro.recorder.__main__ import DEFAULT_SCRIPT
from tests.conftest import ROOT, chosen_backends

LOOP = "    cost = model.train_on_batch(X_train, Y_train)\n"
OTHER_RATE = """\
    if step == {step}:
        import keras

        if keras.__version__.startswith("2."):
            keras.backend.set_value(model.optimizer.learning_rate, 0.0101)
        else:
            model.optimizer.learning_rate.assign(0.0101)
"""
FAILURE = """\
    import keras

    if step == 2 and keras.backend.backend() == "{keras_backend}":
        raise RuntimeError("<script>alert('planted')</script>")
"""


def regression_with(folder: Path, fault: str) -> Path:
    """Write the regression into ``folder``, under its own name, with a fault before each step."""
    text = Path(DEFAULT_SCRIPT).read_text()
    assert LOOP in text
    path = folder / "regression.py"
    path.write_text(text.replace(LOOP, fault + LOOP))
    return path


def baselines_of_here(keras_repro, shared: Path) -> Path:
    """Accept this machine's runs of the regression, once for all tests; return where.

    Against those that are stored, what nothing was planted in may be close, as processors round.
    """
    folder = shared / "baselines-of-here"
    if not folder.exists():
        made = Path(mkdtemp(dir=shared))
        accept = ("accept", "regression", "--yes", "--reason", "here", "--baselines", made)
        which = [word for name in chosen_backends() for word in ("--backend", name)]
        done = keras_repro(*accept, *which, cwd=ROOT, CI="")
        assert done.returncode == 0, done.stdout + done.stderr
        with suppress(OSError):  # another process was first
            made.rename(folder)
    return folder


def train_with_another_rate(keras_repro, shared: Path, engine: str, names: Sequence[str]) -> Path:
    """Train the regression with another rate from step 137 on, once for all tests; return where."""
    folder = shared / "another-rate"
    if not folder.exists():
        made = Path(mkdtemp(dir=shared))
        made.chmod(0o755)  # the script's user reads it
        regression_with(made, OTHER_RATE.format(step=137))
        with suppress(OSError):  # another process was first
            made.rename(folder)
    options = [word for name in names for word in ("--backend", name)]
    train = ("train", "regression.py", "--if-needed", *options, "--engine", engine)
    done = keras_repro(*train, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder
