"""Keep with a run that training it again gave other numbers.

The next run takes the folder's place without it, so it goes where that one repeats.
"""

import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from keras_repro.atomic import write_whole
from keras_repro.recorder import contract
from keras_repro.runs.documents import read_document


class NotRepeated(BaseModel):
    """``not-repeated.json``: the array in which two runs of the same seed first part."""

    model_config = ConfigDict(defer_build=True)

    schema_version: int
    array: str


def write_not_repeated(folder: Path, array: str) -> None:
    """Keep in a run's folder that another run of the same seed parts from it in ``array``.

    Raises:
        CannotWriteError: it cannot be written.
    """
    document = {"schema_version": contract.SCHEMA_VERSION, "array": array}
    write_whole(folder / contract.NOT_REPEATED, (json.dumps(document) + "\n").encode())


def not_repeated(folder: Path) -> str | None:
    """Return the array in which another run of the same seed parts from the run in ``folder``.

    None where no other run is known to part from it.

    Raises:
        UnreadableError: the file that says so is damaged.
    """
    path = folder / contract.NOT_REPEATED
    if not path.is_file():
        return None
    return read_document(path, NotRepeated, "train it again").array
