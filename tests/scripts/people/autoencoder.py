"""An autoencoder, with an encoder and a decoder that share its layers (after the old blog post)."""

import numpy as np
import written_down
from keras.layers import Dense, Input
from keras.models import Model

encoding_dim = 3

input_img = Input(shape=(12,))
encoded = Dense(encoding_dim, activation="relu", name="code")(input_img)
decoded = Dense(12, activation="sigmoid", name="picture")(encoded)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)

encoded_input = Input(shape=(encoding_dim,))
decoder = Model(encoded_input, autoencoder.layers[-1](encoded_input))

autoencoder.compile(optimizer="adam", loss="binary_crossentropy")

x_train = np.random.rand(64, 12).astype("float32")
x_test = np.random.rand(8, 12).astype("float32")
# three models of the same two layers: the encoder and the decoder have nothing of their own
written_down.began(autoencoder, 1)
written_down.began(encoder, 2)
written_down.began(decoder, 3)
written_down.history(
    autoencoder.fit(
        x_train,
        x_train,
        epochs=2,
        batch_size=16,
        shuffle=True,
        verbose=0,
        validation_data=(x_test, x_test),
        callbacks=[written_down.steps()],
    )
)
encoded_imgs = written_down.prediction(encoder.predict(x_test), 2)
decoded_imgs = written_down.prediction(decoder.predict(encoded_imgs), 3)
print(np.abs(decoded_imgs - x_test).mean())
for number, model in enumerate([autoencoder, encoder, decoder], 1):
    written_down.ended(model, number)
