"""Reading an npz in place: what is not one that a run wrote ends in one clear error."""

import io
import os
import pickle
import resource
import struct
import tempfile
import tracemalloc
import zipfile
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_repro.errors import CannotWriteError, UnreadableError
from keras_repro.recorder.arrays import ArrayWriter
from keras_repro.runs import npz
from keras_repro.runs.npz import Npz, join


class Payload:
    """Pickled, this would leave a file behind when it is read."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def npy(header: bytes, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    return b"\x93NUMPY" + version + struct.pack("<H", len(header)) + header + data


def write_zip(path, **members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def load_all(path):
    return [stored.load() for stored in Npz(path).values()]


def refused(path, *words):
    with pytest.raises(UnreadableError) as caught:
        load_all(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    for word in words:
        assert word in message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    hnp.arrays(
        hnp.scalar_dtypes()
        | hnp.byte_string_dtypes(min_len=1)
        | hnp.unicode_string_dtypes(min_len=1),
        hnp.array_shapes(min_dims=0, max_side=4, min_side=0),
    ),
    st.booleans(),
    st.data(),
)
def test_what_numpy_writes_reads_back_whole_and_in_pieces(tmp_path, array, fortran, data):
    path = tmp_path / "a.npz"
    np.savez(path, a=np.asfortranarray(array) if fortran and array.ndim else array)
    stored = Npz(path)["a"]
    assert stored.shape == array.shape
    assert stored.load().tobytes() == array.astype(array.dtype.newbyteorder("=")).tobytes()
    start = data.draw(st.integers(0, array.size))
    stop = data.draw(st.integers(start, array.size))
    piece = np.ascontiguousarray(array).reshape(-1)[start:stop]
    native = piece.astype(array.dtype.newbyteorder("="))
    assert stored.read(start, stop).tobytes() == native.tobytes()


def test_the_recorder_writes_in_c_order(tmp_path):
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    writer = ArrayWriter(str(tmp_path / "a.npz"))
    writer.write("a", array)
    writer.close()
    assert np.load(tmp_path / "a.npz")["a"].flags.c_contiguous
    assert Npz(tmp_path / "a.npz")["a"].read(1, 4).tolist() == [1, 2, 3]


def test_it_stays_readable_when_another_file_takes_its_place(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.arange(3))
    stored = Npz(tmp_path / "a.npz")["a"]
    np.savez(tmp_path / "b.npz", a=np.zeros(3))
    os.replace(tmp_path / "b.npz", tmp_path / "a.npz")
    assert stored.load().tolist() == [0, 1, 2]


def test_pickles_are_not_read(tmp_path):
    path = tmp_path / "arrays.npz"
    np.savez(path, evil=np.array([Payload(tmp_path / "owned")], dtype=object))
    refused(path, "Python objects")
    write_zip(path, evil=pickle.dumps(Payload(tmp_path / "owned")))
    refused(path)
    assert not (tmp_path / "owned").exists()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_truncated_and_flipped_archives_are_unreadable_or_unchanged(tmp_path, data):
    buffer = io.BytesIO()
    np.savez(buffer, a=np.arange(50.0), b=np.ones((3, 3), np.float32))
    content = bytearray(buffer.getvalue())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "arrays.npz"
    path.write_bytes(content)
    try:
        arrays = load_all(path)
    except UnreadableError as error:
        assert "\n" not in str(error)
    else:
        for array in arrays:  # a bit that means nothing, or only a name, was flipped
            assert array.tolist() in (np.arange(50.0).tolist(), np.ones((3, 3)).tolist())


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (True,), }\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1," * 65 + b"), }\n",
        b"{'descr': '<U0', 'fortran_order': False, 'shape': (10**18,), }\n",
        b"{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000000000,), }\n",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n",
        b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n",
        b"{'descr': ('<f4', (2,)), 'fortran_order': False, 'shape': (), }\n",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': 4, }\n",
        b"{'descr': '<f4', 'fortran_order': 1, 'shape': (), }\n",
        b"{'descr': '<f4'}\n",
        b"__import__('os').system('true')\n",
        b"(" * 3000,
        b"[" * 60000,
        b"\xff\xfe\n",
        b"",
    ],
)
def test_hostile_headers(tmp_path, header):
    refused(write_zip(tmp_path / "arrays.npz", a=npy(header, b"\0" * 4)))


def test_headers_of_other_versions_and_lengths(tmp_path):
    good = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"
    refused(write_zip(tmp_path / "a.npz", a=npy(good, b"\0" * 4, b"\x09\x00")), "version")
    refused(write_zip(tmp_path / "a.npz", a=npy(good, b"\0" * 3)), "bytes")
    refused(write_zip(tmp_path / "a.npz", a=npy(good, b"\0" * 5)), "bytes")
    refused(write_zip(tmp_path / "a.npz", a=b"\x93NUMPX" + npy(good, b"\0" * 4)[6:]))


def test_compressed_names_twice_and_no_arrays(tmp_path, monkeypatch):
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, a=np.arange(1000.0), b=np.ones(2, np.float16))
    assert Npz(path)["a"].load().tolist() == list(range(1000))
    assert list(Npz(path)) == ["a", "b"]
    monkeypatch.setattr(npz, "MOST_UNPACKED_BYTES", 1000)
    refused(path, "compressed", "numpy.savez")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.txt", "hello")
    refused(path, "notes.txt")
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': ()}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", npy(header, b"\0" * 4))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", npy(header, b"\0" * 4))
    refused(path)
    write_zip(path, **{"a\n\x1b[31m": b""})
    refused(path, "\\x1b")


def test_what_is_no_file(tmp_path):
    refused(tmp_path / "nothing.npz", "is missing")
    (tmp_path / "folder.npz").mkdir()
    refused(tmp_path / "folder.npz", "is no file")
    os.mkfifo(tmp_path / "pipe.npz")
    refused(tmp_path / "pipe.npz", "is no file")
    (tmp_path / "empty.npz").write_bytes(b"")
    refused(tmp_path / "empty.npz", "damaged")
    (tmp_path / "loop.npz").symlink_to(tmp_path / "loop.npz")
    refused(tmp_path / "loop.npz")


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.zeros(1000))
    stored = Npz(tmp_path / "a.npz")["a"]
    os.truncate(tmp_path / "a.npz", 300)
    with pytest.raises(UnreadableError, match="ends too early"):
        stored.read(0, 1000)


def test_joining_takes_each_array_from_where_it_is_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3), y=np.zeros((2, 2)))
    np.savez(tmp_path / "b.npz", x=np.ones(3), z=np.ones(1, np.float16))
    parts = [(tmp_path / "a.npz", ["y"]), (tmp_path / "b.npz", ["z", "x"])]
    for name in ("c.npz", "d.npz"):
        join(tmp_path / name, parts)
    assert (tmp_path / "c.npz").read_bytes() == (tmp_path / "d.npz").read_bytes()
    found = {name: stored.load().tolist() for name, stored in Npz(tmp_path / "c.npz").items()}
    assert found == {"x": [1, 1, 1], "y": [[0, 0], [0, 0]], "z": [1]}


@contextmanager
def files_of_at_most(size):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_temporary_folder_that_is_full_is_what_is_said_to_be_full(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", w=np.zeros(1 << 16))
    with files_of_at_most(1 << 14), pytest.raises(CannotWriteError) as raised:
        Npz(tmp_path / "a.npz")
    assert f"in {tempfile.gettempdir()}: File too large; make room there" in str(raised.value)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_no_npz_is_compressed_by_is_not_unpacked(tmp_path, method):
    """These may unpack a gigabyte from a kilobyte in one step."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(10))
    with zipfile.ZipFile(tmp_path / "a.npz", "w", method) as archive:
        archive.writestr("w.npy", buffer.getvalue())
    with pytest.raises(UnreadableError, match="compressed in a way that is not read"):
        Npz(tmp_path / "a.npz")


def test_unpacking_takes_no_memory(tmp_path):
    """As no array would that is as large."""
    path = tmp_path / "a.npz"
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(2 << 20, np.float64))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", buffer.getvalue())
    del buffer
    tracemalloc.start()
    try:
        assert Npz(path)["w"].shape == (2 << 20,)
        assert tracemalloc.get_traced_memory()[1] < 6 << 20
    finally:
        tracemalloc.stop()


def test_a_compressed_file_that_says_it_is_small_is_unpacked_that_far(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, w=np.zeros(1 << 16))
    content = path.read_bytes()
    size = struct.pack("<I", (1 << 16) * 8 + 128)
    assert content.count(size) >= 1
    path.write_bytes(content.replace(size, struct.pack("<I", 1000)))
    with pytest.raises(UnreadableError):
        Npz(path)


def test_what_unpacks_beyond_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "MOST_UNPACKED_BYTES", 1000)
    np.savez_compressed(tmp_path / "a.npz", w=np.zeros(1000))
    with pytest.raises(UnreadableError, match="write it anew"):
        Npz(tmp_path / "a.npz")
