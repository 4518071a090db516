"""What to do next, in one line, where a script fails for a reason that its run gives it."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping, Optional

from keras_repro.recorder import lacking
from keras_repro.recorder.contract import OVER_LIMIT
from keras_repro.recorder.limits import in_words

# How Python and the frameworks say that there is no network.
NO_NETWORK = re.compile(
    r"Name or service not known|Temporary failure in name resolution|Network is unreachable"
    r"|URL fetch failure|URLError|getaddrinfo failed|Max retries exceeded|NameResolutionError"
)
CLOSED = re.compile(r"PermissionError: \[Errno 13\] Permission denied: '([^']*)'")
# What a container has besides the user's folders.
NOT_THE_USERS = ("/artifacts", "/cache", "/dev", "/etc", "/private", "/proc", "/root", "/sys")
# Arguments that Keras 2.3.1 takes, some with a warning, and that Keras 3 does not know.
OLD_ARGUMENTS = "lr|decay|nb_epoch|samples_per_epoch|nb_val_samples|border_mode|subsample|nb_filter"
OLD = re.compile(
    r"(?:Argument\(s\) not recognized: \{'|unexpected keyword argument ')(%s)'" % OLD_ARGUMENTS
)
MOST_NAMED = 5


def hint(
    reason: str, network: List[str], in_container: bool = False, datasets: bool = False
) -> Optional[str]:
    """Return what to do about a failure, or None where nothing is known.

    ``network`` lists what the script asked the network for; ``datasets`` says whether the caller
    had handed in the folder of Keras' data sets.
    """
    closed = CLOSED.search(reason)
    if in_container and closed and not closed.group(1).startswith(NOT_THE_USERS):
        return (
            "in a container the script is a user of its own, and reads what all may read: "
            "chmod -R o+rX what it needs"
        )
    if in_container and "No space left on device" in reason:
        return (
            "what a script writes lies in /tmp, and a container's holds 2 GB; KERAS_REPRO_TMP=8g "
            "for more"
        )
    if NO_NETWORK.search(reason):
        return about_network(network or ["something"], datasets)
    if lacking.is_lack(reason):
        return lacking.hint(reason, in_container)
    old = OLD.search(reason)
    if old:
        return (
            "%s is an argument of older releases of Keras: theano and tensorflow1 have Keras 2.3.1"
            % old.group(1)
        )
    if "Read-only file system" in reason:
        return (
            "it wrote outside the folder it runs in, or over a large file that is there; what it "
            "writes below that folder is kept, and /tmp is free"
        )
    outside = re.search(r"No such file or directory: '((?:/|~|\.\./)[^']*)'", reason)
    if outside:
        return "a run sees the present folder alone; hand in what lies elsewhere with --data DIR"
    return about_network(network, datasets)


def of_emulation(reason: str) -> Optional[str]:
    """Return what to do about a failure on an emulated processor, None where that is no matter."""
    if "SIGILL" in reason:
        return (
            "it met an instruction that the emulated processor does not have: of a library that "
            "does not ask, or of code made for this machine's processor (-march=native)"
        )
    if "SIGSEGV" in reason:
        return (
            "QEMU 7.2 gathers wrongly (cpu.emulated_wrongly in run.json), in oneDNN's tanh for "
            "AVX2 say; on tensorflow, --env TF_ENABLE_ONEDNN_OPTS=0 does without it"
        )
    if OVER_LIMIT in reason and "longer" in reason:
        return "an emulated processor is 10 times slower, or more; --time-limit gives it longer"
    return None


def visible(line: str) -> str:
    """Return a line in which nothing can end it or move the cursor: file names hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def about_network(network: List[str], datasets: bool = False) -> Optional[str]:
    """Return what to say of a script that asks the network for something, None where none does."""
    if not network:
        return None
    if datasets:
        return (
            "the script asked the network for %s, and containers have none: what --datasets names "
            "has no such file, or another one than the script expects by its hash"
            % (", ".join(network[:MOST_NAMED]))
        )
    return (
        "the script asked the network for %s, and containers have none; fetch it once yourself, "
        "then hand it in with --datasets ~/.keras/datasets, or with --data DIR"
        % (", ".join(network[:MOST_NAMED]))
    )


def about_files(left_out: Dict[str, str], limit: int) -> Optional[str]:
    """Return what to say of written files that were not kept, None where all were."""
    if not left_out:
        return None
    names = ["%s (%s)" % item for item in sorted(left_out.items())]
    more = ", and %d more" % (len(names) - MOST_NAMED) if len(names) > MOST_NAMED else ""
    return "not kept in files/, which holds at most %s (--files-limit): %s%s" % (
        in_words(limit),
        ", ".join(names[:MOST_NAMED]),
        more,
    )


def about_class(numeric_class: Optional[Mapping[str, Any]]) -> Optional[str]:
    """Return what to say of a numeric class that is not there, or not whole; None where it is."""
    if numeric_class is None:
        return None
    if numeric_class.get("problem"):
        return "the numeric class is not known: %s" % numeric_class["problem"]
    failed = ["%s (%s)" % item for item in sorted(numeric_class.get("problems", {}).items())]
    if not failed:
        return None
    return "not in the numeric class: %s" % ", ".join(failed[:MOST_NAMED])
