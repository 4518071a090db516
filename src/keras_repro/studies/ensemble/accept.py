"""Keep an ensemble beside the baseline, on purpose."""

import math
from datetime import UTC, datetime
from pathlib import Path

from keras_repro.errors import DriftError, RunFailedError, UsageError
from keras_repro.runs.baselines import environment
from keras_repro.runs.causes import likely_causes
from keras_repro.runs.chain import HistoryEntry
from keras_repro.runs.ensemble import EnsembleFacts, accepted
from keras_repro.runs.write_baseline import write_ensemble
from keras_repro.studies.ensemble.ensemble import Result

FEWEST = 2  # seeds with a number that make an ensemble


def check_acceptable(result: Result) -> EnsembleFacts:
    """Return what may be accepted.

    Raises:
        DriftError: all seeds are the same run.
        RunFailedError: a limit or the machine ended the run of a seed.
        UsageError: too few seeds have a number of what counts.
    """
    if result.facts is None:
        raise DriftError(
            "nothing was accepted: every seed is the same run, bit for bit, so there is no chance "
            "in it to compare by; let the seed matter with --vary-own-seeds"
        )
    lost = [one for one in result.seeds if not one.counts]
    if lost:
        raise RunFailedError(
            f"nothing was accepted: seed {lost[0].seed} was ended from outside: {lost[0].problem}; "
            "run it again"
        )
    for name, scalar in result.facts.scalars.items():
        count = sum(map(math.isfinite, scalar.values))
        if scalar.primary and count < FEWEST:
            raise UsageError(
                f"nothing was accepted: {count} of {len(scalar.values)} seeds end with a number of "
                f"{name}; mend the script, or ask for more with --seeds"
            )
    return result.facts


def accept_ensemble(folder: Path, facts: EnsembleFacts, reason: str) -> str:
    """Keep an ensemble in a baseline's folder, with the reason; under the baseline's lock.

    Returns what is to be said of the old folder where it could not be removed.

    Raises:
        CannotWriteError: it cannot be written; what stood there is untouched.
        UnreadableError: the ensemble that stands there is damaged.
    """
    before = accepted(folder)
    causes = [] if before is None else likely_causes(facts.origin, before.origin)
    entry = HistoryEntry(
        accepted=datetime.now(UTC).isoformat(timespec="seconds"),
        reason=reason.strip(),
        environment=environment(facts.origin),
        changed_facts=[str(cause) for cause in causes],
    )
    return write_ensemble(folder, facts, [*(before.history if before else []), entry])
