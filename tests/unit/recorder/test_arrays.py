"""The npz that the recorder writes."""

import tracemalloc

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.recorder.arrays import ArrayWriter, CannotWriteError, Limits, as_series


def write(path, arrays):
    writer = ArrayWriter(str(path))
    for name, array in arrays.items():
        writer.write(name, array)
    writer.close()
    return writer.index


def test_the_same_arrays_give_the_same_bytes_and_numpy_reads_them(tmp_path):
    arrays = {"costs/train": np.arange(3, dtype=np.float32), "weights/0.dense.bias": np.ones(2)}
    index = write(tmp_path / "a.npz", arrays)
    write(tmp_path / "b.npz", arrays)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        for name, array in arrays.items():
            assert archive[name].tobytes() == array.tobytes()
    assert index["costs/train"] == {"dtype": "float32", "shape": [3]}


def test_python_objects_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Python objects"):
        write(tmp_path / "a.npz", {"a": np.array([{}], dtype=object)})


def test_a_name_twice_is_refused(tmp_path):
    writer = ArrayWriter(str(tmp_path / "a.npz"))
    writer.write("a", 1)
    with pytest.raises(ValueError, match="already"):
        writer.write("a", 1)
    writer.close()


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([np.float32(0.1)], np.float32),
        ([float(np.float32(0.1)), float("nan"), float("inf")], np.float32),
        ([0.1], np.float64),  # not made from a float32
        ([np.float64(0.5)], np.float64),  # NumPy's own word is kept
        ([np.array(0.1, np.float16)], np.float16),
        ([3], np.int64),
    ],
)
def test_a_series_keeps_the_dtype_it_was_computed_in(values, dtype):
    series = as_series(values)
    assert series.dtype == dtype
    assert series.shape == (len(values),)


def test_a_metric_may_be_a_vector():
    assert as_series([np.ones(3, np.float32), np.zeros(3, np.float32)]).shape == (2, 3)


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "complex64"])
def test_arrays_written_together_are_those_written_as_one(dtype, tmp_path):
    parts = [np.arange(6).reshape(2, 3).astype(dtype) for _ in range(3)]
    files = [tmp_path / "together.npz", tmp_path / "one.npz"]
    writers = [ArrayWriter(str(path)) for path in files]
    writers[0].write_blocks("a/b", parts[0].dtype, (3, 2, 3), map(np.ravel, parts))
    writers[1].write("a/b", np.stack(parts))
    for writer in writers:
        writer.close()
    assert files[0].read_bytes() == files[1].read_bytes()
    assert writers[0].index == writers[1].index
    with pytest.raises(ValueError, match="already"):
        writers[0].write_blocks("a/b", parts[0].dtype, (3, 2, 3), map(np.ravel, parts))


def limited(folder, one, together):
    return ArrayWriter(str(folder / "a.npz"), Limits(one, together), str(folder / "samples.npz"))


def test_what_is_over_a_limit_is_kept_as_a_sample(tmp_path):
    writer = limited(tmp_path, 40_000, 70_000)
    values = np.arange(10_000, dtype=np.float32)
    writer.write("fits", values)
    writer.write("too large", np.append(values, 1))
    writer.write("costs/train", np.append(values, 2), whole=True)
    writer.write("too late", values)  # of all
    writer.write("small", values[: contract.SAMPLE])  # it would be its own sample
    with pytest.raises(ValueError, match="already"):
        writer.write("too large", values)
    writer.close()
    assert list(writer.index) == ["fits", "costs/train", "small"]
    assert list(writer.summaries) == ["too large", "too late"]
    assert writer.summaries["too late"]["maximum"] == 9_999.0
    with np.load(tmp_path / "samples.npz") as samples:
        assert samples.files == ["too large", "too late"]
        assert samples["too late"].tolist() == contract.sample_places(10_000)


def test_without_any_there_is_no_file_of_samples(tmp_path):
    writer = limited(tmp_path, 100, 100)
    writer.write("a", np.zeros(4))
    writer.close()
    assert not (tmp_path / "samples.npz").exists()


def test_samples_that_cannot_be_written_are_the_disks_fault(tmp_path):
    writer = ArrayWriter(str(tmp_path / "a.npz"), Limits(1, 1), str(tmp_path / "none" / "s.npz"))
    with pytest.raises(CannotWriteError):
        writer.write("a", np.zeros(10_000))
    writer.close()


@pytest.mark.parametrize("limit", [1, 1 << 40])
@pytest.mark.parametrize("turned", [False, True])
def test_no_second_copy_of_an_array_is_made(limit, turned, tmp_path):
    array = np.zeros((2_000, 2_000))  # 32 MB
    writer = limited(tmp_path, limit, limit)
    tracemalloc.start()
    writer.write("a", array.T if turned else array)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    writer.close()
    assert peak < array.nbytes / 2
