"""Ways to spoil a run or a baseline, each by a seeded generator."""

import contextlib
import json
import os
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from keras_repro.recorder.arrays import ArrayWriter
from tests.unit.made import changed

Mutation = Callable[[random.Random, Path, Path], None]
"""Changes a file; the second path is a folder outside that nobody may read or write."""

JSON_VALUES = (
    *(None, True, -1, 10**400, 1e308, "", "\x1b[31m", "\udc80", "x" * 100_000, [], {}, [[]]),
    *({"a": {"b": 1}}, [1, "2", None], "../../etc/passwd", "nan", -0.0, 2**63),
)
NAMES = (
    *("costs/train", "weights/0.dense.kernel", "../escape", "/absolute", "a" * 5000, "\x1b[31m"),
    *("new\nline", "costs/train", "", "model2/costs/train", "\u202ereversed"),
)
DEEP = 100_000


def truncated(rng: random.Random, path: Path, outside: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content) + 1)])


def flipped(rng: random.Random, path: Path, outside: Path) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 8)):
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(bytes(content))


def random_bytes(rng: random.Random, path: Path, outside: Path) -> None:
    path.write_bytes(rng.randbytes(rng.randrange(4000)))


def link_outside(rng: random.Random, path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(rng.choice((outside / "secret", outside, outside / "missing", path.name)))


def link_to_device(rng: random.Random, path: Path, outside: Path) -> None:
    path.unlink()
    path.symlink_to(rng.choice(("/dev/zero", "/dev/stdin", "/proc/self/mem", "/dev/full")))


def fifo(rng: random.Random, path: Path, outside: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(rng: random.Random, path: Path, outside: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inner").write_text("x")


def closed(rng: random.Random, path: Path, outside: Path) -> None:
    rng.choice((path, path.parent)).chmod(0)


def sparse(rng: random.Random, path: Path, outside: Path) -> None:
    os.truncate(path, rng.choice((1 << 20, 1 << 27)))


def removed(rng: random.Random, path: Path, outside: Path) -> None:
    path.unlink()


def nested(rng: random.Random, path: Path, outside: Path) -> None:
    depth = rng.choice((900, 990, 5000, DEEP))
    opening, closing = rng.choice((("[", "]"), ('{"a":', "}")))
    text = opening * depth + "1" + closing * depth
    document = json.loads(path.read_text())
    key = rng.choice(sorted(document))
    document[key] = "HERE"
    whole = json.dumps(document).replace('"HERE"', text, 1)
    path.write_text(rng.choice((text, whole)))


def wrong_types(rng: random.Random, path: Path, outside: Path) -> None:
    document = json.loads(path.read_text())
    for _ in range(rng.randint(1, 3)):
        spot = document
        while isinstance(spot, dict) and spot:
            key = rng.choice(sorted(spot))
            if rng.random() < 0.5 or not isinstance(spot[key], dict):
                spot[key] = rng.choice(JSON_VALUES)
                break
            spot = spot[key]
    path.write_text(json.dumps(document))


def files_elsewhere(rng: random.Random, path: Path, outside: Path) -> None:
    """Name files beside the script, and of the script's, that lie elsewhere or never end."""
    pipe = outside / "pipe"
    if not pipe.exists():
        os.mkfifo(pipe)
    document = json.loads(path.read_text())
    place = rng.choice(("/dev/zero", str(pipe), str(outside / "secret"), "\0", "x" * 5000, ".."))
    document["modules"] = {place: rng.choice(("0" * 64, None))}
    document["data"] = [place]
    document["script"] = place
    path.write_text(json.dumps(document))


def missing_keys(rng: random.Random, path: Path, outside: Path) -> None:
    document = json.loads(path.read_text())
    for key in rng.sample(sorted(document), k=rng.randint(1, 4)):
        del document[key]
    path.write_text(json.dumps(document))


def odd_arrays(rng: random.Random, path: Path, outside: Path) -> None:
    """Write an npz of headers of all kinds: huge shapes, odd types, names that lead elsewhere."""
    kinds = ("<f4", "<f8", "|O", "|V2", "<U3", "<M8[s]", "<c16", "[('a','<f4')]", "|S0", ">i2")
    way = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(path, "w", way) as archive:
        for name in dict.fromkeys(rng.choices(NAMES, k=rng.randint(0, 4))):
            archive.writestr(f"{name}.npy", _npy(rng, rng.choice(kinds)))


def _npy(rng: random.Random, kind: str) -> bytes:
    sides = rng.choice(((), (5,), (0,), (2**40,), (2**62, 4), (-1,), (1,) * 40, ("5",), (True,)))
    header = (
        f"{{'descr': {kind!r}, 'fortran_order': {rng.choice((True, False))}, 'shape': {sides}}}"
    )
    text = header.encode() + b" " * rng.choice((0, 10, 60_000)) + b"\n"
    size = rng.choice((len(text), len(text), 0, 65_535))
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", min(size, 65_535)) + text + rng.randbytes(20)


def exchanged(rng: random.Random, path: Path, outside: Path) -> None:
    """Put other arrays in place of the run's: whole ones, of the same names."""
    with contextlib.suppress(OSError):  # where the folder was spoilt before
        writer = ArrayWriter(str(path.with_name("other.npz")))
        for name, array in changed("costs/train", 1 + rng.random()).items():
            writer.write(name, array)
        writer.close()
        path.with_name("other.npz").replace(path)


def many_arrays(rng: random.Random, path: Path, outside: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(500):
            archive.writestr(f"weights/{number}.npy", _npy(rng, "<f4"))


ANY = (truncated, flipped, random_bytes, link_outside, link_to_device, fifo, folder, closed)
ANY = (*ANY, sparse, removed)
JSON = (nested, wrong_types, missing_keys, files_elsewhere)
NPZ = (odd_arrays, odd_arrays, many_arrays)


def spoil(rng: random.Random, path: Path, outside: Path) -> str:
    """Change a file in some way; return which."""
    ways: tuple[Mutation, ...] = ANY
    if path.suffix == ".json":
        ways = (*ANY, *JSON * 3)
    if path.suffix == ".npz":
        ways = (*ANY, *NPZ * 2)
    way = rng.choice(ways)
    try:
        if path.is_file() and not path.is_symlink():
            way(rng, path, outside)
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):  # it was spoilt before
        return f"{way.__name__} {path.name}, in vain"
    return f"{way.__name__} {path.name}"


def plant(rng: random.Random, run: Path, outside: Path) -> str:
    """Put something beside a run or into it that no recorder left there; return what."""
    staging = run.with_name(f".{run.name}.partial")
    place = rng.choice(
        (
            *(
                staging,
                staging,
                run.with_name(f"{run.name}.failed"),
                run.with_name(f".{run.name}.lock"),
            ),
            *(run / "files", run / "figures", run / "figures" / "a.png", run / "l" / ("n" * 250)),
        )
    )
    way = rng.choice(("link", "fifo", "deep", "closed", "file", "links", "junk"))
    try:
        place.parent.mkdir(exist_ok=True)
        if way == "link":
            leads = (outside, outside / "missing", outside / "secret", "/dev/zero")
            place.symlink_to(rng.choice(leads))
        elif way == "fifo":
            os.mkfifo(place)
        elif way == "file":
            with place.open("xb") as file:  # not into a pipe: that would wait for its reader
                file.write(rng.randbytes(100))
        else:
            place.mkdir()
            _fill(way, rng, place, outside)
    except OSError:  # something was planted there before
        return f"{way} at {place.name[:20]}, in vain"
    return f"{way} at {place.name[:20]}"


def _fill(way: str, rng: random.Random, place: Path, outside: Path) -> None:
    if way == "deep":
        here = os.open(place, os.O_RDONLY)
        for _ in range(1100):  # further than a recursion of Python's goes
            os.mkdir("d", dir_fd=here)
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.close(here)
    for number in range(5):
        (place / f"{number}.png").symlink_to(outside / "secret")
    if way == "junk":
        (place / "run.json").write_text('{"completed": true}')
        (place / "x.png").write_bytes(b"\x89PNG" + rng.randbytes(50))
        (place / ("long" * 60)).write_text("x")
    if way == "closed":
        place.chmod(0)
