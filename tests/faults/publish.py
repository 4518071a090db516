"""The recorder's parent process, whole, but for the child that runs the script.

FAULTS_SCRIPT says how the script ends: "completed" or "failed".
"""

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from keras_repro.recorder import contract, messages, supervise
from keras_repro.recorder.__main__ import main
from keras_repro.recorder.arrays import ArrayWriter
from tests.unit.made import changed


class MadeUpChild:
    """Leaves the files and the messages of a script that was watched."""

    def __init__(self, request, staging, place, log, progress, *_how) -> None:
        self.failure = None
        self.log_error = None
        self.script_seconds = 0.5
        self.said = {}
        self.process = SimpleNamespace(returncode=0)
        try:
            log.write(b"a line of the script's\n" * 50)
        except OSError as error:
            self.log_error = error
        try:
            writer = ArrayWriter(str(Path(staging, contract.ARRAYS)))
            for name, array in changed("weights/0.dense.kernel", 2).items():
                writer.write(name, array)
            writer.close()
            Path(place.folder, "written.txt").write_text("by the script\n" * 100)
        except OSError as error:
            self.said = {"cannot_write": str(error)}
            return
        used = {"version": "3", "backend": request.keras_backend}
        self.said = {"completed": True, "keras": used, "arrays": writer.index, "steps": 5}
        self.said |= {name: {} for name in messages.OF_COMPLETED if name not in self.said}
        if os.environ["FAULTS_SCRIPT"] == contract.FAILED:
            self.said["error"] = "ValueError: no"
            self.process.returncode = 1

    def wait(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def last_line(self) -> str:
        return ""


if __name__ == "__main__":
    tempfile.tempdir = None
    supervise.Child = MadeUpChild
    sys.exit(main())
