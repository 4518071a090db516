"""MaxPooling3D parts between theano and tensorflow1.

Its output in inference: the other is 1.6e+00 off float64, the peer 0.0e+00.
Run it with each backend, beside its data:

    KERAS_BACKEND=theano python theano-tensorflow1-max_pooling3d_same.py
    KERAS_BACKEND=tensorflow python theano-tensorflow1-max_pooling3d_same.py
"""

import keras
import numpy as np

data = np.load("theano-tensorflow1-max_pooling3d_same.npz", allow_pickle=False)
layer = keras.layers.MaxPooling3D.from_config(
    {'data_format': 'channels_last',
     'dtype': 'float32',
     'name': 'max_pooling3d_same',
     'padding': 'same',
     'pool_size': [2, 2, 2],
     'strides': [2, 2, 2],
     'trainable': True}
)
inputs = keras.layers.Input(batch_shape=data["input0"].shape)
model = keras.models.Model(inputs, layer(inputs))
weights = []
layer.set_weights(weights)
obtained = model.predict(data["input0"])
print(keras.backend.backend(), "largest difference:", np.abs(obtained - data["expected"]).max())
