"""What the processor says of itself: the instruction CPUID, executed, on x86-64.

``/proc/cpuinfo`` is the host's where a processor is emulated, and a processor's name tells neither
what a virtual machine lets through nor which caches it has. What CPUID tells is described in
Intel's Software Developer's Manual, volume 2A, "CPUID", and in AMD's Architecture Programmer's
Manual, volume 3, appendix E. ``python -m keras_repro.recorder.cpuid`` prints it as JSON.
"""

from __future__ import annotations

import ctypes
import functools
import json
import mmap
import os
import platform
import signal
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

X86_64 = ("x86_64", "AMD64", "amd64")
# As functions of the System V ABI. cpuid(leaf, subleaf, four numbers of 32 bits to fill):
# push rbx; mov r8, rdx; mov eax, edi; mov ecx, esi; cpuid; mov [r8], eax; mov [r8+4], ebx;
# mov [r8+8], ecx; mov [r8+12], edx; pop rbx; ret
CPUID = bytes.fromhex("53 4989d0 89f8 89f1 0fa2 418900 41895804 41894808 4189500c 5b c3")
# xgetbv(): xor ecx, ecx; xgetbv; shl rdx, 32; or rax, rdx; ret
XGETBV = bytes.fromhex("31c9 0f01d0 48c1e220 4809d0 c3")
PAGE = 4096
EXTENDED = 0x80000000
MOST_CACHES = 16
LONGEST = 1 << 16
# Bits of XCR0: which registers the operating system saves, without which no program may use them.
AVX_STATE, AVX512_STATE, AMX_STATE = 0x6, 0xE6, 0x60000
# (leaf, subleaf, register, bit): the name that Linux has for it, and the state that it needs.
# What numerical libraries, compilers and the C library choose code by.
FLAGS: Dict[Tuple[int, int, str, int], Tuple[str, int]] = {
    (1, 0, "ecx", 0): ("pni", 0),
    (1, 0, "ecx", 9): ("ssse3", 0),
    (1, 0, "ecx", 12): ("fma", AVX_STATE),
    (1, 0, "ecx", 19): ("sse4_1", 0),
    (1, 0, "ecx", 20): ("sse4_2", 0),
    (1, 0, "ecx", 22): ("movbe", 0),
    (1, 0, "ecx", 23): ("popcnt", 0),
    (1, 0, "ecx", 28): ("avx", AVX_STATE),
    (1, 0, "ecx", 29): ("f16c", AVX_STATE),
    (7, 0, "ebx", 3): ("bmi1", 0),
    (7, 0, "ebx", 5): ("avx2", AVX_STATE),
    (7, 0, "ebx", 8): ("bmi2", 0),
    (7, 0, "ebx", 16): ("avx512f", AVX512_STATE),
    (7, 0, "ebx", 17): ("avx512dq", AVX512_STATE),
    (7, 0, "ebx", 21): ("avx512ifma", AVX512_STATE),
    (7, 0, "ebx", 28): ("avx512cd", AVX512_STATE),
    (7, 0, "ebx", 30): ("avx512bw", AVX512_STATE),
    (7, 0, "ebx", 31): ("avx512vl", AVX512_STATE),
    (7, 0, "ecx", 1): ("avx512vbmi", AVX512_STATE),
    (7, 0, "ecx", 6): ("avx512_vbmi2", AVX512_STATE),
    (7, 0, "ecx", 11): ("avx512_vnni", AVX512_STATE),
    (7, 0, "ecx", 12): ("avx512_bitalg", AVX512_STATE),
    (7, 0, "ecx", 14): ("avx512_vpopcntdq", AVX512_STATE),
    (7, 0, "edx", 8): ("avx512_vp2intersect", AVX512_STATE),
    (7, 0, "edx", 22): ("amx_bf16", AMX_STATE),
    (7, 0, "edx", 23): ("avx512_fp16", AVX512_STATE),
    (7, 0, "edx", 24): ("amx_tile", AMX_STATE),
    (7, 0, "edx", 25): ("amx_int8", AMX_STATE),
    (7, 1, "eax", 4): ("avx_vnni", AVX_STATE),
    (7, 1, "eax", 5): ("avx512_bf16", AVX512_STATE),
    (7, 1, "eax", 21): ("amx_fp16", AMX_STATE),
    (7, 1, "eax", 23): ("avx_ifma", AVX_STATE),
    (EXTENDED + 1, 0, "ecx", 5): ("abm", 0),
    (EXTENDED + 1, 0, "ecx", 6): ("sse4a", 0),
    (EXTENDED + 1, 0, "ecx", 11): ("xop", AVX_STATE),
    (EXTENDED + 1, 0, "ecx", 16): ("fma4", AVX_STATE),
}
# What of a leaf is the same on every core and at every time: masks of eax, ebx, ecx and edx.
ALL, NONE = 0xFFFFFFFF, 0
STABLE = {
    (1, 0): (ALL, NONE, ALL, ALL),  # ebx has the core's own number
    (7, 0): (NONE, ALL, ALL, ALL),
    (7, 1): (ALL, ALL, ALL, ALL),
    (0xD, 0): (ALL, NONE, NONE, ALL),
    (0xD, 1): (ALL, NONE, NONE, NONE),
    (0x1D, 1): (ALL, ALL, ALL, NONE),  # of AMX
    (0x1E, 0): (NONE, ALL, NONE, NONE),
    (0x24, 0): (NONE, ALL, NONE, NONE),  # of AVX10
    (EXTENDED + 1, 0): (NONE, NONE, ALL, ALL),
    (EXTENDED + 8, 0): (NONE, ALL, NONE, NONE),
}
_held: List[Any] = []
CACHE_TYPES = {1: "L%dd", 2: "L%di", 3: "L%d"}


class Registers(NamedTuple):
    """What CPUID leaves in four registers, 32 bits each."""

    eax: int
    ebx: int
    ecx: int
    edx: int


Cpuid = Callable[[int, int], Registers]


def processor() -> Optional[Dict[str, Any]]:
    """Return what CPUID tells of the processor; None where it cannot be asked.

    ``vendor`` and ``name``; ``family``, ``model`` and ``stepping``; ``instruction_sets`` by Linux's
    names, of those that the operating system lets programs use; ``caches``, {level: bytes} as
    {"L1d": 49152, "L2": 2097152}; and ``leaves``, all that numerical libraries may choose kernels
    by: {"leaf.subleaf": [eax, ebx, ecx, edx]} without what differs from core to core.

    It is asked in a fork: a kernel that forbids the instruction kills who executes it.
    """
    if platform.machine() not in X86_64 or not hasattr(os, "fork"):
        return None
    try:
        return _of_fork()
    except (OSError, ValueError):
        return None


def _of_fork() -> Optional[Dict[str, Any]]:
    reading, writing = os.pipe()
    number = os.fork()
    if number == 0:
        status = 1
        try:
            signal.alarm(10)
            os.close(reading)
            os.write(writing, json.dumps(read(*_executable())).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            answer = pipe.read(LONGEST)
    finally:
        _, status = os.waitpid(number, 0)
    return json.loads(answer.decode()) if status == 0 else None


def _executable() -> Tuple[Cpuid, Callable[[], int]]:
    """Return functions that execute CPUID and XGETBV. Raises OSError."""
    # Never writable and executable at once, which some kernels forbid.
    page = mmap.mmap(-1, PAGE)
    page.write(CPUID.ljust(64, b"\xc3") + XGETBV)
    _held.append(ctypes.c_char.from_buffer(page))  # or the page goes
    address = ctypes.addressof(_held[-1])
    libc = ctypes.CDLL(None, use_errno=True)
    readable, executable = 1, 4
    if libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(PAGE), readable | executable):
        raise OSError(ctypes.get_errno(), "no page can be executed")
    number = ctypes.c_uint32
    call = ctypes.CFUNCTYPE(None, number, number, ctypes.POINTER(number))(address)
    xgetbv = ctypes.CFUNCTYPE(ctypes.c_uint64)(address + 64)

    def cpuid(leaf: int, subleaf: int) -> Registers:
        out = (number * 4)()
        call(leaf, subleaf, out)
        return Registers(*out)

    return cpuid, lambda: int(xgetbv())


def read(cpuid: Cpuid, xgetbv: Callable[[], int]) -> Dict[str, Any]:
    """Return what ``processor`` does, of any processor that can be asked like this."""
    most, most_extended = cpuid(0, 0), cpuid(EXTENDED, 0).eax

    @functools.lru_cache(None)  # each is a way out of a virtual machine and back
    def known(leaf: int, subleaf: int) -> Registers:
        last = most_extended if leaf >= EXTENDED else most.eax
        if leaf > last or (leaf == 7 and subleaf > cpuid(7, 0).eax):
            return Registers(0, 0, 0, 0)
        return cpuid(leaf, subleaf)

    first = known(1, 0)
    saves_state = first.ecx >> 27 & 1  # else XGETBV is no instruction
    state = xgetbv() if saves_state else 0
    leaves = {
        "%x.%x" % leaf: [value & mask for value, mask in zip(known(*leaf), masks)]
        for leaf, masks in STABLE.items()
    }
    leaves["xcr0"] = [state & ALL]
    family, model = first.eax >> 8 & 15, first.eax >> 4 & 15
    if family in (6, 15):
        model += (first.eax >> 16 & 15) << 4
    if family == 15:
        family += first.eax >> 20 & 255
    return {
        "vendor": _text(_words(most.ebx, most.edx, most.ecx)),
        "name": _name(known) if most_extended >= EXTENDED + 4 else "",
        "family": family,
        "model": model,
        "stepping": first.eax & 15,
        "instruction_sets": sorted(
            name
            for (leaf, subleaf, register, bit), (name, needed) in FLAGS.items()
            if getattr(known(leaf, subleaf), register) >> bit & 1 and state & needed == needed
        ),
        "caches": _caches(known),
        "leaves": leaves,
    }


def _name(known: Cpuid) -> str:
    return _text(b"".join(_words(*known(EXTENDED + 2 + part, 0)) for part in range(3)))


def _caches(known: Cpuid) -> Dict[str, int]:
    """Return {level: bytes} of the caches; the two vendors tell them in the same form."""
    for leaf in (4, EXTENDED + 0x1D):
        found: Dict[str, int] = {}
        for number in range(MOST_CACHES):
            kind, sizes, sets, _ = known(leaf, number)
            name = CACHE_TYPES.get(kind & 31)
            if name is None:
                break
            ways, parts, line = sizes >> 22 & 0x3FF, sizes >> 12 & 0x3FF, sizes & 0xFFF
            found[name % (kind >> 5 & 7)] = (ways + 1) * (parts + 1) * (line + 1) * (sets + 1)
        if found:
            return found
    return {}


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def _text(content: bytes) -> str:
    text = content.split(b"\0")[0].decode("ascii", "replace")
    return " ".join("".join(c if c.isprintable() else "?" for c in text).split())


def without_cpuid() -> Dict[str, Any]:
    """Return what the operating system tells of a processor that has no CPUID, in the same form.

    Its flags are those of ``/proc/cpuinfo``; on macOS, sysctl(8) is not asked: its name has to do.
    """
    fields: Dict[str, str] = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                name, _, value = line.partition(":")
                fields.setdefault(name.strip(), value.strip())
    except OSError:
        pass
    told = ("CPU implementer", "CPU variant", "CPU part", "CPU revision", "Features", "flags")
    leaves: Dict[str, List[str]] = {name: [fields[name]] for name in told if name in fields}
    leaves["processor"] = [platform.processor()]
    flags = fields.get("Features", fields.get("flags", "")).split()
    return {
        "vendor": fields.get("CPU implementer", fields.get("vendor_id", "")),
        "name": fields.get("model name", platform.processor()),
        "family": 0,
        "model": 0,
        "stepping": 0,
        "instruction_sets": sorted(flags),
        "caches": {},
        "leaves": leaves,
    }


if __name__ == "__main__":
    print(json.dumps(processor() or without_cpuid()))
