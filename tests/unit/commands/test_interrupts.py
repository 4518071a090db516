"""An interrupt is one line and exit code 130, whenever it comes."""

import os
import signal
import subprocess
import sys

import pytest

ON_IMPORT = """
import os, signal, time
os.kill(os.getpid(), signal.{name})
time.sleep(10)
"""


def started(tmp_path, *arguments, before=""):
    """Run a command line with modules of our own in front of those that it imports."""
    program = f"{before}\nimport runpy; runpy.run_module('keras_repro', run_name='__main__')"
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("module", ["click", "numpy", "rich"])
def test_an_interrupt_while_modules_are_imported(tmp_path, module, name):
    """The first is imported before any command is known, the others with the command."""
    (tmp_path / f"{module}.py").write_text(ON_IMPORT.format(name=name))
    heard = f"import signal; signal.signal(signal.{name}, signal.SIG_DFL)"  # under nohup too
    done = started(tmp_path, "check", "--backend", "jax", before=heard)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "keras-repro: interrupted\n"


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    """As with nohup."""
    (tmp_path / "rich.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGHUP); 0/0")
    ignore = f"import signal; signal.signal({int(signal.SIGHUP)}, signal.SIG_IGN)"
    done = started(tmp_path, "check", "--backend", "jax", before=ignore)
    assert "ZeroDivisionError" in done.stderr
