"""A small translation transformer of own layers, with a CustomSchedule and masked loss."""

import keras
import numpy as np
import written_down
from keras import layers, ops


class PositionalEmbedding(layers.Layer):
    def __init__(self, sequence_length, vocab_size, embed_dim, **kwargs):
        super().__init__(**kwargs)
        self.token_embeddings = layers.Embedding(vocab_size, embed_dim)
        self.position_embeddings = layers.Embedding(sequence_length, embed_dim)

    def call(self, inputs):
        positions = ops.arange(0, ops.shape(inputs)[-1], 1)
        return self.token_embeddings(inputs) + self.position_embeddings(positions)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0)


class Encoder(layers.Layer):
    def __init__(self, embed_dim, dense_dim, num_heads, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(num_heads=num_heads, key_dim=embed_dim)
        self.dense_proj = keras.Sequential(
            [layers.Dense(dense_dim, activation="relu"), layers.Dense(embed_dim)]
        )
        self.layernorm_1 = layers.LayerNormalization()
        self.layernorm_2 = layers.LayerNormalization()
        self.supports_masking = True

    def call(self, inputs, mask=None):
        padding = ops.cast(mask[:, None, :], "int32") if mask is not None else None
        proj_input = self.layernorm_1(
            inputs + self.attention(inputs, inputs, inputs, attention_mask=padding)
        )
        return self.layernorm_2(proj_input + self.dense_proj(proj_input))


class Schedule(keras.optimizers.schedules.LearningRateSchedule):
    def __init__(self, d_model, warmup=4):
        self.d_model, self.warmup = float(d_model), warmup

    def __call__(self, step):
        step = ops.cast(step, "float32") + 1.0
        return self.d_model**-0.5 * ops.minimum(step**-0.5, step * self.warmup**-1.5)


def masked_loss(label, pred):
    loss = keras.losses.sparse_categorical_crossentropy(label, pred, from_logits=True)
    mask = ops.cast(label != 0, loss.dtype)
    return ops.sum(loss * mask) / ops.sum(mask)


def masked_accuracy(label, pred):
    return ops.cast(
        ops.equal(ops.cast(label, "int32"), ops.cast(ops.argmax(pred, 2), "int32")), "float32"
    )


inputs = keras.Input((None,), dtype="int32", name="source")
x = PositionalEmbedding(8, 12, 8)(inputs)
x = Encoder(8, 16, 2)(x)
x = Encoder(8, 16, 2)(x)
model = keras.Model(inputs, layers.Dense(12)(x))
model.compile(
    keras.optimizers.Adam(Schedule(8), beta_2=0.98, epsilon=1e-9),
    masked_loss,
    metrics=[masked_accuracy],
)
tokens = np.random.RandomState(0).randint(1, 12, (40, 8))
tokens[:, 6:] = 0
h = model.fit(
    tokens,
    tokens[:, ::-1].copy(),
    batch_size=10,
    epochs=2,
    verbose=0,
    callbacks=[written_down.steps()],
    validation_split=0.2,
)
written_down.history(h)
decoded = np.zeros((1, 8), "int32")
rows = []
for i in range(4):
    predictions = model.predict(decoded, verbose=0)
    written_down.prediction(predictions)
    decoded[0, i] = np.argmax(predictions[0, i, :])
written_down.ended(model)
written_down.only_partly("initial_weights", "weights")
