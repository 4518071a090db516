"""SpectralNormalization parts between jax and tensorflow.

Its gradient of weight kernel: means something else: 4.9e-01 apart in float64 too.
Run it with each backend, beside its data:

    KERAS_BACKEND=jax python jax-tensorflow-spectral_normalization.py
    KERAS_BACKEND=tensorflow python jax-tensorflow-spectral_normalization.py
"""

import keras
import numpy as np

data = np.load("jax-tensorflow-spectral_normalization.npz", allow_pickle=False)
layer = keras.layers.SpectralNormalization.from_config(
    {'dtype': {'class_name': 'DTypePolicy',
               'config': {'name': 'float32'},
               'module': 'keras',
               'registered_name': None},
     'layer': {'build_config': {'input_shape': [None, 4]},
               'class_name': 'Dense',
               'config': {'activation': 'linear',
                          'bias_constraint': None,
                          'bias_initializer': {'class_name': 'Zeros',
                                               'config': {},
                                               'module': 'keras.initializers',
                                               'registered_name': None},
                          'bias_regularizer': None,
                          'dtype': {'class_name': 'DTypePolicy',
                                    'config': {'name': 'float32'},
                                    'module': 'keras',
                                    'registered_name': None},
                          'kernel_constraint': None,
                          'kernel_initializer': {'class_name': 'GlorotUniform',
                                                 'config': {'input_axes': None,
                                                            'output_axes': None,
                                                            'seed': None},
                                                 'module': 'keras.initializers',
                                                 'registered_name': None},
                          'kernel_regularizer': None,
                          'name': 'dense',
                          'quantization_config': None,
                          'trainable': True,
                          'units': 3,
                          'use_bias': True},
               'module': 'keras.layers',
               'registered_name': None},
     'name': 'spectral_normalization',
     'power_iterations': 1,
     'trainable': True}
)
inputs = keras.layers.Input(batch_shape=data["input0"].shape)
model = keras.models.Model(inputs, layer(inputs))
weights = [data["weight0"], data["weight1"], data["weight2"]]
layer.set_weights(weights)
tensors = [keras.ops.convert_to_tensor(part) for part in [data["input0"]]]
variables = [weight.value for weight in layer.trainable_weights]
mode = {"training": True} if layer._call_has_training_arg else {}
name = keras.backend.backend()
if name == "jax":
    import jax

    def total(variables, tensors):
        others = [weight.value for weight in layer.non_trainable_variables]
        result, _ = layer.stateless_call(variables, others, tensors[0], **mode)
        return keras.ops.sum(result * data["weighing"])

    gradients = jax.grad(total, argnums=(0, 1))(variables, tensors)
elif name == "torch":
    import torch

    tensors = [part.clone().requires_grad_() for part in tensors]
    total = keras.ops.sum(layer(tensors[0], **mode) * torch.tensor(data["weighing"]))
    found = torch.autograd.grad(total, variables + tensors, allow_unused=True)
    gradients = found[: len(variables)], found[len(variables) :]
else:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(tensors)
        total = keras.ops.sum(layer(tensors[0], **mode) * data["weighing"])
    gradients = tape.gradient(total, [variables, tensors])
obtained = keras.ops.convert_to_numpy(gradients[0][0])
print(keras.backend.backend(), "largest difference:", np.abs(obtained - data["expected"]).max())
