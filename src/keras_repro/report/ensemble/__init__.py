"""Ensembles of seeds, and the decision on two of them, for every format."""
