"""What a client does with the answer of a worker: python -m tests.faults.receive ANSWER OUT."""

import sys
import tempfile
from pathlib import Path

from keras_repro.engines.cluster.received import publish
from keras_repro.errors import ExitCode, KerasReproError


def main() -> int:
    """Put the answer in its place; return the exit code of a command that does."""
    answer, out = map(Path, sys.argv[1:])
    try:
        publish(answer.read_bytes(), out.absolute())
    except KerasReproError as error:
        print(f"keras-repro: {error}", file=sys.stderr)
        return int(error.exit_code)
    except OSError as error:
        print(f"keras-repro: {error.filename}: {error.strerror}", file=sys.stderr)
        return int(ExitCode.CANNOT_WRITE)
    return 0


if __name__ == "__main__":
    tempfile.tempdir = None
    sys.exit(main())
