"""Read a run folder.

Models are built when they are first used, here and elsewhere: most commands use few of them.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from keras_repro.errors import MissingError, UnreadableError
from keras_repro.recorder import contract
from keras_repro.runs.documents import read_document
from keras_repro.runs.hashing import file_sha256
from keras_repro.runs.npz import Npz
from keras_repro.runs.regular_file import Held
from keras_repro.runs.summaries import SUMMARIES, Kept, SummaryFacts, open_summaries
from keras_repro.runs.together import together
from keras_repro.runs.trail import TrailFile, read_trail

BASE_IMAGE = (
    "the id of the image of Python and Debian that the image is built on; null where Docker did "
    "not have it any more, where no image was used, and in runs of docker compose alone"
)
BASE_DIGEST = "by which a registry has that image; null where it came from none (docker load)"
CLASS = (
    "what this environment computes here for fixed kernels; null in older runs, and where nobody "
    "computed it"
)
MOST_KERNELS, SHORT_DIGITS = 256, 12
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
KernelDigest = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
SAMPLES = "the SHA-256 of samples.npz in hexadecimal; null where there is none"
DEBIAN = (
    "{name: version} of what dpkg had installed in the image; where none was used, of the packages "
    "in system_packages, as this machine has them"
)
SYSTEM = "the Debian packages that the script was given besides, each as NAME or NAME=VERSION"

PROCESSOR = "QEMU's name of the processor that was emulated; null where it was this machine's"
EMULATED = "QEMU and its version, where it emulated the processor; the other facts are of that one"
NOT_EMULATED = "what a real processor of this model has and QEMU does not emulate, as QEMU names it"
PLANTED = "{what: X} of what was multiplied by 1 + X, to see whether it is caught"
PLANTED_IN = "{what: where, and what it was and is} of those for which there was a place"
FORKED = "whether its process was forked from one that had imported what the script imports"
WRONGLY = "instructions by which this QEMU was found to compute something else"


class KerasFacts(BaseModel):
    """The Keras that the script used."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    version: str | None = None
    backend: str | None = None


class CpuFacts(BaseModel):
    """The processor, and how many cores the run might use."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    model: str = ""
    instruction_sets: list[str] = []
    cores: int = 0
    emulated_by: str = Field(default="", description=EMULATED)
    not_emulated: list[str] = Field(default=[], description=NOT_EMULATED)
    emulated_wrongly: list[str] = Field(default=[], description=WRONGLY)


class ProcessorFacts(BaseModel):
    """What CPUID tells of the processor; of another kind than x86-64, what its system tells."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    vendor: str = ""
    name: str = ""
    family: int = 0
    model: int = 0
    stepping: int = 0
    instruction_sets: list[str] = []
    caches: dict[str, int] = Field(default={}, description="{level: bytes}, as in L1d, L2, L3")


class NumericClass(BaseModel):
    """What the environment computes here for fixed kernels: docs/reference/numeric-class.md."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    version: int = Field(default=0, description="of the kernels; others are not compared")
    digest: Digest | None = Field(default=None, description="over all kernels; null: not known")
    kernels: Annotated[dict[str, KernelDigest | None], Field(max_length=MOST_KERNELS)] = Field(
        default={}, description="{kernel: digest}; null where it failed"
    )
    problems: dict[str, str] = Field(default={}, description="{kernel: why it failed}")
    problem: str | None = Field(default=None, description="why there is no class")
    processor: ProcessorFacts = ProcessorFacts()

    @property
    def is_whole(self) -> bool:
        """Whether there is a class, with every kernel in it."""
        return bool(self.digest) and all(self.kernels.values())

    @property
    def short(self) -> str:
        """The digest as it is shown, and as folders are named."""
        return (self.digest or "")[:SHORT_DIGITS]


class ArrayFacts(BaseModel):
    """An array's dtype, by name, and its shape."""

    model_config = ConfigDict(defer_build=True)

    dtype: str
    shape: list[int]


class Origin(BaseModel):
    """What a run's numbers come from: of its facts, those that a baseline keeps too."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    script: str = ""
    module: str | None = None
    modules: dict[str, str] = {}
    data: list[str] = []
    datasets: bool = False
    system_packages: list[str] = Field(default=[], description=SYSTEM)
    script_args: list[str] = []
    script_sha256: str | None
    recorder_sha256: str | None = None
    seed: int
    threads: int = 1
    processor: str | None = Field(default=None, description=PROCESSOR)
    ulps: int = 0
    planted: dict[str, str] = Field(default={}, description=PLANTED)
    hash_seed: int | None = None
    vary_own_seeds: bool = False
    portable: bool = False
    hermetic: bool = False
    portable_settings: dict[str, str] = {}
    portable_left_out: dict[str, str] = {}
    backend: str | None = None
    engine: str | None = None
    image: str | None = None
    base_image: str | None = Field(default=None, description=BASE_IMAGE)
    base_digest: str | None = Field(default=None, description=BASE_DIGEST)
    debian_packages: dict[str, str] = Field(default={}, description=DEBIAN)
    requirements_sha256: str | None = None
    extra_requirements_sha256: str | None = None
    keras: KerasFacts | None = None
    python: str = ""
    os: str = ""
    libc: str = ""
    machine: str = ""
    cpu: CpuFacts = CpuFacts()
    numeric_class: NumericClass | None = Field(default=None, description=CLASS)
    packages: dict[str, str] = {}
    environment: dict[str, str] = {}
    determinism: dict[str, Any] = {}

    @property
    def processor_in_words(self) -> str:
        """The processor, and that it was emulated where it was."""
        if self.processor is None:
            return self.cpu.model
        return f"{self.processor}, emulated by {self.cpu.emulated_by or 'QEMU'}"


class RunFacts(Origin):
    """``run.json``."""

    schema_version: int
    outcome: Literal["completed", "failed"]
    reason: str | None = None
    hint: str | None = None
    network: list[str] = []
    files: dict[str, int] = {}
    files_left_out: dict[str, str] = {}
    started: str
    durations: dict[str, float]
    steps: int = 0
    kernel: str = ""
    arrays: dict[str, ArrayFacts] = {}
    arrays_sha256: str | None = None
    summaries: dict[str, SummaryFacts] = Field(default={}, description=SUMMARIES)
    samples_sha256: str | None = Field(default=None, description=SAMPLES)
    not_recorded: dict[str, str] = {}
    planted_in: dict[str, str] = Field(default={}, description=PLANTED_IN)
    forked: bool = Field(default=False, description=FORKED)

    @property
    def completed(self) -> bool:
        """Whether the run is a good one."""
        return self.outcome == contract.COMPLETED


@dataclass(frozen=True)
class Run:
    """A run folder and its facts; the arrays are read when they are asked for."""

    folder: Path
    facts: RunFacts
    file: Held
    trail: TrailFile
    samples: Held

    @cached_property
    def arrays(self) -> Npz:
        """The arrays by name, not yet read. Raises UnreadableError."""
        return open_arrays(self.file, self.facts.arrays)

    @cached_property
    def all_arrays(self) -> dict[str, Kept]:
        """The arrays, and the summaries of those that are not kept. Raises UnreadableError."""
        return {**open_summaries(self.samples, self.facts.summaries), **self.arrays}

    @property
    def arrays_sha256(self) -> str | None:
        """The SHA-256 of the arrays' file, None where there is none. Raises UnreadableError."""
        return file_sha256(self.file)

    def check_arrays(self) -> None:
        """Raise UnreadableError where the arrays are damaged, or others than the run wrote."""
        path = self.arrays.path
        if self.arrays_sha256 != self.facts.arrays_sha256:
            raise UnreadableError(f"{path} is not what the run wrote; make the run again")
        if self.samples_edited:
            path = self.samples.path
            raise UnreadableError(f"{path} is not what the run wrote; make the run again")

    @property
    def samples_edited(self) -> bool:
        """Whether the samples are not those that the run wrote. Raises UnreadableError."""
        if not self.facts.summaries:
            return False
        return file_sha256(self.samples) != self.facts.samples_sha256


def run_folder(artifacts: Path, workload: str, backend: str) -> Path:
    """Return where the run of a workload on a backend lies."""
    return artifacts / workload / backend


def read_run(folder: Path) -> Run:
    """Return the completed or failed run in ``folder``.

    Raises:
        MissingError: there is none.
        UnreadableError: it is damaged, or of a newer schema than this keras-repro reads.
    """
    path = folder / contract.FACTS

    def read() -> Run:
        file = Held(folder / contract.ARRAYS)
        if not path.is_file():
            raise MissingError(f"no run in {folder}")
        trail = read_trail(folder)
        samples = Held(folder / contract.SAMPLES)
        return Run(folder, read_document(path, RunFacts), file, trail, samples)

    return together(folder, read, lambda: _is_aside(folder))


def last_run(folder: Path) -> Run:
    """Return the last run made for ``folder``: the failed one beside it where there is one."""
    failed = Path(contract.failed_folder(str(folder)))
    with suppress(MissingError):  # it goes where a good run takes its place
        return read_run(failed)
    return read_run(folder)


def _is_aside(folder: Path) -> bool:
    """Whether a training has moved the run in ``folder`` aside, to put another in its place."""
    place = str(folder)
    good = place.removesuffix(contract.FAILED_ENDING)  # beside it a failed one, too, is written
    staging = {contract.staging_folder(each) for each in (place, good)}
    return any(os.path.isdir(contract.aside(each)) for each in staging)


def open_arrays(
    file: Path | Held, index: dict[str, ArrayFacts], remedy: str = "make the run again"
) -> Npz:
    """Return the arrays of a run or a baseline by name; ``index`` is what its facts say of them.

    Raises:
        UnreadableError: the file is missing, truncated, no npz, or holds pickles.
    """
    return Npz(file, {name: facts.dtype for name, facts in index.items()}, remedy)
