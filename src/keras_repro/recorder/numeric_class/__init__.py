"""The numeric class: what this environment computes here for fixed kernels, as a digest.

docs/reference/numeric-class.md says what it is for. ``known`` gives it to a run; ``process`` is the
process that computes it; the other modules are the kernels.
"""
