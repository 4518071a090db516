"""Variational autoencoder with a Lambda for the reparameterization trick, Keras 2 style."""

from __future__ import absolute_import, division, print_function

import numpy as np
import written_down
from keras import backend as K
from keras.layers import Dense, Input, Lambda
from keras.losses import mse
from keras.models import Model


def sampling(args):
    z_mean, z_log_var = args
    batch = K.shape(z_mean)[0]
    dim = K.int_shape(z_mean)[1]
    # by default, random_normal has mean=0 and std=1.0
    epsilon = K.random_normal(shape=(batch, dim), seed=11)
    return z_mean + K.exp(0.5 * z_log_var) * epsilon


original_dim, latent_dim = 8, 2
inputs = Input(shape=(original_dim,), name="encoder_input")
x = Dense(6, activation="relu")(inputs)
z_mean = Dense(latent_dim, name="z_mean")(x)
z_log_var = Dense(latent_dim, name="z_log_var")(x)
z = Lambda(sampling, output_shape=(latent_dim,), name="z")([z_mean, z_log_var])
encoder = Model(inputs, [z_mean, z_log_var, z], name="encoder")

latent_inputs = Input(shape=(latent_dim,), name="z_sampling")
x = Dense(6, activation="relu")(latent_inputs)
outputs = Dense(original_dim, activation="sigmoid")(x)
decoder = Model(latent_inputs, outputs, name="decoder")

outputs = decoder(encoder(inputs)[2])
vae = Model(inputs, outputs, name="vae_mlp")

reconstruction_loss = mse(inputs, outputs) * original_dim
kl_loss = 1 + z_log_var - K.square(z_mean) - K.exp(z_log_var)
kl_loss = -0.5 * K.sum(kl_loss, axis=-1)
vae.add_loss(K.mean(reconstruction_loss + kl_loss))
vae.compile(optimizer="adam")

x_train = np.random.rand(40, original_dim)
history = vae.fit(x_train, epochs=2, batch_size=8, verbose=0, callbacks=[written_down.steps()])
written_down.only_partly("initial_weights")  # not known here: nobody read them
written_down.history(history)
written_down.prediction(encoder.predict(x_train, batch_size=8), 2)
written_down.ended(vae, 1)
written_down.ended(encoder, 2)
