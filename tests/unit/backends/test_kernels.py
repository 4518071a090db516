"""What limits kernels, by library and backend: the table holds together."""

import pytest

from keras_repro import backends
from keras_repro.backends.kernels import joined, table

LIBRARIES = sorted(table().libraries.items())


@pytest.mark.parametrize(("name", "library"), LIBRARIES)
def test_a_library_names_backends_and_levels_that_there_are(name, library):
    known, levels = set(backends.load()), list(table().levels)
    said = {*library.backends, *library.without, *library.switch, *library.without_switch}
    assert said <= known
    assert not set(library.backends) & set(library.without), name
    assert list(library.limits) == [level for level in levels if level in library.limits]
    assert library.portable


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
