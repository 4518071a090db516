"""Imports that moved a random generator which the script had seeded."""

from keras_repro.errors import UnreadableError
from keras_repro.runs.run import Run
from keras_repro.runs.trail import MANY, Generators


def moved_by_imports(run: Run | None) -> list[str]:
    """Return a sentence for each import that drew from a generator which the script had used.

    Another release or backend draws something else, or nothing, and the data are others then:
    JAX draws from NumPy's since 0.6.1.
    """
    try:
        trail = None if run is None else run.trail.trail
    except UnreadableError:  # check says it
        return []
    return [
        f"{link.at.replace('import', 'importing', 1)} {_drew(link, name)} {name} after the script "
        "had seeded it or drawn from it; other releases and backends do not: seed after the imports"
        for link in (trail.links if trail is not None else [])
        if isinstance(link, Generators) and link.at.startswith("import ")
        for name in link.moved
    ]


def _drew(link: Generators, name: str) -> str:
    count = link.drew.get(name, 0)
    if count == MANY:
        return "seeded"
    return f"drew {count} number{'s' * (count != 1)} from"
