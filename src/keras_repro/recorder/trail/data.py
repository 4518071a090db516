"""What training, testing and predicting were given: whole arrays, and batch by batch."""

from __future__ import annotations

import contextlib
import functools
import operator
import types
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import numpy

from keras_repro.recorder.trail.trail import Trail
from keras_repro.recorder.trail.values import Told, told

FIRST = {"fit_generator": ("generator",), "evaluate_generator": ("generator",)}
FIRST["predict_generator"] = ("generator",)
BOTH, ALONE = ("x", "y"), ("x",)
MOST_BYTES = 256 << 20  # of what is no array in memory yet: a file of HDF5, say
MOST_BATCHES = 1 << 62
MORE = ("validation_data", "sample_weight", "class_weight")


class Series:
    """What one argument was, call after call or batch after batch: ``counts`` says which.

    Told of number 0, 1, 2, 4, 8, ...: what came between goes with the next that is told.
    """

    def __init__(self, trail: Trail, counts: str, **place: Any) -> None:
        self._trail = trail
        self._counts = counts
        self._place = place
        self._told: Optional[Told] = None
        self._together, self._count = 0, 0

    def add(self, value: Any, step: int) -> None:
        """Take the next value in. Raises ValueError where it holds no numbers and no text."""
        if self._told is None:
            self._told = Told(self._trail.figures)
        self._told.add(value)
        self._together += 1
        number, self._count = self._count, self._count + 1
        if number & (number - 1) == 0:
            self.tell(step)

    def tell(self, step: int) -> None:
        """Tell what was not told yet."""
        if self._told is None:
            return
        place = dict(self._place, **{self._counts: self._count - 1})
        if self._together > 1:
            place["together"] = self._together
        self._trail.add("data", step, value=self._told.facts(), **place)
        self._told, self._together = None, 0


class Drawn:
    """The batches that a call draws from a generator, from a thread of Keras' most often.

    That draws ahead, as many as the machine is quick: what no step has used is not told.
    """

    def __init__(
        self, trail: Trail, begun: int, steps: int, limit: Optional[int], place: Dict[str, Any]
    ) -> None:
        self.begun = begun  # among the links of the whole trail
        self._limit = limit  # of batches that it was asked for
        self._trail = trail
        self._steps = steps
        self._place = place
        self._series: Dict[str, Series] = {}

    def add(self, batch: Any) -> None:
        """Take the next batch in."""
        for suffix, part in _parts(batch):
            if suffix not in self._series:
                place = dict(self._place, argument=self._place["argument"] + suffix)
                self._series[suffix] = Series(self._trail, "batch", **place)
            with contextlib.suppress(ValueError):
                self._series[suffix].add(part, self._steps)

    def links(self, steps: int) -> List[Dict[str, Any]]:
        """Return the links of the batches that were used, where so many steps are done now."""
        used = steps - self._steps
        if not self._place["call"].startswith("fit"):
            if self._limit is None:  # all that there were
                for series in self._series.values():
                    series.tell(self._steps)
            used = MOST_BATCHES if self._limit is None else self._limit
        return [link for link in self._trail.links if link["batch"] < used]


class Data:
    """The data links of a trail."""

    def __init__(self, trail: Trail, steps: Callable[[], int]) -> None:
        self._trail = trail
        self._steps = steps
        self._series: Dict[Tuple[Any, ...], Series] = {}
        self._counts: Dict[Tuple[int, str], int] = {}
        self._classes: List[type] = []
        self._datasets: Dict[int, Tuple[Any, Dict[str, Any], Dict[int, str], int]] = {}
        self._generators: List[Drawn] = []

    def given(
        self, model: int, method: str, args: Tuple[Any, ...], kwargs: Dict[str, Any]
    ) -> Tuple[Tuple[Any, ...], Dict[str, Any]]:
        """Tell what a method of a model was given; return the arguments to call it with.

        They are the same but for generators, which are looked at while they are drawn from.
        """
        number = self._counts[model, method] = self._counts.get((model, method), -1) + 1
        names = FIRST.get(method) or (ALONE if method.startswith("predict") else BOTH)
        args, kwargs = tuple(args), dict(kwargs)
        limit = kwargs.get("steps", args[1] if args[1:] and names is not BOTH else None)

        def told_of(name: str, value: Any) -> Any:
            if isinstance(value, types.GeneratorType) and name != "validation_data":
                return self._drawn(value, limit, _place(model, method, number, name))
            self._argument(model, method, number, name, value)
            return value

        for place, name in enumerate(names):
            if place < len(args):
                if args[place] is not None:
                    args = args[:place] + (told_of(name, args[place]),) + args[place + 1 :]
            elif kwargs.get(name) is not None:
                kwargs[name] = told_of(name, kwargs[name])
        for name in MORE:
            if kwargs.get(name) is not None:
                kwargs[name] = told_of(name, kwargs[name])
        return args, kwargs

    def called(self, model: Any, value: Any) -> None:
        """Tell what a model was called with in a loop of the script's own, where it has values.

        It may have no number yet: its link names the model itself, and is made right at the end.
        """
        for suffix, part in _parts(value):
            self._next("number", (id(model), "x" + suffix), part, model=model, call="__call__")

    def batch(self, source: int, value: Any) -> None:
        """Tell the next batch that a loader of the script's has drawn; loaders count from 0."""
        for suffix, part in _parts(value):
            place = {"call": "DataLoader", "number": source}
            self._next("batch", ("loader", source, "batch" + suffix), part, **place)

    def done(self) -> None:
        """Tell what a method that has returned was given bit by bit, as of where it began."""
        late: List[Tuple[int, List[Dict[str, Any]]]] = []
        for dataset, place, digests, begun in self._datasets.values():
            own = Trail(self._trail.figures)
            if len(digests) < len(dataset) or place["argument"] in MORE:
                # Threads draw ahead, as many as the machine is quick.
                own.add("data", self._steps(), unseen="not drawn whole", **place)
                late.append((begun, own.links))
                continue
            series = Series(own, "batch", **place)
            for index in sorted(digests):
                series.add(digests[index], self._steps())
            series.tell(self._steps())
            late.append((begun, own.links))
        late += [(drawn.begun, drawn.links(self._steps())) for drawn in self._generators]
        for begun, links in sorted(late, key=lambda each: each[0], reverse=True):
            self._trail.insert(begun, links)
        self._datasets.clear()
        self._generators = []

    def finish(self) -> None:
        """Tell what was not told yet."""
        self.done()
        for series in self._series.values():
            series.tell(self._steps())

    def _argument(self, model: int, method: str, number: int, name: str, value: Any) -> None:
        place = _place(model, method, number, name)
        if _is_indexed(value):
            self._watch_items(type(value))
            self._datasets[id(value)] = (value, place, {}, len(self._trail.links))
        elif isinstance(value, dict) and name == "class_weight":
            self._tell(value=numpy.array(sorted(value.items())), place=place)
        elif _is_loader(value):
            pass  # its batches are told as they are drawn
        elif _is_unseen(value):
            kind = "%s.%s" % (type(value).__module__.split(".")[0], type(value).__name__)
            self._trail.add("data", self._steps(), unseen="drawn inside %s" % kind, **place)
        else:
            one = method in ("train_on_batch", "test_on_batch", "predict_on_batch", "predict")
            for suffix, part in _parts(value):
                if one:  # most often called in a loop
                    key = (model, method, name + suffix)
                    self._next("number", key, part, model=model, call=method)
                else:
                    self._tell(part, dict(place, argument=name + suffix))

    def _drawn(self, generator: Any, limit: Any, place: Dict[str, Any]) -> Iterator[Any]:
        own, begun = Trail(self._trail.figures), len(self._trail.links)
        drawn = Drawn(own, begun, self._steps(), limit, place)
        self._generators.append(drawn)

        def batches() -> Iterator[Any]:
            for batch in generator:
                with contextlib.suppress(Exception):  # nothing of ours may end the script
                    drawn.add(batch)
                yield batch

        return batches()

    def _watch_items(self, dataset_class: Any) -> None:
        """Look at what a class of datasets gives by index: in any order, from several threads."""
        owner = next(each for each in dataset_class.__mro__ if "__getitem__" in vars(each))
        if owner in self._classes:
            return
        self._classes.append(owner)
        item = owner.__getitem__

        @functools.wraps(item)
        def call(dataset: Any, index: Any) -> Any:
            batch = item(dataset, index)
            known = self._datasets.get(id(dataset))
            if known is not None and isinstance(index, int) and index not in known[2]:
                with contextlib.suppress(Exception):  # nothing of ours may end the script
                    parts = [told(part, False)["digest"] for _, part in _parts(batch)]
                    known[2][index] = " ".join(parts)
            return batch

        owner.__getitem__ = call

    def _next(self, counts: str, key: Tuple[Any, ...], value: Any, **place: Any) -> None:
        series = self._series.get(key)
        if series is None:
            series = Series(self._trail, counts, argument=key[-1], **place)
            self._series[key] = series
        self._add(series, value)

    def _add(self, series: Series, value: Any) -> None:
        try:
            series.add(value, self._steps())
        except ValueError:
            pass

    def _tell(self, value: Any, place: Dict[str, Any]) -> None:
        try:
            facts = {"value": told(value, self._trail.figures)}
        except ValueError as error:
            facts = {"unseen": str(error)}  # type: ignore[dict-item]
        self._trail.add("data", self._steps(), **dict(place, **facts))


def _place(model: int, method: str, number: int, name: str) -> Dict[str, Any]:
    """Return what a link says of its place: the argument ``name`` of a model's n-th such call."""
    return {"model": model, "call": method, "number": number, "argument": name}


def _parts(value: Any, suffix: str = "") -> Iterator[Tuple[str, Any]]:
    """Yield the arrays in what was given, each with where in it that is."""
    if value is None:
        return
    if isinstance(value, dict):
        for name in sorted(value, key=str):
            yield from _parts(value[name], "%s/%s" % (suffix, name))
    elif _is_several(value):
        for index, part in enumerate(value):
            yield from _parts(part, "%s/%d" % (suffix, index))
    else:
        array = _as_array(value)
        if array is not None:
            yield suffix, array


def _is_array(value: Any) -> bool:
    return hasattr(value, "__array__")


def _is_several(value: Any) -> bool:
    """Whether it is a list of arrays, or a pair or triple of x, y and weights; and no array."""
    if not isinstance(value, (list, tuple)):
        return False
    if any(_is_array(each) and getattr(each, "ndim", 1) for each in value):
        return True
    nested = (dict, list, tuple, type(None))
    return (
        isinstance(value, tuple) and len(value) <= 3 and all(isinstance(v, nested) for v in value)
    )


def _as_array(value: Any) -> Any:
    """Return a value as an array, or None where it holds none that can be read here."""
    if hasattr(value, "detach"):
        if (
            str(getattr(value, "device", "")) == "meta"
        ):  # Keras calls a layer to see what shape comes out
            return None
        value = value.detach().cpu()
    if not _is_array(value) and not isinstance(value, (list, tuple, int, float, str, bytes)):
        return None  # to read it may be to draw from it
    if not isinstance(value, numpy.ndarray) or isinstance(value, numpy.memmap):
        shape, dtype = getattr(value, "shape", ()), getattr(value, "dtype", None)
        sizes = [side for side in shape if isinstance(side, int)]
        if functools.reduce(operator.mul, sizes, 1) * getattr(dtype, "itemsize", 4) > MOST_BYTES:
            return None
    try:
        return numpy.asarray(value)
    except Exception:  # a tensor of a graph, say: it has no value
        return None


def _is_indexed(value: Any) -> bool:
    """Whether it is a Sequence or a PyDataset: has a length and gives batches by index."""
    return (
        not _is_array(value)
        and not isinstance(value, (list, tuple, dict, str, bytes))
        and hasattr(type(value), "__getitem__")
        and hasattr(type(value), "__len__")
        and any(each.__name__ in ("Sequence", "PyDataset") for each in type(value).__mro__)
    )


def _is_loader(value: Any) -> bool:
    """Whether it is a DataLoader of PyTorch's."""
    names = ((each.__module__, each.__name__) for each in type(value).__mro__)
    return ("torch.utils.data.dataloader", "DataLoader") in names


def _is_unseen(value: Any) -> bool:
    """Whether looking at it would draw from it: a pipeline, or an iterator."""
    if isinstance(value, (list, tuple, dict, int, float, str, bytes)):
        return False
    return _as_array(value) is None
