"""What the present version does otherwise on purpose, each pointing into CHANGELOG.md.

An entry covers the differences of the cases that match a pattern, at the places that match another,
where they are just what it says. Every entry names a case in which it is to be seen. What ``check``
prints as text is put into its present form by ``line_by_line`` first.
"""

import re
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.old_version.differing import BESIDE, Difference, named


@dataclass(frozen=True)
class Intended:
    """A change on purpose.

    ``changelog`` are words of CHANGELOG.md. ``cases`` and ``what`` are shell patterns, of names of
    cases and of places that differ ("exit", "stdout", "written NAME: KEY"). ``is_just`` says
    whether a difference is what was intended and nothing else. ``seen_in`` is a case.
    """

    changelog: str
    cases: str
    what: str
    is_just: Callable[[Difference], bool]
    seen_in: str

    def covers(self, difference: Difference) -> bool:
        """Return whether a difference is this one."""
        return (
            fnmatchcase(difference.case, self.cases)
            and fnmatchcase(difference.what, self.what)
            and self.is_just(difference)
        )


def from_to(old: Any, new: Any) -> Callable[[Difference], bool]:
    """Return what asks for one value in place of another."""
    return lambda difference: (difference.old, difference.new) == (old, new)


def names_also(*tokens: str) -> Callable[[Difference], bool]:
    """Return what asks that prose names this besides, and all that it named."""
    return lambda difference: not difference.old and sorted(difference.new) == sorted(tokens)


def _names_a_line(difference: Difference) -> bool:
    """Return whether the number of a line is said besides."""
    return not difference.old and len(difference.new) == 1 and difference.new[0].isdecimal()


def _one_column_more(difference: Difference) -> bool:
    """Return whether a matrix in Markdown has a cell or two more a row, and all that it had."""
    return not difference.old and all(word[0] in "✅❌" for word in difference.new)


def loses(*tokens: str) -> Callable[[Difference], bool]:
    """Return what asks that prose leaves just this out."""
    return lambda difference: difference.old == list(tokens) and not difference.new


def _only_more(difference: Difference) -> bool:
    """Return whether a document has what was not there before."""
    return bool(difference.old == "no")


def _says_how_to_write_it(difference: Difference) -> bool:
    """Return whether there is one line more, with the command in its present spelling."""
    if difference.what == "stderr lines":
        return difference.new == difference.old + 1
    known = named(difference.command) | set(re.split(r"[\s'=]|\.\.", difference.command))
    known |= {"--backend", "--good", "--bad", "--output"}
    return difference.old in ([], ["--script-change"]) and set(difference.new) <= known


def _offers_options_besides(difference: Difference) -> bool:
    """Return whether a first configuration offers the keys of the new options, and all it did."""
    flags = {*NEW_OPTIONS, "--system-packages", "--planted"}  # as its keys are called
    flags -= {"--system-package", "--plant"}
    besides = {flag.removeprefix("--").replace("-", "_") for flag in flags}
    besides |= {"primary", '"costs/test"'}  # of ensembles, and a table of margins for each workload
    tables = {key for key in difference.old if key.endswith(".tolerances]")}
    besides |= {key.replace(".tolerances]", ".margins]") for key in tables}
    return sorted({*difference.old, *besides}) == sorted(difference.new)


def _names_the_first_link(difference: Difference) -> bool:
    """Return whether prose has the steps and figures of a first link in place of a guess."""
    said = [word for word in difference.new if word != "--backend"]
    return (
        set(difference.old) <= {"--prune", "0,"}  # the guess' step
        and bool(said)
        and all(re.fullmatch(r"[\d.]+,?|[\d.]+ -> [\d.]+\)", word) for word in said)
    )


def _names_too(*tokens: str, lost: str = "") -> Callable[[Difference], bool]:
    """Return what asks that prose names these, or loses that, besides a first link."""

    def is_just(difference: Difference) -> bool:
        named_too = set(tokens) <= set(difference.new)
        return _names_the_first_link(difference) and named_too and lost in (*difference.old, "")

    return is_just


def _says_how_large_the_trail_is(difference: Difference) -> bool:
    """Return whether accept names each trail.json besides, with its bytes."""
    names = [word for word in difference.new if word == "trail.json"]
    sizes = [word for word in difference.new if re.fullmatch(r"[\d,]+", word)]
    return not difference.old and len(names) == len(sizes) == len(difference.new) / 2 > 0


def _is_another_digest(difference: Difference) -> bool:
    """Return whether another digest stands in the place of one."""
    return all(re.fullmatch(r"[0-9a-f]{64}", str(x)) for x in (difference.old, difference.new))


NEW_COMMANDS = ("calibrate", "ensemble", "equivalent", "prune", "vary", "verify")
NEW_OPTIONS = (
    *("--array-limit", "--arrays-limit", "--hash-seed", "--hermetic", "--log-limit"),
    *("--no-data-statistics", "--plant", "--portable", "--processes-limit", "--processor"),
    *("--surroundings", "--system-package", "--ulps", "--vary-own-seeds"),
)
LIMITS = "`--processes-limit` and `--log-limit`"
BY_OPTION = "The backend is always given as `--backend NAME`"
CANNOT_LOCK = "Where the baselines cannot be locked, `accept` says so before it compares."
DURATIONS = "Durations were negative after a time limit or `os._exit`."
END_OF_INPUT = "`accept` at the end of its input said"
FINAL_COST = "`train` leaves the final cost empty where it is no finite number"
LINE = "`check` prints one line for each backend that passes."
MATRIX = "The parts of the matrix now include metrics with history, and a script's own arrays"
NOT_REPEATED = (
    "`accept` took a run that `train` had just reported as `NOT REPEATED`, without a word."
)
NO_SEED = (
    "`check` asked whether something in the script is unseeded where its own causes named a changed"
)
OWN_NAN = 'NaN in a script\'s own array whose name contains "costs" was reported as a training'
PARITY = "`parity.json` has a schema version of its own, 2"
PRUNE = "`keras-repro prune` removes what searches and previews kept."
SEARCHES = "`keras-repro bisect release`, `bisect day` and `bisect commit`"
SPELLINGS = "These spellings work for one release more, and print the new one:"
SEVERAL = "`bisect` that finds several changes says in one line how many, and where."
UNREPEATABLE = "`accept --unrepeatable` accepts a run that `train` reported as `NOT REPEATED`."
VERIFY = "`keras-repro verify` checks that a baseline is what was accepted"
HERMETIC = "`run.json` and `baseline.json` have both, as `hermetic` and"
TRAIL = "Each run keeps a trail, `trail.json`"
KEPT_TRAIL = "`accept` keeps `trail.json` beside the baseline and says how many bytes it adds"
FIRST_LINK = "name the first link that differs"
ORDER = "Arrays stand in `arrays.npz` in another order"
BASE = "`run.json` and `baseline.json` have the id and the digest of the base of the image"
SYSTEM = "`--system-package NAME`, and `system_packages` of a workload"
CLASS = "`run.json` and `baseline.json` have the [numeric class]"
PROCESSOR = "`--processor MODEL`, and `processor` of a workload"
NEW_SCHEMA = "Such runs and baselines have schema version 2."
ULPS = "`run.json` and `baseline.json` have both; older ones are read as before."
PORTABLE = "`run.json` has `portable`, `portable_settings` and `portable_left_out`."
OWN_SEEDS = "`--vary-own-seeds`, and `vary_own_seeds` of a workload"
PLANTED = "`calibrate` says by it the smallest change that is caught."
AT_ONCE = "A script that leaves by `os._exit(0)` is recorded as any other"
CHAIN = "Each acceptance in `baseline.json` carries the digest of the one before it"
DAMAGED = "What is damaged is said in words, of JSON from which line on"
BY_SEEDS = "`check --ensemble` decides on the last ensemble of every backend"

INTENDED = [
    *(
        Intended(MATRIX, f"{name}-markdown", "stdout", _one_column_more, f"{name}-markdown")
        for name in (
            "check-every-verdict",
            "check-rich-identical",
            "check-rich-all-drift",
            "check-own-array-drifts",
            "check-own-array-nan",
            "check-metric-drifts",
            "check-history-drifts",
            "check-second-model-drifts",
        )
    ),
    Intended(
        NO_SEED,
        "check-cause-*-near",
        "document: backends: 0: note",
        lambda difference: difference.old.startswith("close, but") and difference.new is None,
        "check-cause-variable-near",
    ),
    Intended(VERIFY, "help", "stdout", names_also(*NEW_COMMANDS), "help"),
    *(
        Intended(
            CHAIN,
            "*",
            f"written */baseline.json: history: *: {name}",
            lambda difference: difference.old == "no" and len(difference.new) == 64,
            "accept-same",
        )
        for name in ("arrays_sha256", "previous")
    ),
    *(
        Intended(BASE, "*", f"written */{document}.json: {name}", _only_more, seen_in)
        for document, seen_in in (("baseline", "accept-same"), ("run", "train-repeat"))
        for name in ("base_image", "base_digest", "debian_packages")
    ),
    *(
        Intended(HERMETIC, "*", f"written */{document}.json: {name}", _only_more, "train-net")
        for document in ("baseline", "run")
        for name in ("hermetic", "surroundings")
    ),
    Intended(TRAIL, "*", "written artifacts/*/trail.json", _only_more, "train-net"),
    Intended(KEPT_TRAIL, "*", "written baselines/*/trail.json", _only_more, "train-net"),
    Intended(
        KEPT_TRAIL, "*", "written baselines/*/baseline.json: trail_sha256", _only_more, "train-net"
    ),
    Intended(KEPT_TRAIL, "*", "stdout", _says_how_large_the_trail_is, "train-net"),
    Intended(FIRST_LINK, "*", "document: backends: *: trail", _only_more, "train-net"),
    Intended(FIRST_LINK, "bisect-*", "stdout", _names_the_first_link, "bisect-release"),
    Intended(FIRST_LINK, "train-repeat", "stdout", _names_the_first_link, "train-repeat"),
    Intended(FIRST_LINK, "upgrade-*", "stdout", _names_the_first_link, "upgrade-planted"),
    Intended(FIRST_LINK, "parity-*", "stdout", _names_the_first_link, "parity-parts"),
    # The arrays themselves are compared one by one.
    *(
        Intended(ORDER, "*", f"written */{name}: arrays_sha256", _is_another_digest, "train-net")
        for name in ("run.json", "baseline.json")
    ),
    *(
        Intended(why, "*", f"written */{document}.json: {name}", _only_more, seen_in)
        for why, name in ((SYSTEM, "system_packages"), (PROCESSOR, "processor"))
        for document, seen_in in (("baseline", "accept-same"), ("run", "train-repeat"))
    ),
    *(
        Intended(PROCESSOR, "*", f"written */baseline.json: cpu: {name}", _only_more, "accept-same")
        for name in ("emulated_by", "emulated_wrongly", "not_emulated")
    ),
    Intended(
        CLASS,
        "train-conditions",
        "document: backends: 0: causes",
        lambda difference: (
            difference.new[1:] == difference.old and difference.new[0]["fact"] == "numeric class"
        ),
        "train-conditions",
    ),
    # In these cases a newer document was one of version 2.
    *(
        Intended(NEW_SCHEMA, cases, "*", lambda difference: True, seen_in)
        for cases, seen_in in (
            ("check-newer-*", "check-newer-run-text"),
            ("compare-newer", "compare-newer"),
        )
    ),
    *(
        Intended(words, "*", f"written */{document}.json: {name}", _only_more, seen_in)
        for document, seen_in in (("baseline", "accept-same"), ("run", "train-repeat"))
        for words, name in (
            *((ULPS, "ulps"), (ULPS, "hash_seed"), (PORTABLE, "portable"), (PLANTED, "planted")),
            (OWN_SEEDS, "vary_own_seeds"),
            *((PORTABLE, "portable_*"),) * (document == "baseline"),
        )
    ),
    Intended(AT_ONCE, "train-failures", "exit", from_to(4, 0), "train-failures"),
    Intended(
        AT_ONCE,
        "train-failures",
        "stdout",
        lambda difference: difference.new == ["2", "4", "artifacts/my/theano"],
        "train-failures",
    ),
    Intended(
        AT_ONCE,
        "train-failures",
        "written artifacts/my/theano.failed/*",
        lambda difference: difference.new is None,
        "train-failures",
    ),
    Intended(
        AT_ONCE, "train-failures", "written artifacts/my/theano/*", _only_more, "train-failures"
    ),
    Intended(
        BY_SEEDS,
        "help-check",
        "stdout",
        names_also("--ensemble", "--verbose", "-v"),
        "help-check",
    ),
    *(
        Intended(DAMAGED, "check-damaged-cut-*", what, _names_a_line, "check-damaged-cut-facts")
        for what in ("stdout", "document: *problem")
    ),
    Intended(BY_SEEDS, "check-option-*", "stderr", names_also("--ensemble"), "check-option-14"),
    Intended(
        SEARCHES,
        "help-bisect",
        "stdout",
        lambda difference: set(difference.new) == {"commit", "day", "release"},
        "help-bisect",
    ),
    Intended(SEARCHES, "bisect-bad-0[01]", "stderr", names_also("--backend"), "bisect-bad-00"),
    Intended(SPELLINGS, "bisect-*", "stderr*", _says_how_to_write_it, "bisect-bad-11"),
    Intended(SPELLINGS, "upgrade-*", "stderr*", _says_how_to_write_it, "upgrade-bad-02"),
    Intended(BY_OPTION, "upgrade-bad-00", "stderr", names_also("--with"), "upgrade-bad-00"),
    Intended(
        LIMITS,
        "help-upgrade",
        "stdout",
        names_also("--backend", "--seeds", *NEW_OPTIONS),
        "help-upgrade",
    ),
    Intended(LIMITS, "help-train", "stdout", names_also(*NEW_OPTIONS), "help-train"),
    Intended(LIMITS, "help-parity", "stdout", names_also("--seeds", *NEW_OPTIONS), "help-parity"),
    Intended(LIMITS, "init-*", "written *: offers", _offers_options_besides, "init-empty"),
    Intended(
        UNREPEATABLE,
        "help-accept",
        "stdout",
        names_also("--for-this-class", "--unrepeatable"),
        "help-accept",
    ),
    *(
        Intended(CLASS, "*", f"written */{document}.json: numeric_class", _only_more, seen_in)
        for document, seen_in in (("baseline", "train-net"), ("run", "train-repeat"))
    ),
    Intended(END_OF_INPUT, "accept-asked-end", "exit", from_to(130, 2), "accept-asked-end"),
    Intended(END_OF_INPUT, "accept-asked-end", "stderr", names_also("--yes"), "accept-asked-end"),
    Intended(
        CANNOT_LOCK,
        "accept-cannot-write",
        "stdout",
        lambda difference: not difference.new,
        "accept-cannot-write",
    ),
    Intended(SPELLINGS, "project-bad", "stderr*", _says_how_to_write_it, "project-bad"),
    Intended(
        UNREPEATABLE,
        "train-repeat",
        "written artifacts/my/theano/not-repeated.json",
        from_to("no", {"schema_version": 1, "array": "costs/train"}),
        "train-repeat",
    ),
    Intended(NOT_REPEATED, "train-repeat", "exit", from_to(0, 1), "train-repeat"),
    Intended(
        NOT_REPEATED,
        "train-repeat",
        "stdout",
        lambda difference: not difference.new and "baselines/my/theano" in difference.old,
        "train-repeat",
    ),
    Intended(
        NOT_REPEATED,
        "train-repeat",
        "stderr*",
        lambda difference: difference.what == "stderr lines" or "--unrepeatable" in difference.new,
        "train-repeat",
    ),
    Intended(
        NOT_REPEATED,
        "train-repeat",
        "written baselines/my/theano/*",
        lambda difference: difference.new == "no",
        "train-repeat",
    ),
    # All of what a search prints stands in one difference.
    Intended(SEVERAL, "bisect-every", "stdout", _names_too("1.2", "1.4", "2"), "bisect-every"),
    Intended(BY_OPTION, "bisect-*", "stdout", _names_too("--backend"), "bisect-release"),
    Intended(PRUNE, "bisect-*", "stdout", _names_too(lost="--prune"), "bisect-release"),
    Intended(PRUNE, "bisect-*", "stdout", loses("--prune"), "bisect-release"),
    Intended(
        DURATIONS,
        "train-failures",
        "written artifacts/my/theano.failed/run.json: durations: script",
        from_to("negative", "<seconds>"),
        "train-failures",
    ),
    Intended(FINAL_COST, "train-failures", "stdout", loses("nan"), "train-failures"),
    Intended(PARITY, "parity-*", "written */parity.json: *", _only_more, "parity-agrees"),
    Intended(PARITY, "parity-*", "written */parity.npz: */weighing/*", _only_more, "parity-agrees"),
    Intended(OWN_NAN, "train-own-nan", "exit", from_to(4, 0), "train-own-nan"),
    Intended(
        OWN_NAN, "train-own-nan", "stdout", loses("0", "my/costs/first", "nan"), "train-own-nan"
    ),
    Intended(OWN_NAN, "accept-own-nan", "exit", from_to(4, 0), "accept-own-nan"),
    Intended(OWN_NAN, "accept-own-nan", "stderr*", lambda difference: True, "accept-own-nan"),
    Intended(
        OWN_NAN,
        "accept-own-nan",
        "stdout",
        lambda difference: not difference.old and "my/costs/first: nonfinite" in difference.new,
        "accept-own-nan",
    ),
    Intended(
        OWN_NAN,
        "accept-own-nan",
        "written baselines/regression/jax/*",
        lambda difference: difference.old == "no" and difference.new != "no",
        "accept-own-nan",
    ),
]

BACKENDS = ("tensorflow1", "theano", "jax", "tensorflow", "torch")
PASSING = {"identical", "close"}
OF_TABLE = re.compile(
    r"─|array\s|  likely cause:|  also different:|  the same bits|  \S+ (first )?differs "
)


def line_by_line(outcome: dict[str, Any], verbose: bool = False) -> dict[str, Any]:
    """Return an outcome of the old version with the text of its checks as it is now.

    Each backend has a line with its counts, and one that passes has nothing else but its note,
    unless ``verbose`` asks for its table. An upgrade prints every table.
    """
    outcome = deepcopy(outcome)
    for step in outcome["steps"]:
        line = step["command"]
        checks = re.search(r"keras-repro( --config \S+)? (check|upgrade)\b", line)
        if checks and "stdout" in step and "--format" not in line:
            table = verbose or checks[2] == "upgrade"
            step["stdout"] = _checked(step["stdout"], table, "--exact" in line)
    return outcome


def _checked(text: str, verbose: bool, exact: bool) -> str:
    """Return the text of a check, each backend's part in its present form."""
    said, part, close = [], [], False
    for line in text.splitlines():
        if line in BACKENDS or " backends as their baselines" in line or (part and not line):
            new, is_close = _of_backend(part, verbose, exact)
            said += new
            close |= is_close
            part = []
        if " backends as their baselines" in line:
            said.append(line + ("; -v shows what is close" if close else ""))
            close = False
        elif line in BACKENDS or part:
            part.append(line)
        else:
            said.append(line)
    return "\n".join(said)


def _of_backend(part: list[str], verbose: bool, exact: bool) -> tuple[list[str], bool]:
    """Return what is said of a backend, and whether it passes and is close, in a table unseen."""
    found = [match[2] for line in part if (match := BESIDE.match(line)) and "─" not in line]
    if not part or not found:
        return part, False
    counts = Counter(found)
    passes = set(counts) <= PASSING and not any(line.startswith(f"{part[0]}: ") for line in part)
    passes = passes and not (exact and counts["close"])
    summary = f"{sum(counts.values())} arrays"
    if set(counts) != {"identical"}:
        summary += ": " + ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    rest = part[1:]
    if passes and not verbose:
        rest = [line for line in rest if not BESIDE.match(line) and not OF_TABLE.match(line)]
    return [f"{part[0]}  {summary}", *rest], passes and not verbose and bool(counts["close"])
