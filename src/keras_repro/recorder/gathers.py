"""Whether AVX2's gathers read where they should: QEMU 7.2's do not, by one register of sixteen.

In an address, 4 as the number of an index register says that there is none. In a gather's it is
xmm4 or ymm4 (Intel's Software Developer's Manual, volume 2A, "Vector SIB (VSIB) Memory
Addressing"), and QEMU 7.2 takes the indices from elsewhere. Numbers come out wrong by that, or the
process ends by SIGSEGV: so this is to be asked in a process of its own.
"""

from __future__ import annotations

import ctypes
import mmap

# f(table, found, indices): vmovdqu ymm4, [rdx]; vxorps ymm1, ymm1, ymm1;
# vcmpeqps ymm1, ymm1, ymm1; vgatherdps ymm3, [rdi+ymm4*4], ymm1; vmovups [rsi], ymm3;
# vzeroupper; ret
GATHER = bytes.fromhex("c5fe6f22 c5f457c9 c5f4c2c900 c4e275921ca7 c5fc111e c5f877 c3")
INDICES = (3, 0, 7, 1, 6, 2, 5, 4)


def are_right() -> bool:
    """Return whether a gather by ymm4 finds what it should; on a processor with AVX2 alone."""
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page[: len(GATHER)] = GATHER
    table = (ctypes.c_float * 8)(*range(8))
    found, indices = (ctypes.c_float * 8)(), (ctypes.c_int32 * 8)(*INDICES)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    words = [ctypes.addressof(array) for array in (table, found, indices)]
    ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3)(address)(*words)
    return tuple(found) == INDICES
