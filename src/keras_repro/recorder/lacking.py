"""What a script needs and its environment lacks: modules, programs, libraries; how to give them.

It is the error that tells: Python's own, or that of a package which asks for another one.
"""

from __future__ import annotations

import importlib.util
import re
from typing import Optional

FRAMEWORKS = ("theano", "tensorflow", "jax", "torch")
# {module: the line of a requirements file that brings it}, of what Keras scripts import. Of a
# module that is not here nobody knows whether it is a package, or a file of the script's own.
LINES = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "graphviz": "graphviz",
    "IPython": "ipython",
    "keras_applications": "keras-applications",
    "keras_cv": "keras-cv",
    "keras_hub": "keras-hub",
    "keras_nlp": "keras-nlp",
    "keras_preprocessing": "keras-preprocessing",
    "keras_tuner": "keras-tuner",
    "PIL": "pillow",
    "pydot_ng": "pydot",
    "pydotplus": "pydot",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_probability": "tensorflow-probability",
    "tensorflow_text": "tensorflow-text",
    "yaml": "pyyaml",
}
SAME = (
    ("flax", "gensim", "gymnasium", "h5py", "imageio")
    + ("jieba", "librosa", "lightgbm", "matplotlib", "networkx", "nltk")
    + ("optax", "optuna", "pandas", "plotly", "psutil")
    + ("scipy", "seaborn", "sentencepiece", "soundfile", "statsmodels", "sympy")
    + ("tokenizers", "torchvision", "tqdm", "transformers", "xgboost")
)
LINES.update((name, name) for name in SAME)
MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)")
# How Keras and others say which package they need besides.
ASKED = re.compile(
    r"\b(?:pip|conda) install [`'\"]?([a-zA-Z][\w-]*)(?![\w+:/=<>~-])"
    r"|\binstall the ([a-zA-Z][\w-]*) package"
)
# Keras' plot_model without pydot, and without Graphviz; pydot's own, and that of graphviz.
PYDOT = re.compile(r"No module named 'pydot|install `?pydot\b|[Ff]ailed to import `?pydot\b")
GRAPHVIZ = re.compile(
    r"install graphviz|failed to call GraphViz|ExecutableNotFound: failed to execute"
    r"|\"dot\" not found in path|No such file or directory: '(?:dot|neato)'"
)
LIBRARY = re.compile(r"\b(lib[\w.+-]+\.so[\d.]*): cannot open shared object file")
PROGRAM = re.compile(r"No such file or directory: '([\w+-]+)'")
# Debian's packages, of libraries and of programs that are not called as theirs.
OF_LIBRARY = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libsndfile.so.1": "libsndfile1",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
}
OF_PROGRAM = {
    "ffmpeg": "ffmpeg",
    "git": "git",
    "java": "default-jre-headless",
    "sox": "sox",
    "tesseract": "tesseract-ocr",
    "unzip": "unzip",
}
OR_HERE = " and --engine docker, or install it on this machine"


def is_lack(reason: str) -> bool:
    """Return whether a failure is that something is not there which can be given."""
    program = PROGRAM.search(reason)
    return bool(
        MODULE.search(reason)
        or LIBRARY.search(reason)
        or PYDOT.search(reason)
        or GRAPHVIZ.search(reason)
        or ("ImportError: " in reason and ASKED.search(reason))
        or (program and program.group(1) in OF_PROGRAM)
    )


def hint(reason: str, in_container: bool) -> Optional[str]:
    """Return what is missing and how to give it, in one line; None where nothing is known."""
    module, library, program = (each.search(reason) for each in (MODULE, LIBRARY, PROGRAM))
    graphviz = "%s%s" % ("--system-package graphviz", "" if in_container else OR_HERE)
    if PYDOT.search(reason):
        return "pydot and Graphviz are missing: %s, and the other with %s" % (
            _by_line("pydot"),
            graphviz,
        )
    if GRAPHVIZ.search(reason):
        return "Graphviz is missing: give it with %s" % graphviz
    if module:
        return _about_module(module.group(1))
    if library:
        name = OF_LIBRARY.get(library.group(1))
        what = "give it with" if name else "give Debian's package that has it with"
        return _in_words(library.group(1), what, name or "NAME", in_container)
    if program and program.group(1) in OF_PROGRAM:
        name = program.group(1)
        return _in_words(name, "give it with", OF_PROGRAM[name], in_container)
    asked = ASKED.search(reason)
    return _about_package(asked.group(1) or asked.group(2)) if asked else None


def _about_module(name: str) -> Optional[str]:
    """Return what to say of a module that is missing, None where nothing is known."""
    root = name.partition(".")[0]
    if root == "keras":
        return None
    if root != name and _is_here(root):
        return (
            "the backend's %s has no %s: the script, or a file that it reads, was made with "
            "another release of it" % (root, name)
        )
    # Keras 3 reads what TensorFlow makes on these, too.
    if root == "tensorflow" and (_is_here("jax") or _is_here("torch")):
        return (
            "the backend has no tensorflow: take --backend tensorflow; or, where the script needs "
            "it beside another one, as for tf.data, %s" % _by_line("tensorflow-cpu")
        )
    if root in FRAMEWORKS:
        return "it is written for another backend, with %s" % root
    if root in LINES:
        return "the backend has no %s: %s" % (root, _by_line(LINES[root]))
    return "the backend has no %s; name what to add with --requirements FILE" % root


def _about_package(name: str) -> Optional[str]:
    """Return what to say of a package that another one asks for by name."""
    if _is_here(name.replace("-", "_")):  # in another release, say
        return None
    if name == "tensorflow":
        return _about_module(name)
    return "%s is missing: %s" % (name, _by_line(name))


def _is_here(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _by_line(line: str) -> str:
    return "write %s into a file, and give that with --requirements FILE" % line


def _in_words(missing: str, what: str, package: str, in_container: bool) -> str:
    way = "" if in_container else OR_HERE
    return "%s is missing: %s --system-package %s%s" % (missing, what, package, way)
