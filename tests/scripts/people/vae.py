"""
Title: Variational autoencoder
Description: A sampling layer of its own, and the KL term by add_loss. Any backend of Keras 3.
"""

import keras
import numpy as np
import written_down
from keras import layers, ops

keras.utils.set_random_seed(812)
latent_dim = 2


class Sampling(layers.Layer):
    """Uses (z_mean, z_log_var) to sample z, the vector encoding a point."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(1337)

    def call(self, inputs):
        z_mean, z_log_var = inputs
        epsilon = keras.random.normal(shape=ops.shape(z_mean), seed=self.seed_generator)
        self.add_loss(
            -0.5 * ops.mean(1 + z_log_var - ops.square(z_mean) - ops.exp(z_log_var)) * 0.1
        )
        return z_mean + ops.exp(0.5 * z_log_var) * epsilon


encoder_inputs = keras.Input(shape=(8,))
x = layers.Dense(6, activation="relu")(encoder_inputs)
z_mean = layers.Dense(latent_dim, name="z_mean")(x)
z_log_var = layers.Dense(latent_dim, name="z_log_var")(x)
z = Sampling()([z_mean, z_log_var])
encoder = keras.Model(encoder_inputs, [z_mean, z_log_var, z], name="encoder")

latent_inputs = keras.Input(shape=(latent_dim,))
x = layers.Dense(6, activation="relu")(latent_inputs)
decoder = keras.Model(latent_inputs, layers.Dense(8, activation="sigmoid")(x), name="decoder")

vae = keras.Model(encoder_inputs, decoder(encoder(encoder_inputs)[2]), name="vae")
vae.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy")

data = np.random.rand(48, 8).astype("float32")
written_down.began(vae, 1)
written_down.began(encoder, 2)
written_down.began(decoder, 3)
written_down.history(
    vae.fit(data, data, epochs=3, batch_size=16, verbose=0, callbacks=[written_down.steps()])
)
means, _, _ = written_down.prediction(encoder.predict(data, verbose=0), 2)
grid = np.array([[x, y] for x in (-1.0, 1.0) for y in (-1.0, 1.0)], "float32")
written_down.prediction(decoder.predict(grid, verbose=0), 3)
for number, model in enumerate([vae, encoder, decoder], 1):
    written_down.ended(model, number)
