"""What a campaign found: each failure with the line that repeats it, and the table."""

import datetime
import subprocess
from collections import Counter
from typing import NamedTuple

from tests.faults.plan import Trial
from tests.faults.starts import ROOT

NOT_HIT = "-"
Outcome = tuple[Trial, str, list[str]]
"""A trial, what its fault hit (NOT_HIT: it did not fire), and what is wrong."""


class Found(NamedTuple):
    """All that a campaign found; of what was left out, why."""

    outcomes: list[Outcome]
    problems: list[str]
    left_out: dict[str, str]
    seed: str
    seconds: float

    @property
    def counted(self) -> list[Outcome]:
        """The trials that count: their faults fired."""
        return [outcome for outcome in self.outcomes if outcome[1] != NOT_HIT]

    @property
    def is_good(self) -> bool:
        counted = self.counted
        return bool(counted) and not self.problems and not any(wrong for *_, wrong in counted)


def told(found: Found, markdown: bool) -> str:
    return "\n".join([*_failures(found), "", *(_markdown(found) if markdown else _plain(found))])


def _failures(found: Found) -> list[str]:
    lines = [line for outcome in sorted(found.counted) for line in failures_of(outcome)]
    return lines + [f"FAILED {problem}" for problem in found.problems]


def failures_of(outcome: Outcome) -> list[str]:
    """Return what is wrong with a trial that counts, and how to repeat it."""
    trial, hit, wrong = outcome
    if hit == NOT_HIT:
        return []
    lines = [f"FAILED {trial}: {problem}{f' <- {hit}' if hit else ''}" for problem in wrong]
    return [*lines, f"  again: make faults TRIAL='{trial}'"] if wrong else []


def _plain(found: Found) -> list[str]:
    trials, failed = _counts(found, lambda trial: f"{trial.area} {trial.about}")
    lines = [f"{'area':36}{'trials':>8}{'failures':>10}"]
    lines += [f"{key:36}{trials[key]:>8}{failed[key]:>10}" for key in sorted(trials)]
    lines += [f"{area:36} left out: {why}" for area, why in sorted(found.left_out.items())]
    lines.append(f"{'in all':36}{trials.total():>8}{failed.total():>10}")
    missed = len(found.outcomes) - len(found.counted)
    lines.append(f"seed {found.seed}, {found.seconds:.0f} s, {missed} faults that did not fire")
    return lines


def _markdown(found: Found) -> list[str]:
    """Return the table as it stands in docs/security.md: a line for each area."""
    trials, failed = _counts(found, lambda trial: AREAS.get(trial.area, trial.area))
    lines = ["| area | trials | failures |", "|---|---|---|"]
    lines += [f"| {key} | {trials[key]:,} | {failed[key]:,} |" for key in sorted(trials)]
    lines += [f"| {area} | left out: {why} | |" for area, why in sorted(found.left_out.items())]
    lines += [f"| in all | {trials.total():,} | {failed.total():,} |", ""]
    day = datetime.datetime.now(datetime.UTC).date()
    lines.append(
        f"{day}, commit `{_commit()}`, seed {found.seed}, {found.seconds / 60:.0f} minutes."
    )
    return lines


AREAS = {
    "inject": "a command that writes, killed or failing at a file operation",
    "pair": "two commands at once",
    "hostile": "a hostile folder, through every command that reads",
    "containers": "a hostile script in a container, then an honest one",
    "cut": "Docker cut off, or an installation killed, on the way",
}


def _counts(found: Found, key) -> tuple[Counter[str], Counter[str]]:
    trials = Counter(key(trial) for trial, *_ in found.counted)
    return trials, Counter(key(trial) for trial, _, wrong in found.counted if wrong)


def _commit() -> str:
    asked = ("git", "rev-parse", "--short=10", "HEAD")
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
