"""Every layer of Keras 2.3.1 that Theano and TensorFlow 1 both implement, each in a model alone.

For keras-repro parity: weights and inputs are drawn here, by NumPy alone.
"""

import numpy as np
from keras import backend
from keras import layers as L
from keras.models import Model

draw = np.random.RandomState(1)


def weight(name, shape):
    """A kernel is small; what is divided by or multiplied with is not near zero."""
    if "variance" in name or "gamma" in name:
        return draw.uniform(0.5, 1.5, shape)
    return draw.uniform(-0.5, 0.5, shape)


def show(layer, *shapes, **options):
    """Predict with a model of one layer; the inputs are of these shapes, without the batch."""
    most = options.get("integers")
    inputs = [L.Input(shape=shape) for shape in shapes]
    outputs = layer(inputs if len(inputs) > 1 else inputs[0])
    values = [
        draw.randint(0, most, (3,) + shape) if most else draw.uniform(-1, 1, (3,) + shape)
        for shape in shapes
    ]
    if options.get("masked"):
        values[0][:, -2:] = 0
    layer.set_weights([weight(w.name, v.shape) for w, v in zip(layer.weights, layer.get_weights())])
    Model(inputs, outputs).predict(values if len(values) > 1 else values[0])
    if backend.backend() == "tensorflow":
        backend.clear_session()  # what its graph has grown to slows down all that follows


# Core.
show(L.Dense(4, activation="tanh", name="dense"), (5,))
for activation in (
    "elu", "exponential", "hard_sigmoid", "linear", "relu", "selu", "sigmoid", "softmax",
    "softplus", "softsign", "tanh",
):  # fmt: skip
    show(L.Activation(activation, name="activation_" + activation), (6,))
show(L.Dropout(0.5, name="dropout"), (6,))
show(L.SpatialDropout1D(0.5, name="spatial_dropout1d"), (4, 3))
show(L.SpatialDropout2D(0.5, name="spatial_dropout2d"), (4, 4, 3))
show(L.SpatialDropout3D(0.5, name="spatial_dropout3d"), (3, 3, 3, 2))
show(L.Flatten(name="flatten"), (4, 3))
show(L.Reshape((3, 4), name="reshape"), (4, 3))
show(L.Permute((2, 1), name="permute"), (4, 3))
show(L.RepeatVector(3, name="repeat_vector"), (4,))
show(L.Lambda(lambda x: x * 2 + 1, name="lambda"), (4,))
show(L.ActivityRegularization(0.1, 0.1, name="activity_regularization"), (4,))
show(L.Masking(name="masking"), (4, 3), masked=True)
show(L.Embedding(7, 3, name="embedding"), (5,), integers=7)

# Convolution.
for padding in ("valid", "same"):
    for strides in (1, 2):
        end = "_%s_strides%d" % (padding, strides)
        options = {"padding": padding, "strides": strides}
        show(L.Conv1D(4, 3, name="conv1d" + end, **options), (8, 2))
        show(L.Conv2D(4, 3, name="conv2d" + end, **options), (7, 6, 2))
        show(L.Conv3D(3, 2, name="conv3d" + end, **options), (5, 4, 4, 2))
        show(L.Conv2DTranspose(3, 3, name="conv2d_transpose" + end, **options), (4, 4, 2))
        show(L.SeparableConv2D(3, 3, name="separable_conv2d" + end, **options), (6, 6, 2))
        show(L.DepthwiseConv2D(3, name="depthwise_conv2d" + end, **options), (6, 6, 2))
        show(L.SeparableConv1D(3, 3, name="separable_conv1d" + end, **options), (8, 2))
show(L.Conv1D(3, 3, padding="causal", name="conv1d_causal"), (8, 2))
show(L.Conv1D(3, 3, dilation_rate=2, name="conv1d_dilated"), (9, 2))
show(L.Conv2D(3, 3, dilation_rate=2, name="conv2d_dilated"), (8, 8, 2))
show(L.Conv2D(3, (2, 4), padding="same", name="conv2d_even_kernel"), (7, 7, 2))
show(L.Conv3DTranspose(2, 2, name="conv3d_transpose"), (3, 3, 3, 2))
show(L.LocallyConnected1D(3, 3, name="locally_connected1d"), (7, 2))
show(L.LocallyConnected2D(2, 3, name="locally_connected2d"), (5, 5, 2))
show(L.Cropping1D(1, name="cropping1d"), (5, 2))
show(L.Cropping2D(1, name="cropping2d"), (5, 5, 2))
show(L.Cropping3D(1, name="cropping3d"), (4, 4, 4, 2))
show(L.UpSampling1D(2, name="up_sampling1d"), (4, 2))
show(L.UpSampling2D(2, name="up_sampling2d_nearest"), (4, 4, 2))
show(L.UpSampling2D(2, interpolation="bilinear", name="up_sampling2d_bilinear"), (4, 4, 2))
show(L.UpSampling3D(2, name="up_sampling3d"), (3, 3, 3, 2))
show(L.ZeroPadding1D(1, name="zero_padding1d"), (5, 2))
show(L.ZeroPadding2D(1, name="zero_padding2d"), (5, 5, 2))
show(L.ZeroPadding3D(1, name="zero_padding3d"), (3, 3, 3, 2))

# Pooling.
for padding in ("valid", "same"):
    end = "_" + padding
    show(L.MaxPooling1D(2, padding=padding, name="max_pooling1d" + end), (7, 2))
    show(L.MaxPooling2D(2, padding=padding, name="max_pooling2d" + end), (7, 7, 2))
    show(L.MaxPooling3D(2, padding=padding, name="max_pooling3d" + end), (5, 5, 5, 2))
    show(L.AveragePooling1D(2, padding=padding, name="average_pooling1d" + end), (7, 2))
    show(L.AveragePooling2D(2, padding=padding, name="average_pooling2d" + end), (7, 7, 2))
    show(L.AveragePooling3D(2, padding=padding, name="average_pooling3d" + end), (5, 5, 5, 2))
show(L.MaxPooling2D(3, strides=2, padding="same", name="max_pooling2d_overlapping"), (7, 7, 2))
show(L.GlobalMaxPooling1D(name="global_max_pooling1d"), (6, 2))
show(L.GlobalMaxPooling2D(name="global_max_pooling2d"), (5, 5, 2))
show(L.GlobalMaxPooling3D(name="global_max_pooling3d"), (3, 3, 3, 2))
show(L.GlobalAveragePooling1D(name="global_average_pooling1d"), (6, 2))
show(L.GlobalAveragePooling2D(name="global_average_pooling2d"), (5, 5, 2))
show(L.GlobalAveragePooling3D(name="global_average_pooling3d"), (3, 3, 3, 2))

# Recurrent.
show(L.SimpleRNN(3, name="simple_rnn"), (5, 2))
show(L.GRU(3, name="gru"), (5, 2))
show(L.GRU(3, reset_after=True, name="gru_reset_after"), (5, 2))
show(L.LSTM(3, name="lstm"), (5, 2))
show(L.LSTM(3, return_sequences=True, go_backwards=True, name="lstm_backwards"), (5, 2))
show(L.LSTM(3, implementation=1, dropout=0.3, name="lstm_implementation1"), (5, 2))
show(L.RNN([L.LSTMCell(3), L.GRUCell(2)], name="rnn_of_stacked_cells"), (5, 2))
show(L.ConvLSTM2D(2, 3, padding="same", name="conv_lstm2d"), (3, 4, 4, 2))

# Merging.
for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
    show(getattr(L, kind)(name=kind.lower()), (4, 3), (4, 3))
show(L.Dot(axes=2, name="dot"), (4, 3), (4, 3))
show(L.Dot(axes=1, normalize=True, name="dot_normalized"), (4,), (4,))

# Activations with settings, normalisation, noise.
show(L.LeakyReLU(0.2, name="leaky_re_lu"), (6,))
show(L.PReLU(name="p_re_lu"), (6,))
show(L.PReLU(shared_axes=[1, 2], name="p_re_lu_shared"), (4, 4, 3))
show(L.ELU(0.7, name="elu"), (6,))
show(L.ThresholdedReLU(0.3, name="thresholded_re_lu"), (6,))
show(L.Softmax(axis=1, name="softmax"), (4, 3))
show(L.ReLU(0.6, 0.1, 0.2, name="re_lu"), (6,))
show(L.BatchNormalization(name="batch_normalization"), (6,))
show(L.BatchNormalization(name="batch_normalization_of_images"), (4, 4, 3))
show(L.BatchNormalization(axis=1, name="batch_normalization_axis1"), (4, 4, 3))
show(L.GaussianNoise(0.5, name="gaussian_noise"), (6,))
show(L.GaussianDropout(0.5, name="gaussian_dropout"), (6,))
show(L.AlphaDropout(0.5, name="alpha_dropout"), (6,))

# Wrappers.
show(L.TimeDistributed(L.Dense(3), name="time_distributed_dense"), (4, 2))
show(L.TimeDistributed(L.Conv2D(2, 3), name="time_distributed_conv2d"), (2, 5, 5, 2))
show(L.Bidirectional(L.LSTM(3), name="bidirectional_lstm"), (4, 2))
show(L.Bidirectional(L.GRU(3), merge_mode="sum", name="bidirectional_gru_sum"), (4, 2))
