"""What a run has imported is found without importing anything."""

import sys
from types import ModuleType

from keras_repro.recorder import facts


class Lazy(ModuleType):
    """Imports when it is asked for anything, as parts of TensorFlow 1 do; and may fail at that."""

    def __getattr__(self, name):
        raise DeprecationWarning(name)


def test_a_lazy_module_is_left_alone(tmp_path, monkeypatch):
    beside = ModuleType("beside_a_script")
    beside.__file__ = str(tmp_path / "beside_a_script.py")
    (tmp_path / "beside_a_script.py").write_text("")
    monkeypatch.setitem(sys.modules, "beside_a_script", beside)
    lazy = Lazy("lazy_beside_a_script")
    vars(lazy).pop("__file__", None)
    monkeypatch.setitem(sys.modules, "lazy_beside_a_script", lazy)
    assert list(facts.modules_below(str(tmp_path), "script.py")) == ["beside_a_script.py"]
