"""What a release pins, by what the resolver says goes with what."""

import pytest

from keras_repro import backends
from keras_repro.packages import pins, resolve
from tests.planted_index import PlantedIndex


@pytest.fixture
def index(tmp_path, monkeypatch):
    """An index of planted packages alone; whatever was resolved before is not looked at."""
    found = PlantedIndex(tmp_path / "index")
    monkeypatch.setenv("UV_DEFAULT_INDEX", found.url)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return found


def environment(**packages):
    lock = "".join(f"{name}=={version}\n" for name, version in packages.items())
    return backends.load()["jax"].model_copy(update={"other_lock": lock})


def pinned(before, after):
    old, new = environment(**before), environment(**after)
    return pins.pins(new, resolve.moves(old, new))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("tail==1.0", "tail==2.0", ["tail"]),
        ("tail<=1.0,>=1.0", "tail<=2.0,>=2.0", ["tail"]),
        ("tail<2,>=1.0", "tail<3,>=2.0", []),  # 2.5 goes with it too
        ("tail<1.1,>=1.0", "tail<2.1,>=2.0", ["tail"]),  # 2.0.3 does, of the same minor release
        ("tail~=1.0.0", "tail~=2.0.0", ["tail"]),
        ("tail", "tail==2.0", []),  # the old one takes the new tail
        ("tail==1.0", "tail", []),  # the new one takes the old tail
        ("tail<2", "tail>=2", []),
        ("", "", []),
    ],
)
def test_a_release_pins_what_neither_is_to_be_had_without(index, first, second, expected):
    for version in ("1.0", "2.0", "2.0.3", "2.5"):
        index.release("tail", version, 1.0)
    for version, needs in (("1.0", first), ("2.0", second)):
        index.release("head", version, 1.0, requires=(needs,) if needs else ())
    found = pinned({"head": "1.0", "tail": "1.0"}, {"head": "2.0", "tail": "2.0"})
    assert found == ({"head": expected} if expected else {})


def test_what_is_pinned_by_something_else_is_not_its(index):
    """Both need a middle one that pins the tail, as TensorFlow needs a Keras that needs another."""
    for version in ("1.0", "2.0"):
        index.release("tail", version, 1.0)
        index.release("middle", version, 1.0, requires=(f"tail=={version}",))
        index.release("head", version, 1.0, requires=("middle",))
    names = ("head", "middle", "tail")
    found = pinned(dict.fromkeys(names, "1.0"), dict.fromkeys(names, "2.0"))
    assert found == {"middle": ["tail"]}


def test_what_is_new_or_gone_is_not_pinned(index):
    index.release("tail", "1.0", 1.0)
    index.release("head", "1.0", 1.0)
    index.release("head", "2.0", 1.0, requires=("tail==1.0",))
    assert pinned({"head": "1.0"}, {"head": "2.0", "tail": "1.0"}) == {}
    assert pinned({"head": "2.0", "tail": "1.0"}, {"head": "1.0"}) == {}
