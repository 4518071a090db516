"""Both generations of Keras offer the same to the probe."""

import ast
import inspect

from keras_repro.recorder.parity import keras2, keras3, probe


def test_the_same_functions_with_the_same_parameters():
    tree = ast.parse(inspect.getsource(probe))
    used = {node.attr for node in ast.walk(tree) if _is_of_ops(node)}
    assert used >= {"trace", "compute", "use_float64"}
    for name in used - {"value", "assign"}:  # Keras 2 has no variables to give them
        old, new = (list(inspect.signature(getattr(k, name)).parameters) for k in (keras2, keras3))
        assert old == new, name


def _is_of_ops(node):
    of = node.value if isinstance(node, ast.Attribute) else None
    return isinstance(of, ast.Attribute) and of.attr == "_ops"
