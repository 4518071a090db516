"""What uv answers where "planted" and its "tail" are asked for; uv itself is not watched."""

import itertools
import re
from pathlib import Path

NAMES = ("planted", "tail")
LINE = "{name}=={version} \\\n    --hash=sha256:{digest}\n"


def uv(*arguments: str, **variables: str) -> None:
    """Write a lock as ``uv pip compile`` does: of each package the release that is asked for."""
    assert arguments[:2] == ("pip", "compile"), arguments
    options = list(itertools.pairwise(arguments))
    given = dict(options)
    versions = dict.fromkeys(NAMES, "1.0")
    for path in (given["--constraints"], arguments[-1]):
        versions |= dict(re.findall(r"^([\w-]+)==(\S+)", Path(path).read_text(), re.MULTILINE))
    left_out = {value for option, value in options if option == "--no-emit-package"}
    Path(given["--output-file"]).write_text(
        "".join(
            LINE.format(name=name, version=versions[name], digest="1" * 64)
            for name in NAMES
            if name not in left_out
        )
    )
