"""What the processor says of itself: CPUID, as this very process sees it.

/proc/cpuinfo is the host's also where QEMU emulates another processor; libraries ask CPUID which
kernels to use, and so does this. On x86-64 alone; elsewhere there is nothing to ask, and every
answer is None. The instruction is executed from a page of memory: Intel's Software Developer's
Manual, volume 2A, "CPUID" and "XGETBV"; AMD's Architecture Programmer's Manual, volume 3, appendix
E. The standard library alone, on Python 3.7.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import struct
import sys
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

# f(leaf, subleaf, four words): push rbx; mov r8, rdx; mov eax, edi; mov ecx, esi; cpuid;
# mov [r8], eax; mov [r8+4], ebx; mov [r8+8], ecx; mov [r8+12], edx; pop rbx; ret
CPUID = bytes.fromhex("53 49 89 d0 89 f8 89 f1 0f a2 41 89 00 41 89 58 04 41 89 48 08 41 89 50 0c")
CPUID += bytes.fromhex("5b c3")
# f(register): mov ecx, edi; xgetbv; shl rdx, 32; or rax, rdx; ret
XGETBV = bytes.fromhex("89 f9 0f 01 d0 48 c1 e2 20 48 09 d0 c3")
XGETBV_AT = 64

EAX, EBX, ECX, EDX = range(4)
# {leaf: {register: {bit: name}}}; the names are those of /proc/cpuinfo. What numerical libraries,
# compilers and the C library choose code by.
NAMES: Dict[str, Dict[int, Dict[int, str]]] = {
    "1.0": {
        ECX: {
            **{0: "pni", 1: "pclmulqdq", 9: "ssse3", 12: "fma", 19: "sse4_1", 20: "sse4_2"},
            **{22: "movbe", 23: "popcnt", 25: "aes", 28: "avx", 29: "f16c"},
        },
        EDX: {15: "cmov", 23: "mmx", 25: "sse", 26: "sse2"},
    },
    "7.0": {
        EBX: {
            **{3: "bmi1", 4: "hle", 5: "avx2", 8: "bmi2", 9: "erms", 11: "rtm", 16: "avx512f"},
            **{17: "avx512dq", 19: "adx", 21: "avx512ifma", 26: "avx512pf", 27: "avx512er"},
            **{28: "avx512cd", 29: "sha_ni", 30: "avx512bw", 31: "avx512vl"},
        },
        ECX: {
            **{1: "avx512vbmi", 6: "avx512_vbmi2", 8: "gfni", 9: "vaes", 10: "vpclmulqdq"},
            **{11: "avx512_vnni", 12: "avx512_bitalg", 14: "avx512_vpopcntdq"},
        },
        EDX: {
            **{2: "avx512_4vnniw", 3: "avx512_4fmaps", 4: "fsrm", 8: "avx512_vp2intersect"},
            **{22: "amx_bf16", 23: "avx512_fp16", 24: "amx_tile", 25: "amx_int8"},
        },
    },
    "7.1": {EAX: {4: "avx_vnni", 5: "avx512_bf16"}},
    "80000001.0": {ECX: {5: "abm", 6: "sse4a", 11: "xop", 16: "fma4"}},
}
# What the operating system has to save of a thread (XCR0), for a name that begins so.
STATES = (("avx512", 0xE6), ("amx", 0x60000), ("avx", 0x6), ("fma", 0x6), ("f16c", 0x6))
XSAVE_IN_USE = 27  # the bit of leaf 1's ecx that lets a program read XCR0
# Leaves that have several subleaves, and the last that is looked at: caches, features, caches of
# AMD's.
SUBLEAVES = {0x4: 7, 0x7: 1, 0x8000001D: 7}
LEAVES = (0x0, 0x1, 0x2, 0x4, 0x7, 0x80000000, 0x80000001, 0x80000002, 0x80000003, 0x80000004) + (
    (0x80000005, 0x80000006, 0x8000001D)
)


class Identity(NamedTuple):
    """Who made the processor, its name, and the numbers of its family, model and stepping."""

    vendor: str
    brand: str
    family: int
    model: int
    stepping: int


def _page() -> Optional[Any]:
    """Return a page that holds both functions; None where there is none to be had."""
    if platform.machine().lower() not in ("x86_64", "amd64") or struct.calcsize("P") != 8:
        return None
    if not hasattr(mmap, "PROT_EXEC") or sys.platform == "win32":  # another calling convention
        return None
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except (OSError, ValueError):  # a system that lets nobody write what is to be executed
        return None
    page[: len(CPUID)] = CPUID
    page[XGETBV_AT : XGETBV_AT + len(XGETBV)] = XGETBV
    return page


def _address(page: Any) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(page))


def _ask(page: Any, leaf: int, subleaf: int) -> List[int]:
    words = (ctypes.c_uint32 * 4)()
    kind = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p)
    kind(_address(page))(leaf, subleaf, ctypes.addressof(words))
    return list(words)


def leaves() -> Optional[Dict[str, List[int]]]:
    """Return {"leaf.subleaf", in hexadecimal: [eax, ebx, ecx, edx]}; None where nothing can tell.

    The number of the core that is asked is left out, so that every core says the same.
    """
    page = _page()
    if page is None:
        return None
    found: Dict[str, List[int]] = {}
    last = {0: _ask(page, 0, 0)[EAX], 0x80000000: _ask(page, 0x80000000, 0)[EAX]}
    for leaf in LEAVES:
        if leaf > last[leaf & 0x80000000]:
            continue
        for subleaf in range(SUBLEAVES.get(leaf, 0) + 1):
            words = _ask(page, leaf, subleaf)
            if leaf == 1:
                words[EBX] &= 0x00FFFFFF
            if any(words):
                found["%x.%x" % (leaf, subleaf)] = words
    return found


def _saved(said: Dict[str, List[int]]) -> int:
    """Return which registers the operating system saves: XCR0."""
    page = _page()
    if page is None or not said.get("1.0", [0] * 4)[ECX] >> XSAVE_IN_USE & 1:
        return 0
    kind = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint32)
    return int(kind(_address(page) + XGETBV_AT)(0))


def features() -> Optional[List[str]]:
    """Return the instruction sets that this process may use, sorted, as /proc/cpuinfo names them.

    None where nothing can tell. What the operating system does not save of a thread may not be
    used, and is left out.
    """
    said = leaves()
    return None if said is None else named(said, _saved(said))


def named(said: Dict[str, List[int]], saved: int) -> List[str]:
    """Return the instruction sets of what ``leaves`` and XCR0 say."""
    found = []
    for leaf, registers in NAMES.items():
        for register, bits in registers.items():
            word = said.get(leaf, [0, 0, 0, 0])[register]
            found += [name for bit, name in bits.items() if word >> bit & 1]
    return sorted(name for name in found if needs(name) & saved == needs(name))


def needs(name: str) -> int:
    """Return the bits of XCR0 without which an instruction set may not be used."""
    return next((state for start, state in STATES if name.startswith(start)), 0)


def identity() -> Optional[Identity]:
    """Return who the processor says it is; None where nothing can tell."""
    said = leaves()
    if said is None:
        return None
    _, b, c, d = said["0.0"]
    signature = said["1.0"][EAX]
    family, model = signature >> 8 & 0xF, signature >> 4 & 0xF
    if family in (6, 15):
        model += (signature >> 16 & 0xF) << 4
    if family == 15:
        family += signature >> 20 & 0xFF
    brand = _text(*(word for leaf in (2, 3, 4) for word in said.get("8000000%d.0" % leaf, ())))
    return Identity(_text(b, d, c), brand, family, model, signature & 0xF)


def _text(*words: int) -> str:
    text: Tuple[bytes, ...] = tuple(struct.pack("<I", word) for word in words)
    return b"".join(text).partition(b"\0")[0].decode("ascii", "replace").strip()
