"""What limits kernels, by library and backend: the table holds together."""

import json

import pytest

from keras_repro import backends
from keras_repro.backends.kernels import joined, portable, table

LIBRARIES = sorted(table().libraries.items())


@pytest.mark.parametrize(("name", "library"), LIBRARIES)
def test_a_library_names_backends_and_levels_that_there_are(name, library):
    known, levels = set(backends.load()), list(table().levels)
    said = {*library.backends, *library.without, *library.switch, *library.without_switch}
    assert said <= known
    assert not set(library.backends) & set(library.without), name
    assert list(library.limits) == [level for level in levels if level in library.limits]
    assert library.portable or name == "theano"  # which is portable as it is


@pytest.mark.parametrize("backend", sorted(backends.load()))
def test_each_backend_has_something_to_limit(backend):
    libraries = table().of(backend)
    assert "glibc" in libraries
    assert "openblas" in libraries


def test_a_library_takes_its_highest_level_that_is_not_above():
    aten, glibc = table().libraries["aten"], table().libraries["glibc"]
    assert aten.limited_to("avx") == {"ATEN_CPU_CAPABILITY": "default"}
    assert aten.limited_to("avx2") == {"ATEN_CPU_CAPABILITY": "avx2"}
    assert glibc.limited_to("avx512") == {}


def test_settings_join_what_a_user_put_there_and_replace_what_holds_one_value():
    mine = {"XLA_FLAGS": "--mine", "OPENBLAS_CORETYPE": "Zen", "MY": "1"}
    settings = [{"XLA_FLAGS": "--ours", "OPENBLAS_CORETYPE": "Nehalem"}, {"GLIBC_TUNABLES": "a=b"}]
    assert joined(mine, settings) == {
        "XLA_FLAGS": "--mine --ours",
        "OPENBLAS_CORETYPE": "Nehalem",
        "GLIBC_TUNABLES": "a=b",
        "MY": "1",
    }
    assert mine["XLA_FLAGS"] == "--mine"


def test_what_is_portable_has_no_library_that_can_be_off():
    def of(backend):
        return {name: set(those) for name, _, those in json.loads(portable(backend))}

    off = "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL"
    assert off in of("tensorflow")["oneDNN"]
    assert of("tensorflow1")["oneDNN"] == {off}
    assert of("torch")["oneDNN"] == {"ONEDNN_MAX_CPU_ISA"}
    assert set(of("theano")) == {"OpenBLAS", "glibc"}
