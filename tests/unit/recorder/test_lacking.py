"""What a script needs and its environment lacks: it is named, and how to give it."""

import pytest

from keras_repro.recorder import advice, lacking

LINE = "write {} into a file, and give that with --requirements FILE"
# As Keras 3.15.1, Keras 2.3.1, tf.keras 1.15.5, pydot, graphviz, pandas and the loader say it.
PYDOT = [
    "ImportError: You must install pydot (`pip install pydot`) for `plot_model` to work.",
    "ImportError: Failed to import `pydot`. Please install `pydot`. For example with `pip install "
    "pydot`.",
    "ImportError: Failed to import pydot. You must install pydot and graphviz for `pydotprint` to "
    "work.",
    "ModuleNotFoundError: No module named 'pydot'",
    "ModuleNotFoundError: No module named 'pydot_ng'",
]
GRAPHVIZ = [
    "ImportError: You must install graphviz (see instructions at "
    "https://graphviz.gitlab.io/download/) for `plot_model` to work.",
    "OSError: `pydot` failed to call GraphViz.Please install GraphViz (https://www.graphviz.org/) "
    "and ensure that its executables are in the $PATH.",
    'FileNotFoundError: [Errno 2] "dot" not found in path.',
    "graphviz.backend.execute.ExecutableNotFound: failed to execute PosixPath('dot'), make sure "
    "the Graphviz executables are on your systems' PATH",
]


def hint(reason, *, in_container=True):
    return advice.hint(f"exit status 1: {reason}", [], in_container)


@pytest.fixture
def has(monkeypatch):
    """Say which modules the backend has."""

    def only(*names):
        there = lambda name: object() if name in names else None  # noqa: E731
        monkeypatch.setattr(lacking.importlib.util, "find_spec", there)

    only("keras", "jax")
    return only


@pytest.mark.parametrize("reason", PYDOT)
def test_plot_model_wants_two_things(has, reason):
    said = "pydot and Graphviz are missing: %s, and the other with --system-package graphviz"
    assert hint(reason) == said % LINE.format("pydot")


@pytest.mark.parametrize("reason", GRAPHVIZ)
def test_graphviz_is_no_package_of_pythons(has, reason):
    assert hint(reason) == "Graphviz is missing: give it with --system-package graphviz"


def test_without_a_container_it_can_be_installed_here():
    end = "--system-package graphviz and --engine docker, or install it on this machine"
    for reason in (PYDOT[0], GRAPHVIZ[0]):
        assert hint(reason, in_container=False).endswith(end)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("sklearn", "scikit-learn"),
        ("sklearn.datasets", "scikit-learn"),
        ("pandas", "pandas"),
        ("matplotlib.pyplot", "matplotlib"),
        ("cv2", "opencv-python-headless"),
        ("PIL", "pillow"),
        ("yaml", "pyyaml"),
        ("tensorflow_datasets", "tensorflow-datasets"),
    ],
)
def test_a_module_that_is_known_is_a_line(has, module, line):
    said = hint(f"ModuleNotFoundError: No module named '{module}'")
    assert said == f"the backend has no {module.partition('.')[0]}: {LINE.format(line)}"


def test_of_another_module_nobody_knows_whether_it_is_a_package(has):
    said = hint("ModuleNotFoundError: No module named 'settings'")
    assert said == "the backend has no settings; name what to add with --requirements FILE"


@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize(
    "reason",
    [
        "ModuleNotFoundError: No module named 'tensorflow'",
        "ModuleNotFoundError: No module named 'tensorflow.keras'",
        "ImportError: This requires the tensorflow module. You can install it via `pip install "
        "tensorflow`",
        "ImportError: Layer TextVectorization requires TensorFlow. Install it via `pip install "
        "tensorflow`.",
    ],
)
def test_tensorflow_can_stand_beside_another_backend(has, backend, reason):
    has("keras", backend)
    said = hint(reason)
    assert said.startswith("the backend has no tensorflow: take --backend tensorflow; or, ")
    assert said.endswith(LINE.format("tensorflow-cpu"))


@pytest.mark.parametrize("framework", ["tensorflow", "torch", "jax"])
def test_other_frameworks_are_other_backends(has, framework):
    has("keras", "theano")
    said = hint(f"ModuleNotFoundError: No module named '{framework}'")
    assert said == f"it is written for another backend, with {framework}"


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("ImportError: `KerasRegressor` ... Run `pip install scikit-learn` to it.", "scikit-learn"),
        ("ImportError: Missing. Use pip or conda to install the openpyxl package.", "openpyxl"),
        ("ImportError: install it via pip install orbax-checkpoint.", "orbax-checkpoint"),
    ],
)
def test_a_package_that_another_one_asks_for(has, reason, line):
    assert hint(reason) == f"{line} is missing: {LINE.format(line)}"


@pytest.mark.parametrize(
    "reason",
    [
        "ImportError: pip install git+https://example.org/x",
        "ImportError: pip install numpy==1.0",
        "ImportError: run `pip install keras` again",  # it is there
        "ValueError: pip install x",
        "FileNotFoundError: [Errno 2] No such file or directory: 'here.csv'",
        "FileNotFoundError: [Errno 2] No such file or directory: 'data'",
    ],
)
def test_what_tells_nothing(has, reason):
    assert hint(reason) is None


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            "ImportError: libGL.so.1: cannot open shared object file: No such file or directory",
            "libGL.so.1 is missing: give it with --system-package libgl1",
        ),
        (
            "OSError: libodd.so.7: cannot open shared object file: No such file or directory",
            "libodd.so.7 is missing: give Debian's package that has it with --system-package NAME",
        ),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'ffmpeg'",
            "ffmpeg is missing: give it with --system-package ffmpeg",
        ),
    ],
)
def test_libraries_and_programs_are_debians(reason, said):
    assert hint(reason) == said


def test_what_is_no_lack_keeps_its_own_advice():
    assert "another release" in hint("ModuleNotFoundError: No module named 'numpy.no_such'")
    assert hint("ModuleNotFoundError: No module named 'keras.engine'") is None
