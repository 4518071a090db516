"""``python -m keras_repro.recorder.numeric_class BACKEND``: compute the class, and keep nothing.

BACKEND is Keras' name. While an image is built, this leaves what Theano compiles.
"""

from __future__ import annotations

import json
import os
import sys
from typing import List

from keras_repro.recorder.numeric_class import environment
from keras_repro.recorder.numeric_class.computed import compute

PATIENCE_SECONDS = 900.0  # an emulated processor is slow


def main(argv: List[str]) -> int:
    """Print the class as JSON; return 1 where there is none."""
    found = compute(argv[0], 1, environment.variables(1, os.environ), limit=PATIENCE_SECONDS)
    print(json.dumps(found, indent=1))
    return 0 if found["digest"] is not None and not found["problems"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
