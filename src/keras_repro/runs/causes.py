"""What is different about two runs, ordered by how likely it is why their numbers differ."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from keras_repro.recorder.contract import CONDITIONS
from keras_repro.runs.classes import FACT, OF_THE_PROCESSOR, another_class, same_class
from keras_repro.runs.run import Origin

# What computes the numbers comes before what draws, stores or installs.
COMPUTING = (
    "keras",
    "theano",
    "tensorflow",
    "tensorflow-cpu",
    "jax",
    "jaxlib",
    "torch",
    "numpy",
    "scipy",
    "ml-dtypes",
)
# The same of Debian's: what makes Theano's code, and the libraries that it and the others call.
COMPUTING_OF_DEBIAN = re.compile(
    r"(g\+\+|gcc|cpp|binutils|libc6|libc-|libgcc|libstdc\+\+|libgomp|libquadmath|libgfortran).*"
)
NOTHING = "nothing recorded differs"
# What decides which numbers are computed, and not how they are rounded.
NOT_ROUNDING = (
    *("script", "script arguments", "seed", "the script's own seeds", "data", "datasets"),
    *("hermetic", "recorder"),
)


@dataclass(frozen=True)
class Cause:
    """One fact that differs: ``before`` of the baseline or first run, ``after`` of the other.

    ``says`` is what a person reads, where that is not the two with an arrow between.
    """

    fact: str
    before: str
    after: str
    says: str = ""

    def __str__(self) -> str:
        return self.says or f"{self.fact} {self.before} -> {self.after}"


def likely_causes(obtained: Origin, expected: Origin) -> list[Cause]:
    """Return the facts that differ, the likeliest cause first; none where nothing differs.

    The order: the numeric class, script, the modules beside it and its arguments, the conditions of
    the run, packages (what computes first), Keras' settings, Debian's compiler, image, Python,
    processor, determinism flags and environment variables, and what surrounds all that. Where the
    class is the same, the processor comes last.
    """
    another = another_class(obtained, expected)
    found = [] if another is None else [Cause(FACT, *another)]
    rest = [
        Cause(fact, _text(before), _text(after))
        for fact, before, after in _differences(obtained, expected)
        if before != after
    ]
    if same_class(obtained, expected):
        rest.sort(key=is_of_the_processor)
    return found + rest


def machine_causes(obtained: Origin, expected: Origin) -> list[Cause]:
    """Return the facts that differ but those of a processor that computes the same bits."""
    causes = likely_causes(obtained, expected)
    if not same_class(obtained, expected):
        return causes
    return [cause for cause in causes if not is_of_the_processor(cause)]


def is_of_the_processor(cause: Cause) -> bool:
    """Whether a fact is one of the processor alone."""
    return cause.fact in OF_THE_PROCESSOR


def rounding_causes(obtained: Origin, expected: Origin) -> list[Cause]:
    """Return those of the facts that differ which may have the same operations round otherwise.

    An image is none where its base and all packages in it are known: what it has besides is the
    recorder, which computes nothing. A processor is none where the numeric class is the same: two
    runs of one class are judged as on one machine.
    """
    both = (obtained, expected)
    is_told = all(facts.base_image and facts.debian_packages and facts.packages for facts in both)
    return [
        cause
        for cause in machine_causes(obtained, expected)
        if cause.fact not in NOT_ROUNDING
        and not cause.fact.startswith("module ")
        and not (cause.fact == "image" and is_told)
    ]


def _differences(obtained: Origin, expected: Origin) -> Iterator[tuple[str, Any, Any]]:
    def both(fact: str, attribute: str) -> tuple[str, Any, Any]:
        return fact, getattr(expected, attribute), getattr(obtained, attribute)

    def known(fact: str, attribute: str) -> Iterator[tuple[str, Any, Any]]:
        fact, before, after = both(fact, attribute)
        if before and after:  # older baselines do not tell all
            yield fact, before, after

    yield both("backend", "backend")
    yield _hashes("script", expected.script_sha256, obtained.script_sha256)
    for name in sorted({*expected.modules, *obtained.modules}):
        yield _hashes(f"module {name}", expected.modules.get(name), obtained.modules.get(name))
    yield both("script arguments", "script_args")
    yield from _conditions(obtained, expected, late=False)
    packages = list(_packages(obtained.packages, expected.packages))
    yield from packages
    yield from _by_name(*(_keras_settings(facts) for facts in (expected, obtained)))
    if not packages:
        yield _hashes("lock", expected.requirements_sha256, obtained.requirements_sha256)
        yield _hashes(
            "extra packages",
            expected.extra_requirements_sha256,
            obtained.extra_requirements_sha256,
        )
    yield from _debian_packages(obtained, expected, computing=True)
    if expected.image and obtained.image:  # a bare `docker compose run` does not know its own
        yield _hashes("image", expected.image, obtained.image)
    if expected.base_image and obtained.base_image:
        yield _hashes("base image", expected.base_image, obtained.base_image)
    yield from known("python", "python")
    yield both("processor", "processor_in_words")
    yield from _instruction_sets(obtained, expected)
    yield from known("machine", "machine")
    yield from _conditions(obtained, expected, late=True)
    yield "cores", expected.cpu.cores, obtained.cpu.cores
    yield from _by_name(expected.determinism, obtained.determinism)
    yield from _by_name(_variables(expected.environment), _variables(obtained.environment))
    yield from _by_name(*(_left_out(facts) for facts in (expected, obtained)))
    yield both("engine", "engine")
    yield from known("operating system", "os")
    yield from known("libc", "libc")
    yield from _debian_packages(obtained, expected, computing=False)
    if expected.recorder_sha256 and obtained.recorder_sha256:
        yield _hashes("recorder", expected.recorder_sha256, obtained.recorder_sha256)


def _conditions(
    obtained: Origin, expected: Origin, *, late: bool
) -> Iterator[tuple[str, Any, Any]]:
    for condition in CONDITIONS:
        if condition.name == "processor":  # named with this machine's
            continue
        if condition.is_fact and condition.is_late is late:
            yield condition.in_words, condition.recorded(expected), condition.recorded(obtained)


def _left_out(facts: Origin) -> dict[str, str]:
    """Return of which libraries the portable settings did not work."""
    return {f"portable {name}": f"left out: {why}" for name, why in facts.portable_left_out.items()}


def _keras_settings(facts: Origin) -> dict[str, Any]:
    """Return what keras.json and the script set; the version is a package's."""
    known = {} if facts.keras is None else facts.keras.model_dump(exclude={"version"})
    return {f"keras.{name}": value for name, value in known.items()}


def _packages(
    obtained: Mapping[str, str], expected: Mapping[str, str]
) -> Iterator[tuple[str, Any, Any]]:
    names = sorted({*obtained, *expected})
    names.sort(key=lambda name: COMPUTING.index(name) if name in COMPUTING else len(COMPUTING))
    for name in names:
        before, after = (packages.get(name, "absent") for packages in (expected, obtained))
        if before != after:
            yield name, before, after


def _debian_packages(
    obtained: Origin, expected: Origin, *, computing: bool
) -> Iterator[tuple[str, Any, Any]]:
    there, before = obtained.debian_packages, expected.debian_packages
    if obtained.engine != expected.engine:  # without an image, it tells of what the script needs
        there = {name: version for name, version in there.items() if name in before}
        before = {name: version for name, version in before.items() if name in there}
    if there and before:  # older runs and baselines do not tell
        for name, was, now in _packages(there, before):
            if bool(COMPUTING_OF_DEBIAN.fullmatch(name)) is computing:
                yield f"Debian's {name}", was, now


def _instruction_sets(obtained: Origin, expected: Origin) -> Iterator[tuple[str, Any, Any]]:
    before, after = (set(facts.cpu.instruction_sets) for facts in (expected, obtained))
    if before != after:
        lost, gained = (" ".join(sorted(those)) for those in (before - after, after - before))
        parts = [("with ", lost, "without "), ("without ", gained, "with ")]
        yield (
            "instruction sets",
            ", ".join(was + names for was, names, _ in parts if names),
            ", ".join(now + names for _, names, now in parts if names),
        )


def _by_name(
    expected: Mapping[str, Any], obtained: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted({*expected, *obtained}):
        yield name, expected.get(name, "not set"), obtained.get(name, "not set")


def _variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without what carries the image's own name."""
    return {
        name: re.sub(r"(^|,)compiledir=[^,]*", "", value).strip(",")
        for name, value in environment.items()
        if name != "PYTHONHASHSEED"  # the seed, which is named already
    }


def _hashes(fact: str, before: str | None, after: str | None) -> tuple[str, Any, Any]:
    if before == after:
        return fact, "", ""
    return fact, _short(before), _short(after)


def _short(digest: str | None) -> str:
    return (digest or "none").removeprefix("sha256:")[:12]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)
