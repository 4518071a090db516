"""Why a document cannot be read, in words for who never saw the code."""

import os

import pytest
from pydantic import BaseModel

from keras_repro.errors import UnreadableError
from keras_repro.runs.documents import MAX_DEPTH, MAX_FACTS_BYTES, read_document


class Model(BaseModel):
    """A document."""

    schema_version: int
    value: object = None


def nested(depth):
    """Return a document whose last number lies in so many lists and objects."""
    return '{"schema_version": 1, "value": ' + "[" * (depth - 1) + "7" + "]" * (depth - 1) + "}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is no JSON from line 1 on"),
        (b'{"schema_version": 1,\n', "it is no JSON from line 2 on"),
        (b"\xff", "it holds what is no text"),
        (b'{"schema_version": 1, "value": "\\ud800"}', "it holds what is no text"),
        (b"[]", "it is no JSON object"),
        (b"7", "it is no JSON object"),
        (b"{}", "it has no schema_version"),
        (b"[" * 10**5, "it is nested too deep"),
        (nested(MAX_DEPTH + 1).encode(), "it is nested too deep"),
        (b'{"schema_version": 1, "value": NaN}', "not JSON compliant"),
    ],
)
def test_what_is_damaged_is_said(tmp_path, content, why):
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=r"run\.json is damaged: .*; make it again") as raised:
        read_document(path, Model)
    assert why in str(raised.value)


@pytest.mark.parametrize("depth", [1, MAX_DEPTH])
def test_what_is_nested_as_deep_as_may_be_is_read(tmp_path, depth):
    path = tmp_path / "run.json"
    path.write_text(nested(depth))
    assert read_document(path, Model).schema_version == 1


def test_what_is_no_file_or_too_large_is_said(tmp_path):
    with pytest.raises(UnreadableError, match="it is no file"):
        read_document(tmp_path, Model)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnreadableError, match="it is no file"):
        read_document(tmp_path / "pipe", Model)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(MAX_FACTS_BYTES + 1)
    with pytest.raises(UnreadableError, match="it is too large"):
        read_document(tmp_path / "large", Model)
