"""What the processor says of itself, as this process sees it."""

import platform
import re
from pathlib import Path

import pytest

from keras_repro.recorder import cpuid, facts
from tests.conftest import AS_DARWIN

CPUINFO = Path("/proc/cpuinfo")
ASKED = platform.machine() == "x86_64" and CPUINFO.is_file() and not AS_DARWIN
on_linux = pytest.mark.skipif(not ASKED, reason="no x86-64, or no /proc/cpuinfo to compare with")


def of_linux(name):
    return re.search(rf"^{name}\s*: (.*)$", CPUINFO.read_text(), re.MULTILINE).group(1)


@on_linux
def test_it_is_what_linux_says():
    known = {
        name
        for registers in cpuid.NAMES.values()
        for bits in registers.values()
        for name in bits.values()
    }
    # Linux leaves out what it was told to; no library can know.
    assert set(of_linux("flags").split()) & known <= set(cpuid.features())
    said = cpuid.identity()
    assert (said.vendor, said.brand) == (of_linux("vendor_id"), of_linux("model name"))
    numbers = [int(of_linux(name)) for name in ("cpu family", "model", "stepping")]
    assert [said.family, said.model, said.stepping] == numbers


@on_linux
def test_every_core_and_every_call_says_the_same():
    assert cpuid.leaves() == cpuid.leaves()
    assert cpuid.leaves()["1.0"][cpuid.EBX] >> 24 == 0  # where a core has its number


@on_linux
def test_every_instruction_set_that_a_run_tells_has_a_name():
    told = filter(facts.INSTRUCTION_SETS.fullmatch, of_linux("flags").split())
    assert set(told) <= set(cpuid.features())


def haswell():
    """Return what QEMU's Haswell says, but with AVX-512."""
    return {
        "1.0": [0x306C4, 0x800, 0xFED83203, 0xFCBFBFD],
        "7.0": [0, 0x7A9 | 1 << 16, 0, 0],
        "80000001.0": [0, 0, 0x21, 0],
    }


def test_what_no_system_saves_may_not_be_used():
    every = cpuid.named(haswell(), 0xE7)
    assert {"avx", "avx2", "fma", "f16c", "sse4_2", "abm", "avx512f"} <= set(every)
    assert "avx512f" not in cpuid.named(haswell(), 0x7)
    without = cpuid.named(haswell(), 0x3)
    assert not [name for name in without if name.startswith(("avx", "fma", "f16c"))]
    assert "sse4_2" in without


def test_another_machine_has_nothing_to_ask(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert (cpuid.leaves(), cpuid.features(), cpuid.identity()) == (None, None, None)


def test_a_system_that_executes_no_page_of_ours_is_not_asked(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError("execmem")

    monkeypatch.setattr(cpuid.mmap, "mmap", refuse)
    assert (cpuid.leaves(), cpuid.features(), cpuid.identity()) == (None, None, None)
