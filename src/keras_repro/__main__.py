"""``python -m keras_repro``."""

from keras_repro.cli import main

main()
