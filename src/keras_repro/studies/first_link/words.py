"""The links of a trail in words."""

from keras_repro.runs.trail import MANY, Cost, Data, File, Generators, InitialWeights, Link, Weights
from keras_repro.studies.first_link.align import Pair
from keras_repro.studies.first_link.found import Sides

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
PLACES = {"x": 0, "y": 1}  # of the arguments that have names in every method
IMPORT = "import "
BEGINNING = ("the first step", "the first training begins")
NAMED = ("the script's first line", "the first step", "the end")


def ordinal(number: int) -> str:
    """Return a number that counts from 0 as a word."""
    return ORDINALS[number] if number < len(ORDINALS) else f"{number + 1}th"


def place(link: Link) -> str:
    """Return where a link stands among those of its kind."""
    match link:
        case Generators():
            return link.at
        case File():
            return link.path
        case Data():
            return _data(link)
        case InitialWeights():
            return f"model {link.model}"
        case Cost():
            return f"step {link.step}{of_model(link.model)}"
        case Weights():
            step = f"after step {link.step}" if link.step else "changed before the first step"
            return f"{step}{of_model(link.model)}"


def of_model(model: int | None) -> str:
    """Return " of model 2"; nothing of the first one, which most scripts have alone."""
    return "" if model in (None, 1) else f" of model {model}"


def _data(link: Data) -> str:
    name, *parts = link.argument.split("/")
    inner = "".join(f"[{part}]" for part in parts)
    if name in PLACES:
        argument = f"the {ordinal(PLACES[name])} argument ({name}{inner})"
    else:
        argument = f"the argument {name}{inner}" if name else f"what was drawn{inner}"
    call = {"__call__": "call", "": "call"}.get(link.call, link.call)
    first = -link.together + 1  # of those that are told together
    if link.number is None:
        which = call
    elif first and link.batch is None:
        which = f"the {ordinal(link.number + first)} to {ordinal(link.number)} {call}"
    else:
        which = f"the {ordinal(link.number)} {call}"
    batch = ""
    if link.batch is not None:
        batches = f"batches {link.batch + first} to" if first else "batch"
        batch = f", {batches} {link.batch}"
    return f"{argument} of {which}{of_model(link.model)}{batch}"


def weights(names: tuple[str, ...], model: int) -> str:
    """Return weights by the name of the first."""
    if not names or names == ("all",):
        return f"those of model {model}" if model != 1 else "some"
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}{of_model(model)}"


def told(text: str, what: str) -> str:
    """Return a sentence with how the link differs."""
    return f"{text} ({what})" if what else text


def drawn(pair: Pair, name: str, sides: Sides) -> str:
    """Return why a generator has another state where it is so first."""
    before, after = pair.expected, pair.obtained
    assert isinstance(before, Generators)
    assert isinstance(after, Generators)
    was, now = before.drew.get(name, 0), after.drew.get(name, 0)
    if after.at.startswith(IMPORT):
        module = after.at.removeprefix(IMPORT)
        if was != now:
            here = f"importing {module} {_drew(now)} from {name}"
            return f"{here} ({_words(was)} {sides.expected})"
        return f"{name} had another state after importing {module}"
    # Points have names; else it is what happens there: "model 1 is made".
    when = "at" if after.at in NAMED else "where"
    return f"{name} had another state {when} {after.at}"


def _drew(count: int) -> str:
    return f"drew {_words(count)}" if count else "drew nothing"


def _words(count: int) -> str:
    if count == MANY:
        return "many words"
    return {0: "none", 1: "1 word"}.get(count, f"{count:,} words")
