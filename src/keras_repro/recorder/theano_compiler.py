"""Have g++ compile Theano's modules in less than half the time, to the same machine code.

Theano has g++ read the headers of Python and NumPy again for each module, and asks for what a
debugger needs (``GCC_compiler.compile_str``, theano/gof/cmodule.py, 1.0.5). Here the headers are
read once, into a precompiled one, and nothing is made for debuggers. g++ uses a precompiled header
only where the options of the code that it makes are the same, and else reads the plain one beside
it: https://gcc.gnu.org/onlinedocs/gcc/Precompiled-Headers.html. Neither is a part of Theano's keys.

    python -m keras_repro.recorder.theano_compiler FOLDER
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from types import ModuleType
from typing import Any, List, Sequence

from keras_repro.recorder import seeding

FOLDER = "KERAS_REPRO_THEANO_HEADERS"  # the variable that says where the headers are
HEADER = "theano.h"
# What every module includes first: DynamicModule, theano/gof/cmodule.py.
INCLUDED = (
    *("<Python.h>", "<iostream>", '"theano_mod_helper.h"', "<math.h>"),
    *("<numpy/arrayobject.h>", "<numpy/arrayscalars.h>"),
)
WITHOUT_DEBUGGING = "-g0"
OF_OPERATIONS = ("-O3", "-fno-math-errno")  # CLinker.compile_args, theano/gof/cc.py


def compile_quickly(theano: ModuleType) -> None:
    """Have each module compiled so from now on, where the headers are."""
    header = os.path.join(os.environ.get(FOLDER, ""), HEADER)
    compiler = theano.gof.cmodule.GCC_compiler
    if not os.path.isfile(header + ".gch"):
        return
    compile_str = compiler.compile_str

    def quickly(*args: Any, **kwargs: Any) -> Any:
        given = kwargs.get("preargs")
        if given is None or len(args) > 3:  # not as Theano itself calls it
            return compile_str(*args, **kwargs)
        with contextlib.suppress(Exception):  # a g++ that cannot map the header says so
            return compile_str(*args, **dict(kwargs, preargs=quick(given, header)))
        return compile_str(*args, **kwargs)

    compiler.compile_str = staticmethod(quickly)


def quick(options: Sequence[str], header: str) -> List[str]:
    """Return g++'s options with those that save time."""
    return [*options, WITHOUT_DEBUGGING, "-include", header]


def make_headers(folder: str) -> None:
    """Write the header, and what g++ makes of it, into a folder.

    Raises:
        OSError, subprocess.CalledProcessError: there is no g++, or it fails.
    """
    import theano  # noqa: PLC0415
    from theano.gof import cmodule  # noqa: PLC0415

    if not theano.config.cxx:
        raise OSError("Theano has found no g++")
    os.makedirs(folder, exist_ok=True)
    header = os.path.join(folder, HEADER)
    with open(header, "w", encoding="utf-8") as file:
        file.writelines("#include %s\n" % name for name in INCLUDED)
    options = [*OF_OPERATIONS, *cmodule.GCC_compiler.compile_args(), WITHOUT_DEBUGGING]
    options.append("-fvisibility=hidden")
    options += ["-I" + path for path in cmodule.std_include_dirs()]
    command = [theano.config.cxx, *options, "-x", "c++-header", "-o", header + ".gch", header]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


if __name__ == "__main__":
    given = os.environ.get("THEANO_FLAGS", "")
    os.environ["THEANO_FLAGS"] = ",".join(filter(None, [given, seeding.THEANO_FLAGS]))
    make_headers(sys.argv[1])
