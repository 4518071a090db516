"""The pytest plugin: the fixture ``keras_run``, and ``--keras-repro`` to test every workload."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    import numpy as np

    from keras_repro.runs.run import RunFacts

# Nothing else of keras-repro here: this module is imported in every pytest run of its users.

OPTION = "--keras-repro"


class KerasRunFixture(Protocol):
    """What the fixture ``keras_run`` gives: ``def test_it(keras_run: KerasRunFixture)``."""

    def __call__(
        self,
        script: str | Path,
        *args: object,
        backend: str,
        seed: int | None = None,
        engine: str = "auto",
    ) -> "KerasRun":
        """Train a script, or a workload of the configuration, on a backend and return its run.

        ``args`` go to the script, as text. The test fails where the run fails.
        """


@dataclass(frozen=True)
class KerasRun:
    """A run that a test made.

    ``arrays`` holds NumPy arrays by name, in the types that the script computed in, ``facts`` what
    ``run.json`` says, ``folder`` is where the run lies.
    """

    folder: Path
    arrays: Mapping[str, "np.ndarray[Any, np.dtype[Any]]"]
    facts: "RunFacts"
    _place: Any
    _backend: Any
    _run: Any

    def check(self, exact: bool = False) -> None:
        """Assert that the numbers are those of the baseline; the table of verdicts says if not."""
        __tracebackhide__ = True
        message = _difference(self._place, self._backend, self._run, exact)
        if message:
            pytest.fail(message, pytrace=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--keras-repro``."""
    parser.getgroup("keras-repro").addoption(
        OPTION,
        action="store_true",
        dest="keras_repro",
        help="also train and check every workload of the keras-repro configuration",
    )


def pytest_configure(config: pytest.Config) -> None:
    """With ``--keras-repro``, have pytest collect the configuration too."""
    if not config.getoption("keras_repro"):
        return
    from keras_repro.project.configuration import find  # noqa: PLC0415

    path = find(config.invocation_params.dir)
    if path is None:
        raise pytest.UsageError(f"{OPTION}: there is no keras-repro.toml; keras-repro init")
    if str(path) not in config.args:
        config.args.append(str(path))


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ConfigFile | None":
    """Collect the configuration's workloads, where they are asked for."""
    if not parent.config.getoption("keras_repro"):
        return None
    from keras_repro.project.configuration import find  # noqa: PLC0415

    if file_path != find(parent.config.invocation_params.dir):
        return None
    collected: ConfigFile = ConfigFile.from_parent(parent, path=file_path)
    return collected


class ConfigFile(pytest.File):
    """The configuration: a test for each workload on each of its backends."""

    def collect(self) -> Iterator["WorkloadItem"]:
        """Yield the tests, named ``<workload>[<backend>]``."""
        from keras_repro.project.configuration import load  # noqa: PLC0415

        known = _or_fail(lambda: load(self.path))
        for workload in known.workloads.values():
            for backend in _or_fail(lambda: known.select(workload.backends)):  # noqa: B023
                name = f"{workload.name}[{backend.name}]"
                item: WorkloadItem = WorkloadItem.from_parent(self, name=name)
                item.workload, item.backend, item.known = workload, backend, known
                yield item


class WorkloadItem(pytest.Item):
    """A workload on a backend: trained, then checked against its baseline."""

    workload: Any
    backend: Any
    known: Any

    def runtest(self) -> None:
        """Train and check."""
        run = _train(self.workload, self.backend, self.known, "auto")
        run.check()

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the test comes from."""
        return self.path, 0, f"keras-repro: {self.name}"


@pytest.fixture
def keras_run(request: pytest.FixtureRequest) -> KerasRunFixture:
    """Train a Keras script on a backend: ``keras_run("train.py", backend="jax").check()``.

    The run is kept in the project's ``artifacts``, and checked against its ``baselines``; relative
    scripts begin at the folder of the configuration, or where there is none at pytest's rootdir.
    """
    from keras_repro.project import configuration, selection  # noqa: PLC0415

    def run(
        script: str | Path,
        *args: object,
        backend: str,
        seed: int | None = None,
        engine: str = "auto",
    ) -> KerasRun:
        __tracebackhide__ = True
        path = configuration.find(request.config.rootpath)
        known = _or_fail(lambda: configuration.load(path, request.config.rootpath))
        workload = _or_fail(lambda: selection.named(known, str(script), known.folder))
        if args:
            workload = replace(workload, args=tuple(map(str, args)))
        if seed is not None:
            conditions = workload.conditions.having(seed=seed)
            workload = replace(workload, conditions=conditions)
        [chosen] = _or_fail(lambda: known.select((backend,)))
        return _train(workload, chosen, known, engine)

    return run


def _train(workload: Any, backend: Any, known: Any, engine: str) -> KerasRun:
    __tracebackhide__ = True
    from keras_repro.engines.select import select  # noqa: PLC0415
    from keras_repro.studies import check  # noqa: PLC0415
    from keras_repro.studies.in_use import in_use  # noqa: PLC0415
    from keras_repro.studies.train.plan import Plan  # noqa: PLC0415
    from keras_repro.studies.train.train import train  # noqa: PLC0415

    artifacts, baselines = known.artifacts.absolute(), known.baselines.absolute()
    plan = Plan(workload, [backend], artifacts)
    chosen, _ = _or_fail(lambda: select(engine))
    with in_use(lambda: None), chosen:
        [[trained]] = _or_fail(lambda: train([plan], chosen, lambda progress: None))
    if trained.run is None or trained.problem:
        pytest.fail(f"{workload.name} on {backend.name}: {trained.problem}", pytrace=False)
    # Another test may make the same run anew: these arrays stay what they were.
    arrays = {name: stored.load() for name, stored in trained.run.arrays.items()}
    place = check.Place(workload, artifacts, baselines)
    return KerasRun(trained.run.folder, arrays, trained.run.facts, place, backend, trained.run)


def _difference(place: Any, backend: Any, run: Any, exact: bool) -> str:
    """Return the table of verdicts where a run is not as its baseline, else nothing."""
    from io import StringIO  # noqa: PLC0415

    from rich.console import Console  # noqa: PLC0415

    from keras_repro.report import terminal  # noqa: PLC0415
    from keras_repro.studies import check  # noqa: PLC0415

    results = [check.check_run(place, backend, run, check.Options(exact=exact))]
    if all(result.exit_code == 0 for result in results):
        return ""
    text = StringIO()
    console = Console(file=text, width=100, markup=False, emoji=False, highlight=False)
    terminal.print_checked(console, results)
    terminal.print_without_trail(console, results)
    return f"{place.workload}\n{text.getvalue()}"


def _or_fail(call: Any) -> Any:
    from keras_repro.errors import KerasReproError  # noqa: PLC0415

    __tracebackhide__ = True
    try:
        return call()
    except KerasReproError as error:
        pytest.fail(str(error), pytrace=False)
