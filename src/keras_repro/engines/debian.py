"""Whether this machine has the Debian packages that a script needs: the local engine asks dpkg."""

import os
import re
import subprocess

from keras_repro.recorder.contract import lacking

ASK = ("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Package} ${Version}\\n")


def installed() -> dict[str, str] | None:
    """Return {name: version} of what dpkg has installed; None where nothing here can tell."""
    try:
        asked = subprocess.run(
            ASK,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except OSError:
        return None
    if asked.returncode != 0:
        return None
    return dict(re.findall(r"^.i  (\S+) (\S+)$", asked.stdout, re.MULTILINE))


def problem(wanted: tuple[str, ...]) -> str | None:
    """Return what of the packages this machine lacks, and what to do; None where all is there.

    Where there is no dpkg to ask, that is nothing: the run's facts say so.
    """
    there = installed() if wanted else None
    missing = [] if there is None else lacking(wanted, there)
    if not missing:
        return None
    return (
        f"the script needs Debian's {', '.join(missing)}, not installed on this machine; install "
        f"what is missing (apt-get install {' '.join(missing)}), or use --engine docker"
    )
