"""What a worker does with a folder that it is sent: python -m tests.faults.keep SENT."""

import sys
from pathlib import Path

from keras_repro.engines.cluster import work


def main() -> int:
    """Keep the folder; return the exit code of what a worker says then."""

    def keep() -> dict[str, object]:
        work._folder(Path(sys.argv[1]).read_bytes())
        return {}

    told = work._answered(keep)
    if "message" in told:
        print(f"keras-repro: {told['message']}", file=sys.stderr)
    return int(told.get("error", 0))


if __name__ == "__main__":
    sys.exit(main())
