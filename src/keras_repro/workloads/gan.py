"""A generator and a discriminator that train against each other.

The generator learns to draw numbers from a normal distribution around 3. Runs unchanged under
Keras 2.3.1 and Keras 3.
"""

import numpy as np
from keras.layers import Dense, Input
from keras.models import Model, Sequential

np.random.seed(2)

discriminator = Sequential([Dense(8, activation="tanh", input_shape=(1,))])
discriminator.add(Dense(1, activation="sigmoid"))
discriminator.compile(loss="binary_crossentropy", optimizer="adam")

generator = Sequential([Dense(8, activation="tanh", input_shape=(4,)), Dense(1)])

# The generator through the eyes of the discriminator, which does not learn meanwhile.
discriminator.trainable = False
noise = Input(shape=(4,))
together = Model(noise, discriminator(generator(noise)))
together.compile(loss="binary_crossentropy", optimizer="adam")

real, fake = np.ones((32, 1), "float32"), np.zeros((32, 1), "float32")
for step in range(60):
    drawn = generator.predict(np.random.normal(size=(32, 4)).astype("float32"), verbose=0)
    samples = np.random.normal(3, 0.5, (32, 1)).astype("float32")
    discriminator.trainable = True
    judged = discriminator.train_on_batch(
        np.concatenate([samples, drawn]), np.concatenate([real, fake])
    )
    discriminator.trainable = False
    fooled = together.train_on_batch(np.random.normal(size=(32, 4)).astype("float32"), real)
    if step % 20 == 0:
        print("step", step, "discriminator", judged, "generator", fooled)
