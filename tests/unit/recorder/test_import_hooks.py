"""A hook runs once, right after its module."""

import importlib.util
import sys

import pytest

from keras_repro.recorder import import_hooks


@pytest.fixture(autouse=True)
def _restore(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_the_hook_sees_the_finished_module_before_the_importer_does(tmp_path):
    (tmp_path / "some_framework.py").write_text("value = 1\n")
    (tmp_path / "importer.py").write_text("from some_framework import value\n")
    seen = []

    def hook(module):
        seen.append(module.value)
        module.value = 2

    import_hooks.install({"some_framework": hook})
    import importer

    assert seen == [1]
    assert importer.value == 2
    import some_framework

    assert some_framework.value == 2
    assert seen == [1]


def test_a_module_that_is_not_there_stays_not_there():
    import_hooks.install({"no_such_module_here": lambda module: None})
    with pytest.raises(ModuleNotFoundError):
        __import__("no_such_module_here")


def test_looking_a_module_up_does_not_lose_its_hook(tmp_path):
    (tmp_path / "some_framework.py").write_text("value = 1\n")
    seen = []
    import_hooks.install({"some_framework": seen.append})
    assert importlib.util.find_spec("some_framework") is not None
    assert seen == []
    __import__("some_framework")
    assert [module.value for module in seen] == [1]
