"""A small model whose first weights, data and costs follow from whatever a script hands in."""

import keras
import numpy as np


def number(*parts):
    """Return a seed that these parts decide, whatever they are."""
    import hashlib

    return int(hashlib.sha256(repr(parts).encode()).hexdigest()[:8], 16)


def train(*parts, order=None):
    """Train on data, and from weights, that these parts decide; print them."""
    print(*parts)
    generator = np.random.RandomState(number(*parts))
    x = generator.normal(size=(8, 3)).astype("float32")
    y = x.sum(1, keepdims=True)
    model = keras.models.Sequential([keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.predict(x[:1], verbose=0)
    kernel, bias = model.get_weights()
    model.set_weights([generator.normal(size=kernel.shape).astype("float32"), bias])
    model.fit(x, y, epochs=2, batch_size=4, verbose=1)
    return model
