"""SeparableConv2D parts between theano and tensorflow1.

Its output in inference: means something else: 7.2e-01 apart in float64 too.
Run it with each backend, beside its data:

    KERAS_BACKEND=theano python theano-tensorflow1-separable_conv2d_same_strides2.py
    KERAS_BACKEND=tensorflow python theano-tensorflow1-separable_conv2d_same_strides2.py
"""

import keras
import numpy as np

data = np.load("theano-tensorflow1-separable_conv2d_same_strides2.npz", allow_pickle=False)
layer = keras.layers.SeparableConv2D.from_config(
    {'activation': 'linear',
     'activity_regularizer': None,
     'bias_constraint': None,
     'bias_initializer': {'class_name': 'Zeros', 'config': {}},
     'bias_regularizer': None,
     'data_format': 'channels_last',
     'depth_multiplier': 1,
     'depthwise_constraint': None,
     'depthwise_initializer': {'class_name': 'VarianceScaling',
                               'config': {'distribution': 'uniform',
                                          'mode': 'fan_avg',
                                          'scale': 1.0,
                                          'seed': None}},
     'depthwise_regularizer': None,
     'dilation_rate': [1, 1],
     'dtype': 'float32',
     'filters': 3,
     'kernel_size': [3, 3],
     'name': 'separable_conv2d_same_strides2',
     'padding': 'same',
     'pointwise_constraint': None,
     'pointwise_initializer': {'class_name': 'VarianceScaling',
                               'config': {'distribution': 'uniform',
                                          'mode': 'fan_avg',
                                          'scale': 1.0,
                                          'seed': None}},
     'pointwise_regularizer': None,
     'strides': [2, 2],
     'trainable': True,
     'use_bias': True}
)
inputs = keras.layers.Input(batch_shape=data["input0"].shape)
model = keras.models.Model(inputs, layer(inputs))
weights = [data["weight0"], data["weight1"], data["weight2"]]
layer.set_weights(weights)
obtained = model.predict(data["input0"])
print(keras.backend.backend(), "largest difference:", np.abs(obtained - data["expected"]).max())
