"""Two writers at once: each against itself, and what trains against what tidies up."""

import random
import threading
import time
from functools import cached_property

from tests.faults import states
from tests.faults.starts import Done
from tests.faults.trial import CODES, HANGS, Workshop
from tests.faults.writers import BY_NAME, WRITERS, Writer
from tests.served import Server

LARGE = "report"  # report-failed draws little, and is written by the same lines
# How many pairs of a hundred each form of a command has, where it has several.
FORMS = {
    **dict.fromkeys(("init", "init-force"), 0.5),
    **{"upgrade": 0.4, "upgrade-own": 0.4, "upgrade-seeds": 0.2},
    **{"bisect": 0.7, "bisect-seeds": 0.3},
    **{"train": 0.3, "train-over-failed": 0.1},
    **dict.fromkeys(("publish", "publish-first", "publish-failed", "publish-failed-again"), 0.15),
    **{"ensemble": 0.3, "ensemble-forks": 0.4, "ensemble-part": 0.3},
}
OTHERS = {
    ("train", "prune"): 1.0,
    ("bisect", "prune"): 0.2,
    ("upgrade", "prune"): 0.2,
    ("publish", "report-failed"): 0.2,
}
PAIRS = {
    **{(w.name, w.name): FORMS.get(w.name, 1.0) for w in WRITERS if w.name != LARGE},
    **OTHERS,
}
"""Which two commands are run at once, and which part of a hundred times."""
SECONDS = 0.05  # the second starts at most so much later: most commands take as long


class Pairs(Workshop):
    """A workshop with two servers."""

    @cached_property
    def other(self) -> Server:
        return self.setting.server()

    def both(self, first: Writer, second: Writer, rng: random.Random, real: bool) -> list[Done]:
        done: list[Done] = [Done(HANGS, "it never ended")] * 2
        delay = rng.choice((0.0, rng.random() * SECONDS))
        servers = (None, None) if real else (self.server, self.other)
        calls = [writer.call(self.root) for writer in (first, second)]
        started = threading.Barrier(2)

        def one(at: int) -> None:
            started.wait()
            time.sleep(delay * at)
            done[at] = calls[at].start(self.setting, self.root, servers[at])

        threads = [threading.Thread(target=one, args=(at,)) for at in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return done

    def close(self) -> None:
        if "other" in self.__dict__:
            self.other.__exit__(None, None, None)
        super().close()


def pair(workshop: Pairs, names: tuple[str, str], seed: str, real: bool) -> list[str]:
    """Run two commands at once, then each alone; return what is wrong."""
    first, second = (BY_NAME[name] for name in names)
    workshop.undisturbed(first)
    workshop.undisturbed(second)
    workshop.begin(first)
    done = workshop.both(first, second, random.Random(seed), real)
    problems, codes = [], workshop.undisturbed(first).codes
    for one in done:
        if "Traceback" in one.output:
            problems.append("a traceback")
        elif one.code not in CODES:
            problems.append("it hangs" if one.code == HANGS else f"exit code {one.code}")
        elif first is second and one.code not in codes and "another" not in one.output:
            problems.append(f"exit code {one.code}, and it does not say that another writes")
    now = states.tree(workshop.root)
    problems += _stands(workshop, first, second, states.units(now, first.units), done)
    for writer in dict.fromkeys((first.name, second.name)):
        again = workshop.run(BY_NAME[writer])
        if again.code not in codes and first is second:
            problems.append(f"the next one ends with {again.code}: {again.output[-200:]}")
    if left := states.passing(states.tree(workshop.root)):
        problems.append(f"after the next one, left: {', '.join(left)}")
    said = "; ".join(f"{one.code} {one.output.strip()[-150:]!r}" for one in done)
    return [f"{problem} [{said}]" for problem in problems]


def _stands(
    workshop: Pairs, first: Writer, second: Writer, now: states.State, done: list[Done]
) -> list[str]:
    """Return what is wrong with what both have left."""
    known = workshop.undisturbed(first).states(first)
    codes = workshop.undisturbed(first).codes
    allowed: dict[str, list] = {}
    for state in known[:3]:
        for name in state:
            allowed[name] = [one.get(name) for one in known[:3]]
    if first is not second:  # the other may remove it
        allowed = {name: [*content, None] for name, content in allowed.items()}
    wrong = [name for name in now if now[name] not in allowed.get(name, [])]
    if wrong:
        return [f"{name} is neither the one's nor the other's" for name in wrong]
    if first is second and not first.parts:
        well = sum(one.code == codes[0] for one in done)
        if codes[0] == codes[1] and now != known[well]:
            return [f"{well} ended well, and something else stands than after {well}"]
    return []
