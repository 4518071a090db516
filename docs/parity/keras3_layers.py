"""Every layer of Keras 3 that computes on all of its backends, each in a model alone.

For keras-repro parity: weights and inputs are drawn here, by NumPy alone.
"""

import numpy as np
from keras import Model
from keras import layers as L

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
    outputs = layer(*inputs) if options.get("apart") else layer(inputs if inputs[1:] else inputs[0])
    values = [
        draw.randint(0, most, (3,) + shape)
        if most
        else draw.uniform(-1, 1, (3,) + shape).astype("float32")
        for shape in shapes
    ]
    if options.get("masked"):
        values[0][:, -2:] = 0
    layer.set_weights([weight(w.path, w.shape) for w in layer.weights])
    Model(inputs, outputs).predict(values if len(values) > 1 else values[0], verbose=0)


# Core.
show(L.Dense(4, activation="tanh", name="dense"), (5,))
show(L.EinsumDense("abc,cd->abd", output_shape=(None, 4), name="einsum_dense"), (3, 5))
for activation in (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparsemax", "squareplus", "tanh", "tanh_shrink", "threshold",
):  # fmt: skip
    function = activation
    if activation == "threshold":
        continue  # takes arguments
    show(L.Activation(function, name="activation_" + activation), (6,))
show(L.Dropout(0.5, name="dropout"), (6,))
show(L.SpatialDropout1D(0.5, name="spatial_dropout1d"), (4, 3))
show(L.SpatialDropout2D(0.5, name="spatial_dropout2d"), (4, 4, 3))
show(L.SpatialDropout3D(0.5, name="spatial_dropout3d"), (3, 3, 3, 2))
show(L.Flatten(name="flatten"), (4, 3))
show(L.Reshape((3, 4), name="reshape"), (4, 3))
show(L.Permute((2, 1), name="permute"), (4, 3))
show(L.RepeatVector(3, name="repeat_vector"), (4,))
show(L.ActivityRegularization(0.1, 0.1, name="activity_regularization"), (4,))
show(L.Masking(name="masking"), (4, 3), masked=True)
show(L.Embedding(7, 3, name="embedding"), (5,), integers=7)
show(L.UnitNormalization(name="unit_normalization"), (5,))
show(L.Rescaling(0.3, 0.1, name="rescaling"), (5,))

# Convolution.
for padding in ("valid", "same"):
    for strides in (1, 2):
        end = "_%s_strides%d" % (padding, strides)
        options = {"padding": padding, "strides": strides}
        show(L.Conv1D(4, 3, name="conv1d" + end, **options), (8, 2))
        show(L.Conv2D(4, 3, name="conv2d" + end, **options), (7, 6, 2))
        show(L.Conv3D(3, 2, name="conv3d" + end, **options), (5, 4, 4, 2))
        show(L.Conv1DTranspose(3, 3, name="conv1d_transpose" + end, **options), (5, 2))
        show(L.Conv2DTranspose(3, 3, name="conv2d_transpose" + end, **options), (4, 4, 2))
        show(L.Conv3DTranspose(2, 2, name="conv3d_transpose" + end, **options), (3, 3, 3, 2))
        show(L.SeparableConv1D(3, 3, name="separable_conv1d" + end, **options), (8, 2))
        show(L.SeparableConv2D(3, 3, name="separable_conv2d" + end, **options), (6, 6, 2))
        show(L.DepthwiseConv1D(3, name="depthwise_conv1d" + end, **options), (8, 2))
        show(L.DepthwiseConv2D(3, name="depthwise_conv2d" + end, **options), (6, 6, 2))
show(L.Conv1D(3, 3, padding="causal", name="conv1d_causal"), (8, 2))
show(L.Conv2D(3, 3, dilation_rate=2, name="conv2d_dilated"), (8, 8, 2))
show(L.Conv2D(3, (2, 4), padding="same", name="conv2d_even_kernel"), (7, 7, 2))
show(L.Conv2D(4, 3, groups=2, name="conv2d_groups"), (6, 6, 4))
for number, size in ((1, (5, 2)), (2, (5, 5, 2)), (3, (4, 4, 4, 2))):
    end = "%dd" % number
    show(getattr(L, "Cropping%dD" % number)(1, name="cropping" + end), size)
    show(getattr(L, "UpSampling%dD" % number)(2, name="up_sampling" + end), size)
    show(getattr(L, "ZeroPadding%dD" % number)(1, name="zero_padding" + end), size)
    show(getattr(L, "GlobalMaxPooling%dD" % number)(name="global_max_pooling" + end), size)
    show(getattr(L, "GlobalAveragePooling%dD" % number)(name="global_average_pooling" + end), size)
    for padding in ("valid", "same"):
        for kind, word in (("Max", "max"), ("Average", "average")):
            pooling = getattr(L, "%sPooling%dD" % (kind, number))
            show(pooling(2, padding=padding, name="%s_pooling%s_%s" % (word, end, padding)), size)
for way in ("nearest", "bilinear", "bicubic"):  # PyTorch has no lanczos
    up = L.UpSampling2D(2, interpolation=way, name="up_sampling2d_" + way)
    show(up, (5, 5, 2))
show(L.MaxPooling2D(3, strides=2, padding="same", name="max_pooling2d_overlapping"), (7, 7, 2))

# Recurrent.
show(L.SimpleRNN(3, name="simple_rnn"), (5, 2))
show(L.GRU(3, name="gru"), (5, 2))
show(L.GRU(3, reset_after=False, name="gru_reset_before"), (5, 2))
show(L.LSTM(3, name="lstm"), (5, 2))
show(L.LSTM(3, return_sequences=True, go_backwards=True, name="lstm_backwards"), (5, 2))
show(L.RNN([L.LSTMCell(3), L.GRUCell(2)], name="rnn_of_stacked_cells"), (5, 2))
show(L.ConvLSTM1D(2, 3, padding="same", name="conv_lstm1d"), (3, 5, 2))
show(L.ConvLSTM2D(2, 3, padding="same", name="conv_lstm2d"), (3, 4, 4, 2))
show(L.ConvLSTM3D(2, 2, padding="same", name="conv_lstm3d"), (2, 3, 3, 3, 2))

# Merging and attention.
for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"):
    show(getattr(L, kind)(name=kind.lower()), (4, 3), (4, 3))
show(L.Dot(axes=2, name="dot"), (4, 3), (4, 3))
show(L.Dot(axes=1, normalize=True, name="dot_normalized"), (4,), (4,))
show(L.Attention(name="attention"), (4, 3), (4, 3))
show(L.AdditiveAttention(name="additive_attention"), (4, 3), (4, 3))
show(L.MultiHeadAttention(2, 3, name="multi_head_attention"), (4, 3), (4, 3), apart=True)
show(L.GroupQueryAttention(4, 4, 2, name="group_query_attention"), (4, 8), (4, 8), apart=True)

# Activations with settings, normalisation, noise.
show(L.LeakyReLU(0.2, name="leaky_re_lu"), (6,))
show(L.PReLU(name="p_re_lu"), (6,))
show(L.ELU(0.7, name="elu"), (6,))
show(L.Softmax(axis=1, name="softmax"), (4, 3))
show(L.ReLU(0.6, 0.1, 0.2, name="re_lu"), (6,))
show(L.BatchNormalization(name="batch_normalization"), (6,))
show(L.BatchNormalization(name="batch_normalization_of_images"), (4, 4, 3))
show(L.BatchNormalization(axis=1, name="batch_normalization_axis1"), (4, 4, 3))
show(L.LayerNormalization(name="layer_normalization"), (6,))
show(L.RMSNormalization(name="rms_normalization"), (6,))
show(L.GroupNormalization(2, name="group_normalization"), (4, 4, 4))
show(L.SpectralNormalization(L.Dense(3), name="spectral_normalization"), (4,))
show(L.GaussianNoise(0.5, name="gaussian_noise"), (6,))
show(L.GaussianDropout(0.5, name="gaussian_dropout"), (6,))
show(L.AlphaDropout(0.5, name="alpha_dropout"), (6,))

# Wrappers.
show(L.TimeDistributed(L.Dense(3), name="time_distributed_dense"), (4, 2))
show(L.TimeDistributed(L.Conv2D(2, 3), name="time_distributed_conv2d"), (2, 5, 5, 2))
show(L.Bidirectional(L.LSTM(3), name="bidirectional_lstm"), (4, 2))
show(L.Bidirectional(L.GRU(3), merge_mode="sum", name="bidirectional_gru_sum"), (4, 2))
