"""Run every release in a range, one after the other, and keep what became of each as JSON.

    python tests/known/establish.py jax keras 3.7.0 3.15.1

What ``keras-repro bisect`` is to find in fewer trials: see test_known_ranges.py.
"""

import json
import sys
from pathlib import Path

from packaging.version import Version

from keras_repro import __version__, backends
from keras_repro.engines import Engine
from keras_repro.engines.select import select
from keras_repro.packages import releases
from keras_repro.packages.resolve import DoesNotInstallError, moves
from keras_repro.project.workload import builtin, from_script
from keras_repro.studies.bisect.releases import Environments
from keras_repro.studies.check import Place
from keras_repro.studies.judge import judge_of
from keras_repro.studies.trial import try_in

FOLDER = Path(__file__).parent
BASELINES = FOLDER.parents[1] / "baselines"


def establish(
    engine: Engine, name: str, package: str, good: str, bad: str, script: str = "regression"
) -> dict:
    """Return what became of each release, against the good one, to the bit and within tolerance."""
    backend = backends.load()[name]
    own = FOLDER / f"{script}.py"
    workload = from_script(own.name, FOLDER) if own.exists() else builtin(script, script)
    place = Place(workload, Path("artifacts"), BASELINES)
    judges = {
        tolerance: judge_of(place, backend, tolerance) for tolerance in ("identical", "baseline")
    }
    environments = Environments(workload, backend, package)
    found: dict[str, dict] = {}
    expected = None
    for release in releases.releases(package, backend):
        if not Version(good) <= release.version <= Version(bad):
            continue
        version = str(release.version)
        problem, run = release.problem, None
        if not problem:
            try:
                environment = environments.at(version)
                tried = try_in(workload, environment, engine)
                problem, run = tried.problem, tried.run
            except DoesNotInstallError as error:
                problem = f"does not install: {error}"
        if run is None:
            found[version] = {"problem": problem[:200]}
        else:
            expected = expected or run.arrays
            moved = [str(m) for m in moves(backend, environment) if m.package != package]
            found[version] = {
                "moved": moved,
                **{
                    tolerance: judge.outcome(judge.compare(run.arrays, expected))
                    for tolerance, judge in judges.items()
                },
            }
        print(version, found[version], flush=True)
    return {
        "made_by": f"keras-repro {__version__}, tests/known/establish.py, engine local",
        "backend": name,
        "package": package,
        "script": script,
        "releases": found,
    }


def main() -> None:
    name, package, good, bad, *script = sys.argv[1:]
    with select("local")[0] as engine:
        document = establish(engine, name, package, good, bad, *script)
    path = FOLDER / f"{'-'.join([name, package, good, bad, *script])}.json"
    path.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
