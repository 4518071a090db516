"""Find the first link of values that differs, among pairs in the order of time. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from keras_repro.runs.trail import Cost, Data, File, Generators, InitialWeights, Link, Weights
from keras_repro.studies.first_link import words
from keras_repro.studies.first_link.align import Pair, worst
from keras_repro.studies.first_link.found import FirstLink, Sides, State, Station

GOOD = (State.SAME, State.CLOSE)


@dataclass(frozen=True)
class Costs:
    """The costs of a model's steps: the first step, from 1, at which they differ, if any does.

    ``count`` is how many steps both sides have costs of.
    """

    first: int | None
    count: int


@dataclass(frozen=True)
class Result:
    """An array that differs. ``is_weight`` says that it is one of the final weights."""

    name: str
    model: int = 1
    is_weight: bool = False


@dataclass(frozen=True)
class Question:
    """What is known: links side by side, costs by the model, and arrays that differ, in order.

    ``rounding`` says that the two sides may round differently.
    """

    pairs: list[Pair]
    costs: Mapping[int, Costs]
    results: list[Result]
    sides: Sides
    rounding: bool = False

    @property
    def same(self) -> str:
        """How links that do not differ are the same."""
        return "the same within rounding" if self.rounding else "the same bits"


def chain(question: Question, environment: State) -> tuple[Station, ...]:
    """Return what became of each part of the trail, in the order of time."""
    found: dict[str, set[State]] = {
        name: set()
        for name in ("generators", "data", "initial weights", "first step", "later weights")
    }
    for pair in question.pairs:
        if pair.of_both or not isinstance(pair.link, Generators):
            found[_station(pair.link)].add(pair.state)
    results = State.DIFFERS if question.results else State.SAME
    return (
        Station("environment", environment),
        *(Station(name, worst(states)) for name, states in found.items()),
        Station("results", results),
    )


def _station(link: Link) -> str:
    match link:
        case Generators():
            return "generators"
        case File() | Data():
            return "data"
        case InitialWeights():
            return "initial weights"
        case Weights() if link.step == 0:
            return "initial weights"
        case Cost() | Weights():
            return "first step" if link.step <= 1 else "later weights"


def first_link(question: Question) -> FirstLink | None:
    """Return the first link of values that differs, with what explains it; None where none does.

    A generator is named itself where arrays differ and no link of values before them does.
    """
    differing = [
        at
        for at, pair in enumerate(question.pairs)
        if pair.state is State.DIFFERS and not isinstance(pair.link, Generators)
    ]
    # What was loaded over initial weights is what counts.
    at = next((at for at in differing if not _replaced(question.pairs, at)), None)
    early = _first_cost(question, len(question.pairs) if at is None else at)
    if early is not None:
        at, model, step = early
        found = _of_cost(question, at, model, step)
    elif at is not None:
        found = _of_pair(question, at)
    elif question.results and differing:
        at = differing[0]
        found = _of_pair(question, at)
    elif question.results:
        at = len(question.pairs)
        found = _of_results(question)
    else:
        return None
    return replace(found, explanations=(*found.explanations, *_explained(question, at)))


def _replaced(pairs: list[Pair], at: int) -> bool:
    """Return whether initial weights are no matter: the same were put in their place."""
    link = pairs[at].link
    if not isinstance(link, InitialWeights):
        return False
    return any(
        isinstance(pair.link, Weights)
        and (pair.link.model, pair.link.step) == (link.model, 0)
        and pair.of_both
        and pair.state in GOOD
        for pair in pairs
    )


def _first_cost(question: Question, before: int) -> tuple[int, int, int] | None:
    """Return the first cost that differs before a link does: its place among them, model, step.

    Its place is that of the first link of its model from that step on.
    """
    found = []
    for model, costs in question.costs.items():
        step = costs.first
        if step is None or not _counts_steps(question.pairs, model):
            continue
        later = [
            at
            for at, pair in enumerate(question.pairs)
            if isinstance(pair.link, Cost | Weights | Data)
            and pair.link.model == model
            and pair.link.step >= step
        ]
        at = min(later, default=len(question.pairs))
        if at < before or (at == before and not _is_cost(question.pairs, at)):
            found.append((at, model, step))
    return min(found, default=None)


def _is_cost(pairs: list[Pair], at: int) -> bool:
    return at < len(pairs) and isinstance(pairs[at].link, Cost)


def _counts_steps(pairs: list[Pair], model: int) -> bool:
    """Return whether the costs of a model are those of every step, not of every eighth, say."""
    steps = [p.link.step for p in pairs if isinstance(p.link, Cost) and p.link.model == model]
    return not steps or min(steps) == 1


def _of_pair(question: Question, at: int) -> FirstLink:
    pair = question.pairs[at]
    link, kind = pair.link, pair.link.kind
    if isinstance(link, Weights) and pair.of_both:
        return _of_weights(question, at, link)
    where = words.place(link)
    if isinstance(link, InitialWeights) and pair.names:
        where = f"{words.weights(pair.names, 1)} of model {link.model}"
    if isinstance(link, Cost) and pair.of_both:
        return _cost(question, at, link.model, link.step, pair.what)
    step = link.step or None
    found = FirstLink(kind, where, words.told(where, pair.what), step)
    if isinstance(link, File):
        later = (p for p in question.pairs[at + 1 :] if p.state is State.DIFFERS)
        then = next((p for p in later if not isinstance(p.link, File | Generators)), None)
        if then is not None:
            what = f"then {then.link.kind}: {words.place(then.link)}"
            return replace(found, explanations=(what,))
    return found


def _of_weights(question: Question, at: int, link: Weights) -> FirstLink:
    """Return weights that differ where the costs of the steps before them do not."""
    pair, before = question.pairs[at], _known_step(question, at, link.model)
    where = words.weights(pair.names, link.model)
    if link.step == 0:
        text = words.told(f"{where}, as they were changed before the first step", pair.what)
        return FirstLink("weights", where, text, 0)
    one_step = link.step == before + 1
    when = f"after step {link.step}" if one_step else f"between steps {before + 1} and {link.step}"
    text = words.told(f"{where} {when}", pair.what)
    said = _costs_said(question, link.model, link.step)
    last = None if one_step else link.step
    return FirstLink("weights", where, text, before + 1, last, said)


def _costs_said(question: Question, model: int, until: int) -> tuple[str, ...]:
    """Return that the costs until a step are the same, where they are known."""
    known = question.costs.get(model)
    if known is None or not known.count or not _counts_steps(question.pairs, model):
        return ()
    steps = min(until, known.count if known.first is None else known.first - 1)
    if steps < 1:
        return ()
    if steps == 1:
        return (f"the cost of step 1 is {question.same}",)
    some = f"steps 1 and {steps}" if steps == 2 else f"steps 1 to {steps}"
    return (f"the costs of {some} are {question.same}",)


def _of_cost(question: Question, at: int, model: int, step: int) -> FirstLink:
    """Return a cost that differs before any link does, and weights where they differ with it."""
    before = _known_step(question, at, model)
    after = question.pairs[at] if at < len(question.pairs) else None
    is_weights = after is not None and isinstance(after.link, Weights)
    if before + 1 >= step or (is_weights and after is not None and after.state in GOOD):
        return _cost(question, at, model, step, "")
    names = after.names if is_weights and after is not None else ()
    where = words.weights(names, model) if names else f"some{words.of_model(model)}"
    text = (
        f"{where} between steps {step - 1} and {step}: the cost of step {step} is the first that "
        f"differs, so it is the update of step {step - 1}, or the data of step {step}"
    )
    return FirstLink("weights", where, text, step - 1, step)


def _cost(question: Question, at: int, model: int, step: int, what: str) -> FirstLink:
    where = f"step {step}{words.of_model(model)}"
    text = words.told(f"the cost of {where} (the loss)", what)
    earlier = [p for p in question.pairs[:at] if p.state in GOOD and p.of_both]
    weights = any(
        isinstance(p.link, InitialWeights | Weights) and p.link.model == model for p in earlier
    )
    data = [p for p in question.pairs[:at] if isinstance(p.link, Data)]
    seen = bool(data) and all(p.state in GOOD for p in data)
    names = [name for name, is_known in (("data", seen), ("weights", weights)) if is_known]
    if not names:
        return FirstLink("cost", where, text, step)
    before = f"{' and '.join(names)} before it are {question.same}"
    return FirstLink("cost", where, text, step, None, (before,))


def _known_step(question: Question, at: int, model: int) -> int:
    """Return the last step before a link after which the weights of its model do not differ."""
    steps = [
        pair.link.step
        for pair in question.pairs[:at]
        if isinstance(pair.link, Weights) and pair.link.model == model and pair.state in GOOD
    ]
    return max(steps, default=0)


def _of_results(question: Question) -> FirstLink:
    """Return what differs where no link of values does: a generator, or the arrays alone."""
    first, *others = question.results
    more = f" and {len(others)} more" if others else ""
    moved = [
        pair
        for pair in question.pairs
        if isinstance(pair.link, Generators) and pair.of_both and pair.state is State.DIFFERS
    ]
    if moved:
        where = words.place(moved[0].link)
        text = f"no link of values differs before {first.name}{more}"
        return FirstLink("generators", where, text)
    if first.is_weight:
        before = _known_step(question, len(question.pairs), first.model)
        text = f"{first.name}{more} after step {before}"
        said = _costs_said(question, first.model, 1 << 62)
        return FirstLink("weights", first.name, text, before + 1, None, said)
    return FirstLink("results", first.name, f"{first.name}{more}; all before is {question.same}")


def _explained(question: Question, at: int) -> tuple[str, ...]:
    """Return which generators had moved before a link, and what of the data is not known."""
    found: dict[str, str] = {}
    last = question.pairs[at].link if at < len(question.pairs) else None
    moved = [pair for pair in question.pairs[:at] if isinstance(pair.link, Generators)]
    if isinstance(last, InitialWeights):
        # They are told when a model is first used, and were made before.
        while moved and words.place(moved[-1].link) in words.BEGINNING:
            moved.pop()
    for pair in moved:
        for name in pair.names:
            found.setdefault(name, words.drawn(pair, name, question.sides))
    said = list(found.values())
    if last is None or isinstance(last, Cost | Weights):
        said += _about_data(question.pairs[:at])
    return tuple(said)


def _about_data(pairs: list[Pair]) -> list[str]:
    """Return what is to be said of data that may differ all the same."""
    data = [pair for pair in pairs if isinstance(pair.link, Data)]
    said = []
    for pair in data:
        if pair.state is State.CLOSE:
            said.append(
                f"{words.place(pair.link)} has other bits of the same norm, mean and extremes: "
                "rounding, or another order"
            )
            break
    for pair in data:
        if pair.state is State.UNKNOWN:
            why = f" ({pair.what})" if pair.what else ""
            said.append(f"{words.place(pair.link)} is not known{why}")
            break
    return said
