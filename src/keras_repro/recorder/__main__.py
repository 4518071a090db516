"""``python -m keras_repro.recorder``: run one script, seeded and watched, and keep its run."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Callable, List, Optional, Tuple

from keras_repro.recorder import contract, debian, emulated, portable
from keras_repro.recorder.contract import CONDITIONS, Condition, Conditions, module_file
from keras_repro.recorder.request import Request
from keras_repro.recorder.serve import serve
from keras_repro.recorder.supervise import abandon, run

DEFAULT_SCRIPT = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
    "workloads",
    contract.DEFAULT_WORKLOAD + ".py",
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
    if options.portable and options.portable_settings is None:
        parser.error("--portable: what that is, keras-repro train --portable knows; use it instead")
    conditions = {
        condition.name: _value(condition, getattr(options, condition.name))
        for condition in CONDITIONS
        if condition.parts
    }
    if os.environ.get("KERAS_REPRO_ENGINE") == "docker" and options.abandoned is None:
        lacking = contract.lacking(options.system_packages or (), debian.installed_packages())
        if lacking:
            parser.error(
                "this image has no %s; keras-repro train makes one that has it" % ", ".join(lacking)
            )
    request = Request(
        script=script,
        module=options.module,
        args=args,
        out=os.path.abspath(out),
        backend=options.backend,
        keras_backend=options.keras_backend,
        conditions=Conditions(**conditions),
        parity=options.parity and _parity(options.parity),
        run_as=options.run_as,
        portable=(options.portable_settings or ()) if conditions["portable"] else (),
        processor=_emulated(parser, options),
    )
    if options.serve:
        return serve(request)
    return run(request) if options.abandoned is None else abandon(request, options.abandoned)


def _emulated(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> Optional[emulated.Processor]:
    if options.processor is None or options.abandoned is not None:
        return None
    try:
        return emulated.processor(options.processor)
    except emulated.EmulationError as error:
        parser.error(str(error))


def _value(condition: Condition, given: Any) -> Any:
    if given is None:
        return condition.default
    if condition.many is None:
        return given
    return condition.many(tuple(one) if condition.parts > 1 else one for one in given)


def _parser() -> argparse.ArgumentParser:
    parser = _OneLineParser(
        prog="keras-repro-recorder",
        description="Run a Keras script, seeded and watched, and keep every number it computes.",
    )
    parser.add_argument("--out", metavar="DIR", help="the run folder to write")
    parser.add_argument(
        "--artifacts", metavar="DIR", help="instead: write to DIR/<workload>/<backend>"
    )
    for condition in CONDITIONS:
        if condition.parts:
            _add(parser, condition)
    parser.add_argument("--backend", metavar="NAME", help="the name the run is kept under")
    parser.add_argument(
        "--keras-backend", metavar="NAME", help="what Keras must really use, or the run fails"
    )
    parser.add_argument("-m", "--module", metavar="NAME", help="instead of SCRIPT, as python -m")
    parser.add_argument("--workload", metavar="NAME", help="the folder below --artifacts")
    parser.add_argument(
        "--parity",
        metavar="reference|FILE",
        help="keep what each layer computes; FILE: from the reference's weights and inputs",
    )
    # JSON: what --portable stands for on this backend.
    parser.add_argument("--portable-settings", type=_type(portable.read), help=argparse.SUPPRESS)
    parser.add_argument("--run-as", type=_user_and_group, metavar="UID:GID", help=argparse.SUPPRESS)
    # Several runs of one script, each asked for by a line of the standard input: serve.py.
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    # Why the run of which only the staging folder is left was given up: it is published as failed.
    parser.add_argument("--abandoned", metavar="REASON", help=argparse.SUPPRESS)
    parser.add_argument("script", nargs="?", metavar="SCRIPT", help="default: the regression")
    parser.add_argument("args", nargs=argparse.REMAINDER, metavar="ARGS")
    return parser


def _add(parser: argparse.ArgumentParser, condition: Condition) -> None:
    """Add a condition's option; it is None where it is not given."""
    if condition.is_switch:
        parser.add_argument(
            condition.flag,
            dest=condition.name,
            action="store_const",
            const=True,
            help=condition.help.replace("%", "%%"),
        )
        return
    metavar: Any = condition.metavar
    more: Any = {}
    if condition.parts > 1:
        metavar, more = ("PLACE", condition.metavar), {"nargs": condition.parts}
    parser.add_argument(
        condition.flag,
        dest=condition.name,
        type=_type(condition.read),
        action="append" if condition.many else "store",
        metavar=metavar,
        help=condition.help.replace("%", "%%"),
        **more,
    )


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


def _parity(text: str) -> str:
    return text if text == contract.PARITY_REFERENCE else os.path.abspath(text)


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
