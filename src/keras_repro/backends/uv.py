"""Call uv, with the wheel folders that pip is told of."""

import os
import subprocess
import sys
from functools import cache

from uv import find_uv_bin


class UvError(Exception):
    """uv failed; ``text`` is what it said."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def uv(*arguments: str, **variables: str) -> None:
    """Run uv, which downloads no Python. Raises UvError."""
    environment = {**os.environ, **variables, "UV_PYTHON_DOWNLOADS": "never"}
    # uv does not read pip's settings; a wheel folder named there is meant for both.
    links = os.environ.get("PIP_FIND_LINKS") or _pip_setting("find-links")
    if links and "UV_FIND_LINKS" not in environment:
        environment["UV_FIND_LINKS"] = ",".join(links.split())
    command = [find_uv_bin(), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UvError(done.stderr.strip() or "uv said nothing")


@cache
def _pip_setting(name: str) -> str:
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", f"global.{name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""
