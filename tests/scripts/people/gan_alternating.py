"""A generative adversarial network the classic way: two compiled models that share the generator
and the discriminator, and train_on_batch in turns."""

import numpy as np
import written_down
from keras.layers import Dense, Input, LeakyReLU
from keras.models import Model, Sequential
from keras.optimizers import Adam


class GAN:
    def __init__(self):
        self.latent_dim = 4
        self.discriminator = self.build_discriminator()
        self.discriminator.compile(
            loss="binary_crossentropy", optimizer=Adam(0.002, 0.5), metrics=["accuracy"]
        )
        self.generator = self.build_generator()
        z = Input(shape=(self.latent_dim,))
        img = self.generator(z)
        # For the combined model we will only train the generator
        self.discriminator.trainable = False
        self.combined = Model(z, self.discriminator(img))
        self.combined.compile(loss="binary_crossentropy", optimizer=Adam(0.002, 0.5))

    def build_generator(self):
        model = Sequential()
        model.add(Dense(8, input_dim=self.latent_dim))
        model.add(LeakyReLU(0.2))
        model.add(Dense(2, activation="tanh"))
        return model

    def build_discriminator(self):
        model = Sequential()
        model.add(Dense(8, input_dim=2))
        model.add(LeakyReLU(0.2))
        model.add(Dense(1, activation="sigmoid"))
        return model

    def train(self, points, epochs, batch_size=16):
        valid, fake = np.ones((batch_size, 1)), np.zeros((batch_size, 1))
        # in the order of their first use: generator, discriminator, combined
        for number, model in enumerate([self.generator, self.discriminator], 1):
            written_down.began(model, number)
        written_down.began(self.combined, 3)
        fakes = []
        for epoch in range(epochs):
            imgs = points[np.random.randint(0, points.shape[0], batch_size)]
            noise = np.random.normal(0, 1, (batch_size, self.latent_dim))
            gen_imgs = self.generator.predict(noise)
            fakes.append(gen_imgs)
            d_loss_real = self.discriminator.train_on_batch(imgs, valid)
            d_loss_fake = self.discriminator.train_on_batch(gen_imgs, fake)
            written_down.stepped(d_loss_real, ["loss", "accuracy"], 2)
            written_down.stepped(d_loss_fake, ["loss", "accuracy"], 2)
            d_loss = 0.5 * np.add(d_loss_real, d_loss_fake)
            g_loss = self.combined.train_on_batch(noise, valid)
            written_down.stepped(g_loss, of=3)
            print(
                "%d [D loss: %f, acc: %.2f%%] [G loss: %f]"
                % (epoch, d_loss[0], 100 * d_loss[1], np.ravel(g_loss)[0])
            )
        for img in fakes:
            written_down.prediction(img)
        for number, model in enumerate([self.generator, self.discriminator, self.combined], 1):
            written_down.ended(model, number)


if __name__ == "__main__":
    angles = np.random.rand(200) * 2 * np.pi
    gan = GAN()
    gan.train(np.stack([np.cos(angles), np.sin(angles)], axis=1), epochs=6)
