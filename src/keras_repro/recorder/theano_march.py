"""Have Theano's g++ make code for a processor that is emulated, and not for this machine's.

QEMU follows no ``exec``, so g++ runs on this machine's own processor. Where it is to ask which one
that is, it would make code that the emulated one does not run.
"""

from __future__ import annotations

import os
import re
from typing import Any, List

from keras_repro.recorder import cpuid

# {name in /proc/cpuinfo: g++'s option}: what g++ -march=native finds out, of what it makes code by.
OPTIONS = {
    **{"pni": "sse3", "ssse3": "ssse3", "sse4_1": "sse4.1", "sse4_2": "sse4.2", "avx": "avx"},
    **{"avx2": "avx2", "fma": "fma", "f16c": "f16c", "bmi1": "bmi", "bmi2": "bmi2"},
    **{"popcnt": "popcnt", "abm": "lzcnt", "movbe": "movbe", "fma4": "fma4", "xop": "xop"},
    **{"sse4a": "sse4a", "avx512f": "avx512f", "avx512bw": "avx512bw", "avx512cd": "avx512cd"},
    **{"avx512dq": "avx512dq", "avx512vl": "avx512vl"},
}
CXXFLAGS = re.compile(r"(gcc\.cxxflags=)([^,]*)")
NATIVE = re.compile(r"-march=native\b")


def compile_for_it() -> None:
    """Mend Theano's flags, in the script's process and before Theano reads them."""
    found = cpuid.processor()
    if found is not None:
        features = found["instruction_sets"]
        os.environ["THEANO_FLAGS"] = theano_flags(os.environ.get("THEANO_FLAGS", ""), features)


def theano_flags(given: str, features: List[str]) -> str:
    """Return Theano's flags without any that have g++ ask this machine's processor.

    That is what -march=native says, and what Theano does itself where there is no -march at all:
    ``GCC_compiler.compile_args`` in theano/gof/cmodule.py (1.0.5).
    """
    options = " ".join(march(features))

    def followed(match: Any) -> str:
        name, flags = match.groups()
        if "-march=" not in flags:
            flags = (flags + " -march=native").strip()
        return str(name + NATIVE.sub(options, flags))

    if not CXXFLAGS.search(given):
        given = ",".join(filter(None, [given, "gcc.cxxflags="]))
    return CXXFLAGS.sub(followed, given)


def march(features: List[str]) -> List[str]:
    """Return g++'s options for a processor that has these instruction sets and no other."""
    return ["-march=x86-64"] + ["-m" + OPTIONS[name] for name in OPTIONS if name in features]
