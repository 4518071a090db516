"""``python -m keras_repro.recorder``: run one script, seeded and watched, and keep its run."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, List, Optional, Tuple

from keras_repro.recorder import layout
from keras_repro.recorder.supervise import Request, run

DEFAULT_SCRIPT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "workloads", "regression.py"
)


def main(argv: Optional[List[str]] = None) -> int:
    """Parse the command line, run the script, return the exit code (see README)."""
    parser = _parser()
    options = parser.parse_args(argv)
    script = options.script or DEFAULT_SCRIPT
    problem = _script_problem(script)
    if problem:
        parser.error(problem)
    if options.out is None and options.artifacts is None:
        parser.error("name the run folder with --out DIR")
    out = options.out or os.path.join(
        options.artifacts, layout.workload_name(script), options.backend or "default"
    )
    return run(
        Request(
            script=script,
            args=options.args,
            out=os.path.abspath(out),
            seed=options.seed,
            threads=options.threads,
            backend=options.backend,
            keras_backend=options.keras_backend,
            run_as=options.run_as,
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="keras-repro-recorder",
        description="Run a Keras script, seeded and watched, and keep every number it computes.",
    )
    parser.add_argument("--out", metavar="DIR", help="the run folder to write")
    parser.add_argument(
        "--artifacts", metavar="DIR", help="instead: write to DIR/<workload>/<backend>"
    )
    parser.add_argument(
        "--seed",
        type=_type(layout.parse_seed),
        default=layout.DEFAULT_SEED,
        metavar="N",
        help="0 to %d (default: %%(default)s)" % layout.MAX_SEED,
    )
    parser.add_argument(
        "--threads",
        type=_type(_positive),
        default=1,
        metavar="N",
        help="threads each library may use (default: %(default)s, the same on every machine)",
    )
    parser.add_argument("--backend", metavar="NAME", help="the name the run is kept under")
    parser.add_argument(
        "--keras-backend", metavar="NAME", help="what Keras must really use, or the run fails"
    )
    parser.add_argument("--run-as", type=_user_and_group, metavar="UID:GID", help=argparse.SUPPRESS)
    parser.add_argument("script", nargs="?", metavar="SCRIPT", help="default: the regression")
    parser.add_argument("args", nargs=argparse.REMAINDER, metavar="ARGS")
    return parser


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(layout.EXIT_USAGE, "keras-repro: %s\n" % message)


def _type(parse: Callable[[str], int]) -> Callable[[str], int]:
    def parse_argument(text: str) -> int:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_argument


def _positive(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise ValueError("%r is not a whole number from 1 to 1024" % text)
    return int(text)


def _user_and_group(text: str) -> Tuple[int, int]:
    user, _, group = text.partition(":")
    return int(user), int(group)


def _script_problem(script: str) -> Optional[str]:
    if os.path.isdir(script):
        return "%s is a folder; name a Python script" % script
    try:
        with open(script, "rb"):
            return None
    except OSError as error:
        return "cannot read the script %s: %s" % (script, (error.strerror or str(error)).lower())


if __name__ == "__main__":
    sys.exit(main())
