"""Parity, inside: keep what each layer of a script's models computes, for another run to repeat.

``probe`` does so, before each model's first use. ``keras2`` and ``keras3`` offer the same functions
to it, one for each generation of Keras. Nothing here judges: figures are kept as they are measured.
"""
