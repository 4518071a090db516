"""What the processor says of itself, executed here and read of made-up ones."""

import os
import platform
import subprocess
import sys

import pytest

from keras_repro.recorder import cpuid, facts
from keras_repro.recorder.cpuid import Registers
from tests.conftest import AS_DARWIN

LINUX = os.path.exists("/proc/cpuinfo") and not AS_DARWIN
AVX_512 = (1 << 5) | (1 << 16) | (1 << 31)  # of leaf 7's ebx: avx2, avx512f, avx512vl
MADE_UP = {
    (0, 0): Registers(7, 0x756E6547, 0x6C65746E, 0x49656E69),  # GenuineIntel, spread over three
    (1, 0): Registers(0x000806F8, 0x12345678, 1 << 28 | 1 << 27 | 1 << 12, 0),
    (7, 0): Registers(0, AVX_512, 0, 0),
    (4, 0): Registers(1 << 5 | 1, 11 << 22 | 63, 63, 0),
    (4, 1): Registers(2 << 5 | 3, 15 << 22 | 63, 2047, 0),
    (4, 2): Registers(0, 0, 0, 0),
}


def read(state, **changed):
    table = {**MADE_UP, **{tuple(map(int, name[1:].split("_"))): r for name, r in changed.items()}}
    asked = []

    def made_up(leaf, subleaf):
        asked.append(leaf)
        return table.get((leaf, subleaf), Registers(0, 0, 0, 0))

    found = cpuid.read(made_up, lambda: state)
    assert (
        max(leaf for leaf in asked if leaf < cpuid.EXTENDED) <= 7
    )  # what it does not have is junk
    return found


def test_vendor_model_and_caches():
    found = read(0xE7)
    assert (found["vendor"], found["family"], found["model"], found["stepping"]) == (
        ("GenuineIntel", 6, 0x8F, 8)
    )
    assert found["caches"] == {"L1d": 12 * 64 * 64, "L2": 16 * 64 * 2048}


def test_what_the_system_does_not_save_cannot_be_used():
    assert read(0xE7)["instruction_sets"] == ["avx", "avx2", "avx512f", "avx512vl", "fma"]
    assert read(0x07)["instruction_sets"] == ["avx", "avx2", "fma"]
    assert read(0x03)["instruction_sets"] == []
    assert read(0xE7)["leaves"] != read(0x07)["leaves"]


def test_a_processor_without_xgetbv_is_not_asked_for_it():
    without = MADE_UP[1, 0]._replace(ecx=1 << 9)

    def made_up(leaf, subleaf):
        return without if leaf == 1 else MADE_UP.get((leaf, subleaf), Registers(0, 0, 0, 0))

    def no_instruction():
        raise AssertionError("SIGILL")

    assert cpuid.read(made_up, no_instruction)["instruction_sets"] == ["ssse3"]


def test_the_number_of_the_core_is_no_part_of_it():
    assert read(7) == read(7, _1_0=MADE_UP[1, 0]._replace(ebx=0x99999999))
    assert read(7) != read(7, _7_0=MADE_UP[7, 0]._replace(ebx=1 << 5))


ON_X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="needs CPUID")


@ON_X86
@pytest.mark.skipif(not LINUX, reason="needs Linux' own reading")
def test_here_it_says_what_linux_says():
    found = cpuid.processor()
    assert found == cpuid.processor()
    assert found["name"] == facts.cpu_facts()["model"]
    known = {name for name, _ in cpuid.FLAGS.values()}
    flags = cpuid.without_cpuid()["instruction_sets"]
    assert set(found["instruction_sets"]) == known & set(flags)


@ON_X86
def test_a_system_that_forbids_the_instruction_kills_no_run():
    unknown = "cpuid.CPUID = b'\\x0f\\x0b'"  # an instruction that no processor has
    text = f"from keras_repro.recorder import cpuid; {unknown}; print(cpuid.processor())"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


@ON_X86
def test_nor_does_one_that_lets_no_page_be_executed(monkeypatch):
    def refuse():
        raise PermissionError(13, "no page can be executed")

    monkeypatch.setattr(cpuid, "_executable", refuse)
    assert cpuid.processor() is None


def test_elsewhere_the_flags_are_the_systems(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert cpuid.processor() is None
    found = cpuid.without_cpuid()
    assert set(found) == set(read(7))
    if LINUX:
        assert found["instruction_sets"]
