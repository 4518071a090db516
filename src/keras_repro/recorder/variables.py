"""The environment variables of a script: which are set, recorded, its own, and no secret.

A part of the contract between the recorder and the harness. The standard library alone, on
Python 3.7.
"""

from __future__ import annotations

import re
from typing import Dict, Mapping, Tuple

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS") + (
    ("NUMEXPR_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
)

# Where the caller set none: these, which hide every accelerator but the cpu. Recorded either way.
SETTINGS = {
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_DETERMINISTIC_OPS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "JAX_PLATFORMS": "cpu",
    "CUDA_VISIBLE_DEVICES": "-1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}

# The recorder's own: a script's environment may not set them.
OWN_VARIABLES = ("PYTHONHASHSEED", "PYTHONPATH", "PYTHONUNBUFFERED", "MPLBACKEND") + (
    ("HOME", "KERAS_HOME") + THREAD_VARIABLES
)

RECORDED_VARIABLES = (
    ("PYTHONHASHSEED",)
    + THREAD_VARIABLES
    + tuple(SETTINGS)
    + ("XLA_FLAGS", "THEANO_FLAGS", "ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
    + ("OPENBLAS_CORETYPE", "KERAS_BACKEND", "LC_ALL", "LANG", "TZ")
)

SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


def variable(text: str) -> Tuple[str, str]:
    """Return the name and the value of "NAME=VALUE". Raises ValueError."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise ValueError("%r is not NAME=VALUE" % text)
    if name in OWN_VARIABLES:
        raise ValueError("%s: keras-repro sets it itself; leave it out" % name)
    return name, value


def without_secrets(variables: Mapping[str, str]) -> Dict[str, str]:
    """Return the script's own variables as its facts show them: without what may be a secret."""
    return {
        name: "(not shown)" if SECRET.search(name) else value for name, value in variables.items()
    }
