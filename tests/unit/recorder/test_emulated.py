"""Another processor is emulated by QEMU, of which a stand-in is enough here."""

import json
import os
import platform
import resource
import subprocess
import sys

import pytest

from keras_repro.recorder import __main__ as recorder
from keras_repro.recorder import advice, contract, cpuid, emulated, facts, gathers

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="QEMU starts programs of this machine's kind"
)
needs_avx2 = pytest.mark.skipif(
    "avx2" not in (cpuid.processor() or cpuid.without_cpuid())["instruction_sets"],
    reason="this processor has no gathers",
)
# As QEMU 7.2 speaks: it complains of what it leaves out, unless it was told to leave that out.
STAND_IN = """#!/bin/sh
echo "$@" >> {calls}
case "$1 $2" in
--version*) echo "qemu-x86_64 version 7.2.22 (Debian 1:7.2)"; exit ;;
"-cpu help") printf 'Available CPUs:\\nx86 Haswell  (alias)\\nx86 Haswell-v4  x\\nx86 n270  y\\n'
  exit ;;
"-cpu n270") echo "The selected x86 CPU does not support 64 bit mode" >&2; exit 1 ;;
"-cpu Haswell") for name in rtm avx512-vnni; do
    echo "warning: TCG doesn't support requested feature: CPUID.07H:EBX.$name [bit 11]" >&2
  done ;;
"-cpu Haswell,avx512-vnni=off,rtm=off") {quiet} ;;
*) echo "qemu-x86_64: unable to find CPU model '$2'" >&2; exit 1 ;;
esac
shift 2
case "$*" in *gathers*) {gathers} ;; esac
UNDER=QEMU exec "$@"
"""


@pytest.fixture
def qemu(tmp_path, monkeypatch):
    """Put a stand-in for QEMU on PATH; return the lines that it was called with."""
    calls = tmp_path / "calls"
    place = tmp_path / "bin"
    place.mkdir()

    def write(quiet=":", gathers="exit 0"):
        program = place / contract.QEMU
        program.write_text(STAND_IN.format(calls=calls, quiet=quiet, gathers=gathers))
        program.chmod(0o755)
        return lambda: calls.read_text().splitlines() if calls.exists() else []

    monkeypatch.setenv("PATH", f"{place}{os.pathsep}{os.environ['PATH']}")
    return write


def test_what_a_process_finds_there_is_told(qemu):
    qemu()
    found = emulated.processor("Haswell")
    processor = cpuid.processor()
    sets = filter(facts.INSTRUCTION_SETS.fullmatch, processor["instruction_sets"])
    assert found.facts() == {
        "model": processor["name"],
        "instruction_sets": sorted(sets),
        "emulated_by": "QEMU 7.2.22 (Debian 1:7.2)",
        "not_emulated": ["avx512-vnni", "rtm"],
        "emulated_wrongly": [],
    }


@needs_avx2
@pytest.mark.parametrize("ends", ["exit 1", "kill -SEGV $$"])
def test_what_qemu_computes_wrongly_is_told(qemu, ends):
    qemu(gathers=ends)
    assert emulated.processor("Haswell").facts()["emulated_wrongly"] == [
        "gathers by xmm4 or ymm4 (AVX2)"
    ]


@needs_avx2
def test_a_real_processor_gathers_rightly(monkeypatch):
    assert gathers.are_right()
    # As by another register: ymm4 is made zero (vxorps ymm4, ymm4, ymm4) and not loaded.
    wrong = gathers.GATHER.replace(bytes.fromhex("c5fe6f22"), bytes.fromhex("c5dc57e4"))
    monkeypatch.setattr(gathers, "GATHER", wrong)
    assert not gathers.are_right()


def test_qemu_is_asked_for_what_it_does_and_complains_of_nothing(qemu):
    qemu()
    assert emulated.processor("Haswell").command[1:] == ["-cpu", "Haswell,avx512-vnni=off,rtm=off"]


def test_where_that_is_another_processor_it_complains(qemu):
    qemu(quiet="echo '{}'; exit")
    assert emulated.processor("Haswell").command[1:] == ["-cpu", "Haswell"]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("Hasvell", "QEMU 7.2.22 (Debian 1:7.2) knows none of that name; it knows Haswell, n270"),
        ("help", "QEMU 7.2.22 (Debian 1:7.2) knows none of that name; it knows Haswell, n270"),
        (
            "n270",
            "no Python runs there (The selected x86 CPU does not support 64 bit mode); "
            "name another",
        ),
    ],
)
def test_a_processor_that_cannot_be_had_is_refused_in_one_line(qemu, tmp_path, capsys, model, said):
    qemu()
    with pytest.raises(SystemExit) as ended:
        recorder.main(["--out", str(tmp_path / "run"), "--processor", model])
    assert ended.value.code == contract.EXIT_USAGE
    assert capsys.readouterr().err == f"keras-repro: --processor {model}: {said}\n"
    assert not (tmp_path / "run").exists()


def test_without_qemu_the_way_out_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KERAS_REPRO_ENGINE", raising=False)
    with pytest.raises(emulated.EmulationError, match=r"not on PATH; install it .*, or use Docker"):
        emulated.processor("Haswell")
    monkeypatch.setenv("KERAS_REPRO_ENGINE", "docker")
    with pytest.raises(emulated.EmulationError, match="this image has no QEMU; keras-repro train"):
        emulated.processor("Haswell")


def test_a_program_of_another_kind_is_not_started(qemu, monkeypatch):
    calls = qemu()
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(emulated.EmulationError, match="and this is aarch64; leave it out"):
        emulated.processor("Haswell")
    assert calls() == []


def record(folder, script, *options):
    (folder / "my.py").write_text(script)
    command = [sys.executable, "-m", "keras_repro.recorder", "--out", "run", *options, "my.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done, json.loads((folder / "run" / contract.FACTS).read_text())


WHERE = """
import os, sys
print("script", os.environ.get("UNDER"))
sys.exit(3)
"""


def test_the_script_alone_runs_there_and_its_run_says_so(qemu, tmp_path):
    calls = qemu()
    done, known = record(tmp_path, WHERE, "--processor", "Haswell")
    assert (done.returncode, known["reason"]) == (4, "exit status 3: script QEMU")
    assert known["processor"] == "Haswell"
    assert known["cpu"]["emulated_by"] == "QEMU 7.2.22 (Debian 1:7.2)"
    assert known["cpu"]["cores"] == facts.cpu_facts()["cores"]
    assert (tmp_path / "run" / contract.LOG).read_text().splitlines()[0] == "script QEMU"
    [started] = [line for line in calls() if "main(sys.argv[1:])" in line]
    assert started.startswith("-cpu Haswell,avx512-vnni=off,rtm=off /")


def test_without_the_option_nothing_is_emulated(qemu, tmp_path):
    calls = qemu()
    _, known = record(tmp_path, WHERE)
    assert known["reason"] == "exit status 3: script None"
    assert known["processor"] is None
    assert set(known["cpu"]) == {"model", "instruction_sets", "cores"}
    assert calls() == []


SLOW = "import time; time.sleep(60)"
KILLED = "import os, signal; os.kill(os.getpid(), signal.{})"


@pytest.mark.parametrize(
    ("script", "options", "hint"),
    [
        (KILLED.format("SIGILL"), (), "it met an instruction that the emulated processor does"),
        (KILLED.format("SIGSEGV"), (), "QEMU 7.2 gathers wrongly"),
        (SLOW, ("--time-limit", "1"), "an emulated processor is 10 times slower, or more"),
    ],
)
def test_what_fails_because_of_it_is_said(qemu, tmp_path, script, options, hint):
    qemu()
    _, known = record(tmp_path, script, "--processor", "Haswell", *options)
    assert known["hint"].startswith(hint)
    _, known = record(tmp_path, script, *options)
    assert known["hint"] is None


def test_other_failures_have_nothing_to_do_with_it():
    assert advice.of_emulation("exit status 1: ValueError: no") is None
    assert advice.of_emulation("it used 2 GB, more than its limit of 1 GB") is None


def test_a_run_that_was_given_up_starts_nothing(qemu, tmp_path):
    calls = qemu()
    (tmp_path / "my.py").write_text("")
    options = ["--out", str(tmp_path / "run"), "--processor", "Haswell", "--abandoned", "killed"]
    assert recorder.main([*options, str(tmp_path / "my.py")]) == 0
    assert calls() == []


CRASH = "import resource; raise SystemExit(1 + resource.getrlimit(resource.RLIMIT_CORE)[0])"


def test_a_crash_there_leaves_no_file_of_qemus(qemu, tmp_path):
    qemu()
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    allowed = 4 if hard == resource.RLIM_INFINITY else min(4, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (allowed, hard))
    try:
        _, there = record(tmp_path, CRASH, "--processor", "Haswell")
        _, here = record(tmp_path, CRASH)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
    assert there["reason"].startswith("exit status 1:")
    assert here["reason"].startswith(f"exit status {1 + allowed}:")


THEANO = "import os\nprint('flags', os.environ['THEANO_FLAGS'])\nraise SystemExit(3)\n"
OWN = "import os; os.environ['THEANO_FLAGS'] = 'floatX=float32'; import theano"


def test_theanos_compiler_does_not_ask_this_machine(qemu, tmp_path):
    qemu()
    (tmp_path / "theano.py").write_text(THEANO)
    _, known = record(tmp_path, OWN, "--processor", "Haswell")
    start = "exit status 3: flags floatX=float32,gcc.cxxflags=-march=x86-64 -m"
    assert known["reason"].startswith(start)
    _, known = record(tmp_path, OWN)
    assert known["reason"] == "exit status 3: flags floatX=float32"
