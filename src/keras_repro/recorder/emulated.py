"""Another processor, emulated: the script's process is started under QEMU's user mode.

QEMU follows no ``exec``. The recorder's own process stays as it is and starts QEMU with Python in
it; what the script itself starts runs on this machine's processor again. A fork stays.
https://www.qemu.org/docs/master/user/main.html
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from typing import Any, Dict, List, NamedTuple

from keras_repro.recorder.contract import QEMU
from keras_repro.recorder.facts import INSTRUCTION_SETS

ASK = (
    "import json, sys; sys.path[0] = %r; from keras_repro.recorder import cpuid; "
    "print(json.dumps(cpuid.processor()))"
)
ASK_GATHERS = (
    "import sys; sys.path[0] = %r; from keras_repro.recorder import gathers; "
    "sys.exit(0 if gathers.are_right() else 1)"
)
PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# "warning: TCG doesn't support requested feature: CPUID.07H:EBX.avx512f [bit 16]"
NOT_EMULATED = re.compile(r"doesn't support requested feature: CPUID\.[^.\s]+\.(\S+) \[bit")

GATHERS = "gathers by xmm4 or ymm4 (AVX2)"


class EmulationError(Exception):
    """A processor cannot be emulated here; the message says why, in one line."""


class Processor(NamedTuple):
    """What to start Python with, and what the emulated processor is found to be.

    ``model`` is QEMU's name, ``brand`` what the processor calls itself, ``instruction_sets`` what
    a process finds there, ``cpuid`` all that CPUID says there, ``not_emulated`` what a real one has
    besides, as QEMU names it, and ``emulated_wrongly`` which instructions are known to compute
    something else.
    """

    command: List[str]
    model: str
    qemu: str
    brand: str
    instruction_sets: List[str]
    cpuid: Dict[str, Any]
    not_emulated: List[str]
    emulated_wrongly: List[str]

    def facts(self) -> Dict[str, Any]:
        """Return what ``run.json`` says of it, in place of this machine's."""
        return {
            "model": self.brand,
            "instruction_sets": list(filter(INSTRUCTION_SETS.fullmatch, self.instruction_sets)),
            "emulated_by": self.qemu,
            "not_emulated": self.not_emulated,
            "emulated_wrongly": self.emulated_wrongly,
        }


def processor(model: str) -> Processor:
    """Return a processor by QEMU's name for it, once it was started. Raises EmulationError."""
    program = shutil.which(QEMU)
    if program is None and os.environ.get("KERAS_REPRO_ENGINE") == "docker":
        raise EmulationError("this image has no QEMU; keras-repro train makes one that has it")
    if program is None:
        raise EmulationError(
            "--processor needs %s, and it is not on PATH; install it (Debian: apt-get install "
            "qemu-user), or use Docker" % QEMU
        )
    if platform.machine() not in ("x86_64", "AMD64"):
        raise EmulationError(
            "--processor emulates x86-64 for programs of x86-64, and this is %s; leave it out"
            % platform.machine()
        )
    command = [program, "-cpu", model]
    said, complaints = _asked(command)
    known = [] if said is not None else _known(program)
    if said is None and model not in known:
        names = [name for name in known if not re.search(r"-v[0-9]+$", name)]
        raise EmulationError(
            "--processor %s: %s knows none of that name; it knows %s"
            % (model, _version(program), ", ".join(names))
        )
    if said is None:
        raise EmulationError(
            "--processor %s: no Python runs there (%s); name another"
            % (model, _last(complaints) or "it says nothing")
        )
    missing = sorted(set(NOT_EMULATED.findall(complaints)))
    if missing:
        # Told to leave out what it leaves out anyway, QEMU does not complain, once a thread, in
        # what the script prints.
        quiet = command[:-1] + [",".join([model] + ["%s=off" % name for name in missing])]
        if _asked(quiet)[0] == said:
            command = quiet
    version, sets, wrong = _version(program), said["instruction_sets"], []
    if "avx2" in sets and _started(command, ASK_GATHERS).returncode != 0:
        wrong.append(GATHERS)
    return Processor(command, model, version, said["name"], sets, said, missing, wrong)


def _asked(command: List[str]) -> Any:
    """Return what CPUID says under QEMU, None where that did not get so far; and its complaints."""
    done = _started(command, ASK)
    complaints = done.stderr.decode("utf-8", "replace")
    try:
        return json.loads(done.stdout.decode()), complaints
    except ValueError:
        return None, complaints


def _started(command: List[str], question: str) -> Any:
    """Return how a Python under QEMU ended that was asked something."""
    return subprocess.run(
        command + [sys.executable, "-S", "-c", question % PACKAGES],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )


def _known(program: str) -> List[str]:
    """Return QEMU's names of processors."""
    done = subprocess.run(
        [program, "-cpu", "help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
    )
    return re.findall(r"^x86 (\S+)", done.stdout.decode("utf-8", "replace"), re.MULTILINE)


def _version(program: str) -> str:
    """Return "QEMU" and its version, as it says it itself."""
    done = subprocess.run(
        [program, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
    )
    found = re.search(r"version (.*)", done.stdout.decode("utf-8", "replace"))
    return "QEMU %s" % (found.group(1).strip() if found else "of an unknown version")


def _last(complaints: str) -> str:
    lines = complaints.strip().splitlines()
    return lines[-1].strip() if lines else ""
