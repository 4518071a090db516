"""``python -m keras_repro.recorder``: run one script, seeded and watched, and keep its run."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Callable, List, Optional, Tuple

from keras_repro.recorder import contract
from keras_repro.recorder.supervise import Request, run

DEFAULT_SCRIPT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "workloads", "regression.py"
)


def main(argv: Optional[List[str]] = None) -> int:
    """Parse the command line, run the script, return the exit code (see README)."""
    parser = _parser()
    options = parser.parse_args(argv)
    script, args = options.script, options.args
    if options.module:  # as python -m: what follows is all the module's
        script, args = module_file(options.module, os.curdir), ([script] if script else []) + args
    script = script or DEFAULT_SCRIPT
    problem = _script_problem(script)
    if problem:
        parser.error(problem)
    if options.out is None and options.artifacts is None:
        parser.error("name the run folder with --out DIR")
    out = options.out or os.path.join(
        options.artifacts,
        options.workload or options.module or contract.workload_name(script),
        options.backend or "default",
    )
    return run(
        Request(
            script=script,
            module=options.module,
            args=args,
            out=os.path.abspath(out),
            seed=options.seed,
            threads=options.threads,
            backend=options.backend,
            keras_backend=options.keras_backend,
            data=[(place, folder) for place, folder in options.data],
            datasets=options.datasets,
            variables=dict(options.variable),
            time_limit=options.time_limit,
            memory_limit=options.memory_limit,
            files_limit=options.files_limit,
            parity=options.parity and _parity(options.parity),
            run_as=options.run_as,
        )
    )


def module_file(module: str, folder: str) -> str:
    """Return the file that ``python -m module`` runs from a folder, relative to it."""
    path = module.replace(".", os.sep)
    package = os.path.join(path, "__main__.py")
    return package if os.path.isfile(os.path.join(folder, package)) else path + ".py"


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
        type=_type(contract.parse_seed),
        default=contract.DEFAULT_SEED,
        metavar="N",
        help="0 to %d (default: %%(default)s)" % contract.MAX_SEED,
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
    parser.add_argument("-m", "--module", metavar="NAME", help="instead of SCRIPT, as python -m")
    parser.add_argument("--workload", metavar="NAME", help="the folder below --artifacts")
    parser.add_argument(
        "--data",
        nargs=2,
        action="append",
        default=[],
        metavar=("PLACE", "DIR"),
        help="a folder to show at a place relative to the present one; repeatable",
    )
    parser.add_argument("--datasets", metavar="DIR", help="what ~/.keras/datasets is to be")
    parser.add_argument(
        "--variable",
        type=_type(_variable),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the script's environment; repeatable",
    )
    parser.add_argument("--time-limit", type=float, metavar="SECONDS")
    parser.add_argument("--memory-limit", type=int, metavar="BYTES")
    parser.add_argument(
        "--files-limit",
        type=int,
        default=contract.DEFAULT_FILES_LIMIT,
        metavar="BYTES",
        help="how much of what the script writes is kept (default: %(default)s)",
    )
    parser.add_argument(
        "--parity",
        metavar="reference|FILE",
        help="keep what each layer computes; FILE: from the reference's weights and inputs",
    )
    parser.add_argument("--run-as", type=_user_and_group, metavar="UID:GID", help=argparse.SUPPRESS)
    parser.add_argument("script", nargs="?", metavar="SCRIPT", help="default: the regression")
    parser.add_argument("args", nargs=argparse.REMAINDER, metavar="ARGS")
    return parser


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(contract.EXIT_USAGE, "keras-repro: %s\n" % message)


def _type(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse_argument(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_argument


def _positive(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 1024:
        raise ValueError("%r is not a whole number from 1 to 1024" % text)
    return int(text)


def _parity(text: str) -> str:
    return text if text == contract.PARITY_REFERENCE else os.path.abspath(text)


def _variable(text: str) -> Tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError("%r is not NAME=VALUE" % text)
    return name, value


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
