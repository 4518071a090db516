"""Theano's g++ makes code for the processor that is emulated."""

import platform
import shutil
import subprocess

import pytest

from keras_repro.recorder import cpuid, seeding, theano_march

HASWELL = ["abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "pni", "popcnt"]
HASWELL += ["sse4_1", "sse4_2", "ssse3"]
NEHALEM = ["pni", "popcnt", "sse4_1", "sse4_2", "ssse3"]
MARCH = "-march=x86-64 -msse3 -mssse3 -msse4.1 -msse4.2 -mpopcnt"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", f"gcc.cxxflags={MARCH}"),
        ("floatX=float32", f"floatX=float32,gcc.cxxflags={MARCH}"),
        ("gcc.cxxflags=-march=native", f"gcc.cxxflags={MARCH}"),
        ("gcc.cxxflags=-O3 -march=native,device=cpu", f"gcc.cxxflags=-O3 {MARCH},device=cpu"),
        ("gcc.cxxflags=-O3", f"gcc.cxxflags=-O3 {MARCH}"),
        ("gcc.cxxflags=-march=nocona", "gcc.cxxflags=-march=nocona"),
        # The last wins.
        (
            f"{seeding.THEANO_FLAGS},gcc.cxxflags=-march=native",
            f"{seeding.THEANO_FLAGS},gcc.cxxflags={MARCH}",
        ),
        (seeding.THEANO_FLAGS, seeding.THEANO_FLAGS),
    ],
)
def test_what_would_have_it_ask_is_written_out(given, expected):
    assert theano_march.theano_flags(given, NEHALEM) == expected


def macros(*options):
    command = ["g++", *options, "-dM", "-E", "-x", "c++", "-"]
    done = subprocess.run(command, input="", capture_output=True, text=True, check=True)
    return {line.split()[1] for line in done.stdout.splitlines()}


needs_compiler = pytest.mark.skipif(
    shutil.which("g++") is None or platform.machine() != "x86_64", reason="no g++ for x86-64"
)


@needs_compiler
def test_the_compiler_takes_each_as_the_instruction_set_that_it_names():
    own = macros(*theano_march.march(HASWELL))
    assert {"__AVX2__", "__FMA__", "__F16C__", "__BMI2__", "__LZCNT__", "__MOVBE__"} <= own
    assert not [name for name in own if "AVX512" in name]
    assert "__AVX__" not in macros(*theano_march.march(NEHALEM))
    every = theano_march.march(list(theano_march.OPTIONS))
    assert len(every) == 1 + len(theano_march.OPTIONS)
    assert {"__AVX512F__", "__AVX512VL__", "__XOP__", "__SSE4A__"} <= macros(*every)


@needs_compiler
def test_on_this_machine_it_is_what_the_compiler_finds_out():
    known = {name for option in theano_march.OPTIONS.values() for name in [option.upper()]}
    native = {name.strip("_") for name in macros("-march=native")}
    own = {
        name.strip("_")
        for name in macros(*theano_march.march(cpuid.processor()["instruction_sets"]))
    }
    vectors = {name for name in known if name.startswith(("AVX", "SSE", "FMA", "F16C"))}
    assert own & vectors == native & vectors
