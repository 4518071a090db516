"""What an image has besides its base's: the layers, by what they hold, and the way to each."""

from itertools import pairwise

import pytest

from keras_repro import backends
from keras_repro.engines import images
from keras_repro.engines.images import image_name, parent

[JAX] = backends.select(("jax",))
LOCK = {"other_lock": f"{JAX.lock}# another"}
EXTRA = {"extra": "pydot==4.0.1"}
SYSTEM = {"system_packages": ("graphviz", "libgl1=1.6.0-1")}
PYTHON = {"python": "3.12"}
EMULATED = {"emulates": True}


def having(*parts):
    return JAX.model_copy(update={name: value for part in parts for name, value in part.items()})


@pytest.mark.parametrize(
    ("parts", "below"),
    [
        ((), None),
        ((EXTRA,), ()),
        ((SYSTEM,), ()),
        ((EXTRA, SYSTEM), ()),  # one layer for both
        ((LOCK,), ()),
        ((LOCK, SYSTEM), (SYSTEM,)),  # a search tries many locks on one
        ((LOCK, EXTRA), (LOCK,)),
        ((LOCK, EXTRA, SYSTEM), (LOCK, SYSTEM)),
        ((EMULATED,), ()),
        ((EXTRA, SYSTEM, EMULATED), ()),
        ((LOCK, EMULATED), (EMULATED,)),
        ((LOCK, EXTRA, EMULATED), (LOCK, EMULATED)),
        ((LOCK, PYTHON, EMULATED), (LOCK, PYTHON)),
        ((LOCK, PYTHON), None),
        ((LOCK, PYTHON, EXTRA, SYSTEM), (LOCK, PYTHON)),
    ],
)
def test_each_image_is_a_layer_on_the_one_that_has_less(parts, below):
    found = parent(having(*parts))
    assert found == (None if below is None else having(*below))
    assert images.is_built_by_compose(having(*parts)) is (parts == ())


def test_each_has_a_name_of_its_own():
    every = [(), (EXTRA,), (SYSTEM,), (EXTRA, SYSTEM), (LOCK,), (LOCK, SYSTEM), (LOCK, EXTRA)]
    every += [(LOCK, EXTRA, SYSTEM), ({"system_packages": ("graphviz",)},)]
    every += [(EMULATED,), (SYSTEM, EMULATED), (EXTRA, EMULATED), (LOCK, EMULATED)]
    names = {image_name(having(*parts)) for parts in every}
    assert len(names) == len(every)
    assert sum(name.endswith(":latest") for name in names) == 1


def test_an_image_of_pythons_packages_alone_keeps_its_name():
    extra = having(EXTRA)
    assert image_name(extra) == f"keras-repro/jax:extra-{extra.extra_sha256[:16]}"


def options(command, name):
    return [after for at, after in pairwise(command) if at == name]


@pytest.mark.parametrize("parts", [(SYSTEM,), (EXTRA, SYSTEM)])
def test_debians_packages_are_lines_of_a_file_and_no_words_of_a_command(parts, tmp_path):
    backend = having(*parts)
    command = images.layer(backend, "sha256:1", tmp_path)
    assert (tmp_path / "system-packages.txt").read_text() == "graphviz\nlibgl1=1.6.0-1\n"
    assert not [word for word in command if "graphviz" in word]
    assert {path.name for path in tmp_path.glob("*.sh")} == {"debian.sh", "system.sh"}
    target = "with-python" if EXTRA in parts else "with-debian"
    assert options(command, "--target") == [target]
    assert not [word for word in options(command, "--build-arg") if word.startswith("BELOW=")]


@pytest.mark.parametrize("parts", [(EXTRA,), (LOCK, EXTRA, SYSTEM)])
def test_what_has_all_of_debians_already_asks_for_none(parts, tmp_path):
    backend = having(*parts)
    command = images.layer(backend, "sha256:1", tmp_path)
    assert not (tmp_path / "system-packages.txt").exists()
    assert f"BELOW={image_name(parent(backend))}" in options(command, "--build-arg")
    assert options(command, "--target") == ["with-python"]


def test_another_processor_takes_a_package_of_debians_once(tmp_path):
    assert having(SYSTEM, EMULATED).from_debian == ("graphviz", "libgl1=1.6.0-1", "qemu-user")
    asked = having({"system_packages": ("qemu-user=1:7.2",)}, EMULATED)
    assert asked.from_debian == ("qemu-user=1:7.2",)
    images.layer(having(EMULATED), "sha256:1", tmp_path)
    assert (tmp_path / "system-packages.txt").read_text() == "qemu-user\n"
