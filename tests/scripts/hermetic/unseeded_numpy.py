"""Data of NumPy's generators without a seed."""

import numpy as np
from net import train

train(
    np.random.default_rng().normal(),
    np.random.RandomState().normal(),
    np.random.SeedSequence().entropy,
    np.random.Generator(np.random.PCG64()).normal(),
)
np.random.seed()
train(np.random.normal())
