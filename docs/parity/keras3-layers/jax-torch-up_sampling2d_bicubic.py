"""UpSampling2D parts between jax and torch.

Its output in inference: means something else: 1.0e-01 apart in float64 too.
Run it with each backend, beside its data:

    KERAS_BACKEND=jax python jax-torch-up_sampling2d_bicubic.py
    KERAS_BACKEND=torch python jax-torch-up_sampling2d_bicubic.py
"""

import keras
import numpy as np

data = np.load("jax-torch-up_sampling2d_bicubic.npz", allow_pickle=False)
layer = keras.layers.UpSampling2D.from_config(
    {'data_format': 'channels_last',
     'dtype': {'class_name': 'DTypePolicy',
               'config': {'name': 'float32'},
               'module': 'keras',
               'registered_name': None},
     'interpolation': 'bicubic',
     'name': 'up_sampling2d_bicubic',
     'size': [2, 2],
     'trainable': True}
)
inputs = keras.layers.Input(batch_shape=data["input0"].shape)
model = keras.models.Model(inputs, layer(inputs))
weights = []
layer.set_weights(weights)
obtained = model.predict(data["input0"])
print(keras.backend.backend(), "largest difference:", np.abs(obtained - data["expected"]).max())
