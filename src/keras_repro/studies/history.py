"""How a workload's baselines came to be."""

from contextlib import suppress

from keras_repro.backends import Backend
from keras_repro.errors import MissingError
from keras_repro.runs.baselines import past, read_baseline
from keras_repro.runs.by_class import all_of
from keras_repro.runs.chain import HistoryEntry
from keras_repro.studies.check import Place


def history(place: Place, backends: list[Backend]) -> dict[str, list[HistoryEntry]]:
    """Return the acceptances of each baseline by its folder's name, the oldest first.

    That is the backend's, and for the baseline of a numeric class the two: ``jax@1f2e3d4c5b6a``.

    Raises:
        MissingError: none of the backends has a baseline.
        UnreadableError: one is damaged.
    """
    found = {}
    for backend in backends:
        for folder in all_of(place.baseline(backend)):
            with suppress(MissingError):
                baseline = read_baseline(folder)
                found[folder.name] = past(baseline.facts, baseline)
    if not found:
        raise MissingError(
            f"no baselines in {place.baselines / place.workload}; train, then accept one: "
            f'keras-repro accept {place.argument} --reason "..."'.replace("  ", " ")
        )
    return found
