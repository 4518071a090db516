"""Make a run repeatable: seeds, determinism switches, thread counts."""

from __future__ import annotations

import functools
import os
import random
import sys
from types import ModuleType
from typing import Any, Callable, Dict, Mapping, Optional

from keras_repro.recorder.contract import SETTINGS, THREAD_VARIABLES

# One thread, no BLAS of the host's, and code for any x86-64 processor: g++'s -march=native would
# tie both the compiled cache and the numbers to one. http://deeplearning.net/software/theano
# /library/config.html
THEANO_FLAGS = "device=cpu,openmp=False,blas.ldflags=,deterministic=more,gcc.cxxflags=-march=x86-64"


def environment(
    seed: int,
    threads: int,
    given: Optional[Mapping[str, str]] = None,
    hash_seed: Optional[int] = None,
) -> Dict[str, str]:
    """Return the variables that must stand before the interpreter or a framework starts.

    ``given`` is the environment in which they are to stand, this process' own by default. The
    seed is that of Python's hashes too, but where ``hash_seed`` is another.

    Sources: https://docs.python.org/3/using/cmdline.html#envvar-PYTHONHASHSEED,
    https://docs.nvidia.com/cuda/cublas/#results-reproducibility and, for XLA,
    ``--xla_cpu_multi_thread_eigen`` in xla/debug_options_flags.cc.
    """
    given = os.environ if given is None else given
    of_hashes = seed if hash_seed is None else hash_seed
    variables = {"PYTHONHASHSEED": str(of_hashes), "PYTHONUNBUFFERED": "1"}
    variables.update({name: str(threads) for name in THREAD_VARIABLES})
    variables.update({name: given.get(name, value) for name, value in SETTINGS.items()})
    flags = given.get("THEANO_FLAGS", "")
    if THEANO_FLAGS not in flags:
        variables["THEANO_FLAGS"] = ",".join(filter(None, [THEANO_FLAGS, flags]))  # the last wins
    if threads == 1:
        flags = given.get("XLA_FLAGS", "")
        if "xla_cpu_multi_thread_eigen" not in flags:
            variables["XLA_FLAGS"] = (flags + " --xla_cpu_multi_thread_eigen=false").strip()
    return variables


def with_own(given: Mapping[str, str], own: Mapping[str, str]) -> Dict[str, str]:
    """Return an environment with a script's own variables in it.

    Theano goes on finding what it compiled: its flags are joined, of which the last wins.
    """
    found, name = dict(given, **own), "THEANO_FLAGS"
    if name in given and name in own:
        found[name] = "%s,%s" % (given[name], own[name])
    return found


def seed_python_and_numpy(seed: int) -> None:
    """Seed ``random`` and NumPy's global generator.

    Keras 3 draws its initializers' seeds from ``random``, so seeding NumPy alone is not enough.
    """
    random.seed(seed)
    import numpy  # noqa: PLC0415 - after the thread counts are set

    numpy.random.seed(seed)


def framework_hooks(seed: int, threads: int) -> Dict[str, Callable[[ModuleType], None]]:
    """Return, per framework, what to do as soon as it is imported.

    Each touches only the framework's own generator: Python's and NumPy's belong to the script
    from its first line on.

    What a process that the script starts inherits must not ask TensorFlow for determinism there:
    nobody seeds that one, and TensorFlow 2 then refuses to draw.
    """
    deterministic = os.environ.pop("TF_DETERMINISTIC_OPS", None)

    def tensorflow(module: ModuleType) -> None:
        if module.__version__.startswith("1."):
            if deterministic is not None:
                os.environ["TF_DETERMINISTIC_OPS"] = deterministic
            module.compat.v1.set_random_seed(seed)
            _before_eager(module, seed)
            return
        module.config.threading.set_intra_op_parallelism_threads(threads)
        module.config.threading.set_inter_op_parallelism_threads(threads)
        module.config.experimental.enable_op_determinism()
        module.random.set_seed(seed)

    def torch(module: ModuleType) -> None:
        module.set_num_threads(threads)
        module.manual_seed(seed)
        module.use_deterministic_algorithms(True)

    return {"tensorflow": tensorflow, "torch": torch}


def _before_eager(tensorflow: ModuleType, seed: int) -> None:
    """Let a script turn eager execution on, which TensorFlow 1 allows before there is a graph.

    To seed has made one. Without an operation in it, it is nobody's, and may go.
    """
    ops: Any = sys.modules.get("tensorflow.python.framework.ops")
    enable = getattr(ops, "enable_eager_execution_internal", None)
    if enable is None:
        return

    @functools.wraps(enable)
    def call(*args: Any, **kwargs: Any) -> Any:
        graphs = ops._default_graph_stack
        was_on = tensorflow.compat.v1.executing_eagerly()
        made = graphs._global_default_graph
        if not was_on and made is not None and not made.get_operations():
            graphs._global_default_graph = None
        result = enable(*args, **kwargs)
        if not was_on:
            tensorflow.compat.v1.set_random_seed(seed)
        return result

    ops.enable_eager_execution_internal = call


def determinism_facts() -> Dict[str, object]:
    """Return what the frameworks that this process imported say of their own determinism."""
    facts: Dict[str, object] = {}
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["torch.deterministic_algorithms"] = torch.are_deterministic_algorithms_enabled()
        facts["torch.num_threads"] = torch.get_num_threads()
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is not None and not tensorflow.__version__.startswith("1."):
        threading = tensorflow.config.threading
        facts["tensorflow.op_determinism"] = True
        facts["tensorflow.intra_op_threads"] = threading.get_intra_op_parallelism_threads()
        facts["tensorflow.inter_op_threads"] = threading.get_inter_op_parallelism_threads()
    jax = sys.modules.get("jax")
    if jax is not None:
        facts["jax.default_prng_impl"] = jax.config.jax_default_prng_impl
        facts["jax.enable_x64"] = jax.config.jax_enable_x64
    theano = sys.modules.get("theano")
    if theano is not None:
        for name in ("device", "floatX", "openmp", "optimizer", "cxx"):
            facts["theano." + name] = getattr(theano.config, name)
        facts["theano.blas.ldflags"] = theano.config.blas.ldflags
        facts["theano.gcc.cxxflags"] = theano.config.gcc.cxxflags
    return facts
