"""A hook runs once, right after its module."""

import gc
import importlib.util
import sys
from types import ModuleType

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

    import_hooks.install([{"some_framework": hook}])
    import importer

    assert seen == [1]
    assert importer.value == 2
    import some_framework

    assert some_framework.value == 2
    assert seen == [1]


def test_a_module_that_is_not_there_stays_not_there():
    import_hooks.install([{"no_such_module_here": lambda module: None}])
    with pytest.raises(ModuleNotFoundError):
        __import__("no_such_module_here")


def test_looking_a_module_up_does_not_lose_its_hook(tmp_path):
    (tmp_path / "some_framework.py").write_text("value = 1\n")
    seen = []
    import_hooks.install([{"some_framework": seen.append}])
    assert importlib.util.find_spec("some_framework") is not None
    assert seen == []
    __import__("some_framework")
    assert [module.value for module in seen] == [1]


def test_the_collector_pauses_while_a_framework_is_imported_and_passes_over_it_then(tmp_path):
    (tmp_path / "torch.py").write_text(
        "import gc\nmade = []\nmade.append(made)\ncollecting = gc.isenabled()\n"
        "import theano\nstill_paused = not gc.isenabled()\n"
    )
    (tmp_path / "theano.py").write_text("import gc\ncollecting = gc.isenabled()\n")
    import_hooks.install([{"torch": lambda module: None}])
    try:
        import torch

        assert (torch.collecting, torch.theano.collecting, torch.still_paused) == (0, 0, 1)
        assert gc.isenabled()
        assert not any(one is torch.made for one in gc.get_objects())
    finally:
        gc.unfreeze()


def test_a_model_is_not_kept_from_being_collected_by_a_framework_that_comes_late(
    tmp_path, monkeypatch
):
    (tmp_path / "torch.py").write_text("")
    keras = ModuleType("keras")
    keras.models = None
    monkeypatch.setitem(sys.modules, "keras", keras)
    import_hooks.install([{}])
    model = []
    model.append(model)
    import torch  # noqa: F401

    assert any(one is model for one in gc.get_objects())


def test_a_script_that_turned_the_collector_off_is_left_alone(tmp_path):
    (tmp_path / "torch.py").write_text("")
    import_hooks.install([{}])
    gc.disable()
    try:
        import torch  # noqa: F401

        assert not gc.isenabled()
        assert gc.get_freeze_count() == 0
    finally:
        gc.enable()
