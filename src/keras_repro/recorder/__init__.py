"""Runs inside the container: seeds, watches and writes a run. Python 3.7 to 3.13, NumPy only.

Imports nothing of the rest of the package, because it runs in every backend's own environment.
"""
