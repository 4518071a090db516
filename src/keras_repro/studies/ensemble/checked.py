"""Decide on the last ensemble of each backend, against the accepted one."""

from collections.abc import Sequence
from dataclasses import replace

from keras_repro.backends import Backend
from keras_repro.errors import MissingError
from keras_repro.runs.ensemble import FILE
from keras_repro.studies.check import Place
from keras_repro.studies.ensemble.answer import Answer, answer
from keras_repro.studies.ensemble.equivalent import (
    Compared,
    accepted_side,
    equivalent,
    last_side,
    script_changed,
    to_make,
)


def check_ensembles(asked: Sequence[tuple[Place, list[Backend]]], named: bool) -> list[Answer]:
    """Return the answers on the backends of each workload.

    Where no backend was ``named``, they are those that have an accepted ensemble.

    Raises:
        MissingError: none has.
    """
    known = [
        (place, backend)
        for place, backends in asked
        for backend in backends
        if named or (place.baseline(backend) / FILE).exists()
    ]
    if not known:
        place, backends = asked[0]
        raise MissingError(
            f"no ensemble of {place.workload} is accepted; "
            f'{to_make(place.of, backends[0])} --accept --reason "..."'
        )
    return [_check(place, backend) for place, backend in known]


def _check(place: Place, backend: Backend) -> Answer:
    make = to_make(place.of, backend)

    def compare() -> Compared:
        expected = accepted_side(place.baseline(backend), f'{make} --accept --reason "..."')
        return equivalent(expected, last_side(place.of, backend, place.artifacts), {})

    found = answer(place.workload, backend.name, compare)
    changed = found.compared and script_changed(found.compared.obtained, place.of)
    return replace(found, note=f"{changed}; {make}") if changed else found
