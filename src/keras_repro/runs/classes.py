"""Two numeric classes: the same, another one, or not known, and what is said of that."""

from typing import NamedTuple

from keras_repro.runs.run import NumericClass, Origin, ProcessorFacts

FACT = "numeric class"
MOST_NAMED = 5
# The widest first: what is said of a processor, and the instruction set that stands for it.
WIDEST = (
    ("AMX", "amx_tile"),
    ("AVX-512", "avx512f"),
    ("AVX2", "avx2"),
    ("AVX", "avx"),
    ("SSE4.2", "sse4_2"),
    ("SVE", "sve"),
    ("NEON", "asimd"),
)
# The kernels that most of a training consists of are named first, then in the class' own order.
FIRST = ("matmul", "dense_gradients", "conv2d", "conv2d_gradients", "softmax", "sums")
# Facts that say nothing more of the numbers of two runs of one class.
OF_THE_PROCESSOR = ("processor", "instruction sets", "cores")


class Another(NamedTuple):
    """How two classes differ: each in short, and all in a sentence's part."""

    before: str
    after: str
    says: str


def same_class(obtained: Origin, expected: Origin) -> bool:
    """Return whether both sides are known to compute the same bits in every kernel."""
    pair = _comparable(obtained, expected)
    return pair is not None and pair[0].digest == pair[1].digest and pair[0].is_whole


def differing_kernels(obtained: Origin, expected: Origin) -> list[str] | None:
    """Return the kernels whose bits differ, as far as both sides know them; None for no idea."""
    pair = _comparable(obtained, expected)
    if pair is None:
        return None
    here, there = (each.kernels for each in pair)
    names = [name for name in here if here[name] and there.get(name) not in (None, here[name])]
    return sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def another_class(obtained: Origin, expected: Origin) -> Another | None:
    """Return how the classes differ; None where they do not, or where one is not known."""
    names = differing_kernels(obtained, expected)
    if not names or obtained.numeric_class is None or expected.numeric_class is None:
        return None
    there, here = expected.numeric_class, obtained.numeric_class
    shown = ", ".join(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        shown += f" and {len(names) - MOST_NAMED} more"
    before, after, why = there.short, here.short, ""
    if said := _said(there.processor, here.processor):
        before, after = f"{before} ({said[0]})", f"{after} ({said[1]})"
        why = f" ({said[0]} there, {said[1]} here)"
    return Another(
        before, f"{after}; differing: {', '.join(names)}", f"another {FACT}: {shown}{why}"
    )


def _comparable(obtained: Origin, expected: Origin) -> tuple[NumericClass, NumericClass] | None:
    here, there = obtained.numeric_class, expected.numeric_class
    if here is None or there is None or not here.digest or not there.digest:
        return None
    if here.version != there.version or obtained.backend != expected.backend:
        return None
    return here, there


def _said(there: ProcessorFacts, here: ProcessorFacts) -> tuple[str, str] | None:
    """Return in a word or two how two processors differ; None where they do not."""
    for words in (_widest, _model, _caches):
        before, after = words(there), words(here)
        if before != after and before and after:
            return before, after
    return None


def _widest(processor: ProcessorFacts) -> str:
    known = (word for word, flag in WIDEST if flag in processor.instruction_sets)
    return next(known, "")


def _model(processor: ProcessorFacts) -> str:
    if not processor.vendor:
        return ""
    return f"{processor.vendor} {processor.family}/{processor.model}/{processor.stepping}"


def _caches(processor: ProcessorFacts) -> str:
    return ", ".join(f"{name} {size >> 10} kB" for name, size in sorted(processor.caches.items()))
