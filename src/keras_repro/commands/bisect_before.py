"""The spelling that bisect had before: BACKEND as an argument, and one command for all searches.

It works for one more release; then this file goes.
"""

import shlex
from collections.abc import Collection, Iterable

import click

from keras_repro.errors import UsageError

EXAMPLE = "keras-repro bisect release --backend jax --package keras --good 3.10.0"
OF_RELEASES = ("--good", "--bad", "--all", "--pre")


def is_old_spelling(args: list[str], commands: Collection[str]) -> bool:
    """Return whether arguments name a backend in place of a search."""
    own = args[: args.index("--")] if "--" in args else args
    new = any(arg == "--backend" or arg.startswith("--backend=") for arg in own)
    return args[0] not in commands and not new and "--help" not in own


def in_new_spelling(
    args: list[str], parameters: Iterable[click.Parameter]
) -> tuple[list[str], str, str]:
    """Return the arguments in the new spelling, what was old in them, and what is new.

    ``parameters`` are those of the new commands.

    Raises:
        UsageError, click.UsageError: they were wrong in the old spelling too.
    """
    words, options = _parsed(args, parameters)
    if "--prune" in options:
        new = ["prune", *(f"--engine={value}" for value in options.get("--engine", []))]
        return new, "keras-repro bisect --prune", shlex.join(["keras-repro", *new])
    search = _search(words, options)
    old = "--artifacts, which does nothing, and " if options.pop("--artifacts", None) else ""
    # After -m, all that follows is the module's.
    of_script = 1 if "--module" in options else 2
    new = [search, *words[1:of_script], "--backend", words[0]]
    for name, values in options.items():
        for value in values:
            new += [name] if value is None else [name, value]
    new += ["--", *words[of_script:]] if words[of_script:] else []
    return new, f"{old}keras-repro bisect BACKEND", shlex.join(["keras-repro", "bisect", *new])


def _parsed(
    args: list[str], parameters: Iterable[click.Parameter]
) -> tuple[list[str], dict[str, list[str | None]]]:
    """Return what is no option, and {option: its values}; that of a flag is None."""
    options = {one.opts[-1]: one for one in parameters if isinstance(one, click.Option)}
    options.pop("--backend")
    for name in ("--script-change", "--artifacts"):
        options[name] = click.Option([name])
    options["--prune"] = click.Option(["--prune"], is_flag=True)
    command = click.Command("bisect", params=[*options.values()])
    given, words, order = command.make_parser(click.Context(command)).parse_args([*args])
    found: dict[str, list[str | None]] = {}
    for name, option in options.items():
        if option in order:
            value = given[str(option.name)]
            values = value if isinstance(value, list) else [value]
            found[name] = [None if option.is_flag else one for one in values]
    return words, found


def _search(words: list[str], options: dict[str, list[str | None]]) -> str:
    """Return the search that is asked for; --script-change becomes two options. Raises UsageError.

    The messages are for who writes the old spelling, and speak the new one.
    """
    days = "--since" in options or "--until" in options
    ways = {"release": "--package" in options, "day": days, "commit": "--script-change" in options}
    if not words:
        raise UsageError(f"bisect needs a backend; as in: {EXAMPLE}")
    if not any(ways.values()):
        raise UsageError(f"bisect needs a package (--package NAME); as in: {EXAMPLE}")
    if sum(ways.values()) > 1:
        raise UsageError("search one of them: --package, --since and --until, or --script-change")
    if days and not ("--since" in options and "--until" in options):
        raise UsageError("a search of days needs both: --since DATE --until DATE")
    if "--package" not in options and any(name in options for name in OF_RELEASES):
        raise UsageError("--good, --bad, --all and --pre are of releases; name a --package too")
    if ways["commit"]:
        [span] = options.pop("--script-change")
        good, dots, bad = str(span).partition("..")
        if not dots or not good or not bad or bad.startswith("."):
            raise UsageError(f"--script-change {span!r} is no range; write it as in v1.0..main")
        options |= {"--good": [good], "--bad": [bad]}
    return next(name for name, asked in ways.items() if asked)
