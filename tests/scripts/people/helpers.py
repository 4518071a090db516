"""Imported by beside.py."""


def target(x):
    return x.sum(axis=1, keepdims=True)
