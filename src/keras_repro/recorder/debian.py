"""Which Debian packages an image has: g++ makes Theano's code, and libc6 computes exp and log."""

from __future__ import annotations

import re
from typing import Dict, Iterable

STATUS = "/var/lib/dpkg/status"
INSTALLED = "install ok installed"
FIELD = re.compile(r"^(Package|Status|Version): (.*)$", re.MULTILINE)


def installed_packages(status: str = STATUS) -> Dict[str, str]:
    """Return {name: version} of what dpkg has installed; nothing where there is no dpkg.

    ``status`` is its file, a paragraph for each package: deb822(5) says what it looks like, and
    dpkg-query(1) what the words of the field Status are.
    """
    try:
        with open(status, encoding="utf-8", errors="replace") as file:
            paragraphs = file.read().split("\n\n")
    except OSError:
        return {}
    packages = {}
    for paragraph in paragraphs:
        fields = dict(FIELD.findall(paragraph))
        if fields.get("Status") == INSTALLED and {"Package", "Version"} <= set(fields):
            packages[fields["Package"]] = fields["Version"]
    return dict(sorted(packages.items()))


def of_names(wanted: Iterable[str], there: Dict[str, str]) -> Dict[str, str]:
    """Return {name: version} of those packages that are there."""
    names = {one.partition("=")[0] for one in wanted}
    return {name: version for name, version in there.items() if name in names}
