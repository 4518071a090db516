"""The regression with a fault planted in it."""

from pathlib import Path

from keras_repro.recorder.__main__ import DEFAULT_SCRIPT

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
