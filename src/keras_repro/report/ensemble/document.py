"""The decision on two ensembles, as JSON."""

import json

from pydantic import BaseModel

from keras_repro.numbers.chance.decide import Found
from keras_repro.report.terminal import shorter
from keras_repro.runs.array_verdict import json_number
from keras_repro.runs.ensemble import EnsembleFacts, document
from keras_repro.runs.published import (
    VERSION,
    EnsembleRates,
    EnsembleSide,
    EquivalentDocument,
    ScalarVerdict,
    cause_document,
)
from keras_repro.studies.ensemble.equivalent import Compared, Side


def ensemble_document(facts: EnsembleFacts) -> str:
    """Return an ensemble as it is kept."""
    return json.dumps(document(facts), indent=2, allow_nan=False)


def equivalent_document(compared: Compared) -> str:
    """Return what is decided as a JSON document."""
    return text_of(decision(compared))


def text_of(whole: BaseModel) -> str:
    """Return a document as it is printed."""
    return json.dumps(whole.model_dump(mode="json"), indent=2, allow_nan=False)


def decision(compared: Compared) -> EquivalentDocument:
    """Return what is decided as a document."""
    rates = compared.rates
    known = {} if rates is None else rates.power_of
    return EquivalentDocument(
        schema_version=VERSION,
        exit_code=int(compared.exit_code),
        verdict=compared.decision.value,
        expected=_side(compared.expected),
        obtained=_side(compared.obtained),
        needed=compared.needed,
        rates=None
        if rates is None
        else EnsembleRates(
            size=rates.size, power=rates.power, mistaken=rates.mistaken, seen=rates.seen
        ),
        causes=[cause_document(cause) for cause in compared.causes],
        left_out=compared.left_out,
        scalars=[_scalar(one, known.get(one.name)) for one in compared.found],
    )


def _side(side: Side) -> EnsembleSide:
    facts = side.facts
    return EnsembleSide(
        path="" if side.path is None else shorter(side.path),
        workload=facts.workload,
        backend=facts.backend,
        seeds=len(facts.seeds),
        accepted=facts.accepted or None,
    )


def _scalar(found: Found, power: float | None) -> ScalarVerdict:
    figures = {
        "means": tuple(map(json_number, found.means)),
        "deviations": tuple(map(json_number, found.deviations)),
        "difference": json_number(found.difference),
        "interval": (json_number(found.low), json_number(found.high)),
        "margin": found.scalar.margin.value,
        "margin_deviations": found.scalar.margin.deviations,
        "p_within": found.p_within,
        "rates": found.rates,
        "power": power,
    }
    return ScalarVerdict.model_validate(
        {
            "name": found.name,
            "primary": found.scalar.primary,
            "verdict": found.decision.value,
            "seeds": found.seeds,
            "apart": found.apart,
            "p": {question.value: p for question, p in found.p.items()},
            "significant": sorted(question.value for question in found.significant),
            **figures,
        }
    )
