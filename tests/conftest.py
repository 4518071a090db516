"""Fixtures: the command line as a user runs it, and a way to run a script on a backend."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from keras_repro import backends
from keras_repro.engines import local
from keras_repro.engines.docker import DockerEngine
from keras_repro.recorder import contract, seeding
from tests import sampled
from tests.served import Server

ROOT = Path(__file__).parents[1]
AS_DARWIN = os.environ.get("KERAS_REPRO_TEST_AS") == "darwin"
if AS_DARWIN:  # here, and in what the tests start
    from tests.as_darwin import sitecustomize

    paths = [str(Path(sitecustomize.__file__).parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
BACKENDS = tuple(backends.load())
DEMAND_DOCKER = bool(os.environ.get("KERAS_REPRO_DEMAND_DOCKER"))
# The tests act as a person does, wherever they run; those about CI set it themselves.
os.environ.pop("CI", None)
ON_PURPOSE = 'baselines change on purpose only: make baselines REASON="..."'


def pytest_configure(config: pytest.Config) -> None:
    for option in ("force_regen", "regen_all"):
        if config.getoption(option, default=False):
            flag = option.replace("_", "-")
            raise pytest.UsageError(f"--{flag} is refused: {ON_PURPOSE}")


def docker_answers() -> bool:
    return DockerEngine().problem() is None


def engine_name() -> str:
    asked = os.environ.get("KERAS_REPRO_TEST_ENGINE", "auto")
    if asked == "auto":
        return "docker" if docker_answers() or DEMAND_DOCKER else "local"
    return asked


def chosen_backends() -> tuple[str, ...]:
    return tuple(os.environ.get("KERAS_REPRO_TEST_BACKENDS", "").split()) or BACKENDS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the backends that the user did not choose, and Docker where it is not used.

    And all but a sample, where that is asked for. Put first what shares a fixture of a minute:
    another worker takes over from the end.
    """
    sample = sampled.asked()
    if sample is not None:
        chosen = [_is_in(sample, item) for item in items]
        out = [item for item, is_in in zip(items, chosen, strict=True) if not is_in]
        config.hook.pytest_deselected(items=out)
        items[:] = itertools.compress(list(items), chosen)
    items.sort(key=lambda item: item.get_closest_marker("shares") is None)
    without_docker = pytest.mark.skip(reason="needs Docker, and the engine under test is local")
    use_docker = engine_name() == "docker"
    for item in items:
        if item.get_closest_marker("docker") and not use_docker and not DEMAND_DOCKER:
            item.add_marker(without_docker)
        backend = getattr(item, "callspec", None) and item.callspec.params.get("backend")
        if backend in BACKENDS and backend not in chosen_backends():
            item.add_marker(pytest.mark.skip(reason=f"{backend} was not chosen"))


def _is_in(sample: sampled.Sample, item: pytest.Item) -> bool:
    place = item.path.relative_to(ROOT / "tests").as_posix()
    shares = item.get_closest_marker("shares") is not None
    return sample.has(place, place if shares else item.nodeid)


@pytest.fixture(scope="session")
def engine() -> str:
    """The engine under test: docker or local."""
    return engine_name()


@pytest.fixture(scope="session")
def a_backend() -> str:
    """A backend for what must not differ between them: a quick one of those chosen."""
    return next(name for name in ("theano", "jax", *BACKENDS) if name in chosen_backends())


# Said of what takes longer than two seconds, as it may on a busy machine.
PROGRESS = (
    "comparing",
    "comparing and drawing",
    "looking for what there is to search",
    "removing",
    "resolving",
)


def without_progress(stderr: str) -> list[str]:
    """Return the lines of stderr but those that say what is being done."""
    return [line for line in stderr.splitlines() if line not in PROGRESS]


CommandLine = Callable[..., "subprocess.CompletedProcess[str]"]
AT_START = ("PYTHON", "LC_", "LANG")  # what Python reads where it starts, and no fork anew


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Give the command line of this Python, with all that it may import."""
    with Server(sys.executable, dict(os.environ)) as started:
        yield started


@pytest.fixture
def keras_repro(tmp_path: Path, request: pytest.FixtureRequest) -> CommandLine:
    """Run the command line, in tmp_path unless told otherwise.

    By a fork of a Python that has imported it all, since starting takes longer than most commands;
    from the start where Python itself is told something. Tests of how it starts do it themselves.
    """

    def run(*arguments: object, cwd: Path = tmp_path, **variables: str):
        words = [*map(str, arguments)]
        environment = {**os.environ, "COLUMNS": "100", **variables}
        if not any(name.startswith(AT_START) for name in variables):
            return request.getfixturevalue("server").run(words, cwd, environment)
        return subprocess.run(
            [sys.executable, "-m", "keras_repro", *words],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder for runs that several tests read, in any process of theirs.

    ``train --if-needed`` makes there what is not there yet; it waits while another does so.
    """
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    (place / "shared").mkdir(exist_ok=True)
    return place / "shared"


@dataclass
class Recorded:
    """What a recorder left."""

    status: int
    output: str
    out: Path

    @property
    def facts(self) -> dict:
        return json.loads((self.out / contract.FACTS).read_text())

    @property
    def failed_facts(self) -> dict:
        return json.loads(
            (self.out.with_name(self.out.name + ".failed") / contract.FACTS).read_text()
        )

    @property
    def log(self) -> str:
        return (self.out / contract.LOG).read_text()

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        with np.load(self.out / contract.ARRAYS, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}


# Theano compiles for minutes what the tests' own scripts need; for bare ones nothing else keeps it.
COMPILED = ("--volume", "keras-repro-tests-compiled:/compiled", "--entrypoint", "sh")
SEEDED = f"""
import os, runpy, sys
from keras_repro.recorder import import_hooks, seeding, theano_blas
seed, threads = {contract.Conditions().seed}, 1
def keras(module):
    if "theano" in sys.modules:
        theano_blas.without_blas(sys.modules["theano"])
import_hooks.install([dict(keras=keras), seeding.framework_hooks(seed, threads)])
seeding.seed_python_and_numpy(seed)
del sys.argv[0]
sys.path[0] = os.getcwd()
runpy.run_path(sys.argv[0], run_name="__main__")
"""
COPIED = ("sh", "-c", 'cp -r . /tmp/bare && cd /tmp/bare && exec python "$@"', "sh")
OPENED = ("-c", 'chmod 1777 /compiled; exec /opt/keras-repro/entrypoint.sh "$@"', "sh")


@dataclass
class Scripts:
    """Runs scripts on a backend, under the recorder or bare, through the engine under test."""

    engine: str
    folder: Path
    artifacts: Path = field(init=False)

    def __post_init__(self) -> None:
        self.artifacts = self.folder / "artifacts"
        self.artifacts.mkdir(mode=0o755, exist_ok=True)

    def write(self, text: str, name: str = "script.py") -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def record(
        self,
        backend: str,
        script: Path,
        *arguments: str,
        seed: int = contract.Conditions().seed,
        keras_json: Path | None = None,
        folder: Path | None = None,
        options: tuple[str, ...] = (),
        **variables: str,
    ) -> Recorded:
        """Run a script under the recorder, in its folder or one above."""
        command, environment = self._recorder(
            backend,
            script,
            arguments,
            ("--seed", str(seed), *options),
            keras_json,
            folder,
            variables,
        )
        out = self.artifacts / contract.workload_name(str(script)) / backend
        return Recorded(*self._run(command, environment), out)

    def serve(
        self, backend: str, script: Path, asked: list[tuple[int, bool]], *options: str
    ) -> tuple[list[Recorded], str]:
        """Have one recorder make several runs: (seed, whether it is to be alone); in that order.

        Returns what it left of each, and what it said.
        """
        folder = self.artifacts / contract.workload_name(str(script))
        above = f"/artifacts/{folder.name}" if self.engine == "docker" else str(folder)
        names = [f"{backend}-{number}" for number in range(len(asked))]
        lines = [
            json.dumps({"seed": seed, "alone": alone, "out": f"{above}/{name}"})
            for name, (seed, alone) in zip(names, asked, strict=True)
        ]
        options = ("--seed", "0", "--hash-seed", "1337", "--serve", *options)
        command, environment = self._recorder(backend, script, (), options, None, None, {})
        _, said = self._run(command, environment, "".join(f"{line}\n" for line in lines))
        ends = [line for line in said.splitlines() if line.startswith(f'{{"{contract.ENDED}"')]
        statuses = [json.loads(line)[contract.ENDED] for line in ends]
        assert len(statuses) == len(asked), said
        return [
            Recorded(status, said, folder / name)
            for status, name in zip(statuses, names, strict=True)
        ], said

    def _recorder(
        self,
        backend: str,
        script: Path,
        arguments: tuple[str, ...],
        options: tuple[str, ...],
        keras_json: Path | None,
        folder: Path | None,
        variables: dict[str, str],
    ) -> tuple[list, dict[str, str]]:
        """Return the recorder's command, and its environment."""
        options = (*options, "--")
        out = self.artifacts / contract.workload_name(str(script)) / backend
        if self.engine == "docker":
            command = self._compose(backend, keras_json, variables, *options, script, *arguments)
            if folder:
                place = command.index(script.name)
                command[place] = str(script.relative_to(folder))
            environment = self._compose_environment(script)
            environment["KERAS_REPRO_WORK"] = str(folder or script.parent)
        else:
            place = self._environment(backend)
            known = backends.load()[backend]
            command = [place / "bin/python", "-c", local.LAUNCH, "--out", out]
            command += ["--backend", backend, "--keras-backend", known.keras_backend]
            command += [*options, script, *arguments]
            environment = {**local._environment(known, place), **variables}
            if keras_json:
                environment["KERAS_HOME"] = str(keras_json.parent)
        return command, environment

    def bare(
        self, backend: str, script: Path, *arguments: str, seeded: bool = False, **variables: str
    ) -> str:
        """Run a script by itself, in the recorder's own environment; return its output.

        In its folder, or in a container in a copy of that, where it may write. A script that does
        not seed itself is ``seeded`` as the recorder does it.
        """
        words = ("-c", SEEDED, script) if seeded else (script,)
        variables = {**seeding.environment(contract.Conditions().seed, 1), **variables}
        variables["MPLBACKEND"] = "Agg"
        if self.engine == "docker":
            del variables["THEANO_FLAGS"]  # the entry point sets them
            if backend == "theano":
                variables["THEANO_FLAGS"] = "compiledir=/compiled"
            command = self._compose(backend, None, variables, *COPIED, *words, *arguments)
            at = command.index(backend)
            command[at : at + 1] = [*COMPILED, backend, *OPENED]
            environment = self._compose_environment(script)
        else:
            folder = self._environment(backend)
            command = [folder / "bin/python", *words, *arguments]
            known = local._environment(backends.load()[backend], folder)
            flags = f"{known['THEANO_FLAGS']},{variables.pop('THEANO_FLAGS')}"
            environment = {**known, **variables, "THEANO_FLAGS": flags}
        status, output = self._run(command, environment)
        assert status == 0, output
        return output

    def _environment(self, backend: str) -> Path:
        folder = local.environment_folder(backends.load()[backend])
        assert folder.is_dir(), f"{backend} has no environment: run make test, or train it first"
        return folder

    def _compose_environment(self, script: Path) -> dict[str, str]:
        return {
            **os.environ,
            "KERAS_REPRO_ARTIFACTS": str(self.artifacts),
            "KERAS_REPRO_WORK": str(script.parent),
        }

    def _compose(self, backend, keras_json, variables, *arguments) -> list:
        command = ["docker", "compose", "--project-directory", ROOT, "run", "--rm", "-T"]
        for name, value in variables.items():
            command += ["-e", f"{name}={value}"]
        if keras_json:
            command += ["-v", f"{keras_json}:/home/keras/.keras/keras.json:ro"]
        names = [part.name if isinstance(part, Path) else part for part in arguments]
        return [*command, backend, *names]

    def _run(self, command: list, environment: dict[str, str], given: str = "") -> tuple[int, str]:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=self.folder,
            env=environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def scripts(engine: str, tmp_path: Path) -> Scripts:
    return Scripts(engine, tmp_path)
