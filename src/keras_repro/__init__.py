"""keras-repro: run a Keras script, seeded, on every backend, and say which numbers changed."""

__version__ = "0.1.0"
