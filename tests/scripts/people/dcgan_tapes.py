"""A GAN with two tapes and two optimizers in one tf.function, as in the DCGAN tutorial."""

import tensorflow as tf
import written_down
from keras import Sequential as Seq
from keras import layers, losses, optimizers

BATCH_SIZE, noise_dim, EPOCHS = 12, 3, 3
points = tf.random.stateless_normal((48, 2), seed=(1, 2))
dataset = tf.data.Dataset.from_tensor_slices(points).shuffle(48, seed=3).batch(BATCH_SIZE)


def make_generator_model():
    return Seq([layers.Input((noise_dim,)), layers.Dense(6), layers.LeakyReLU(), layers.Dense(2)])


def make_discriminator_model():
    return Seq([layers.Input((2,)), layers.Dense(6), layers.LeakyReLU(), layers.Dense(1)])


generator = make_generator_model()
discriminator = make_discriminator_model()
cross_entropy = losses.BinaryCrossentropy(from_logits=True)
generator_optimizer = optimizers.Adam(1e-2)
discriminator_optimizer = optimizers.Adam(1e-2)


@tf.function
def train_step(images):
    noise = tf.random.normal([BATCH_SIZE, noise_dim])
    with tf.GradientTape() as gen_tape, tf.GradientTape() as disc_tape:
        generated_images = generator(noise, training=True)
        real_output = discriminator(images, training=True)
        fake_output = discriminator(generated_images, training=True)
        gen_loss = cross_entropy(tf.ones_like(fake_output), fake_output)
        real_loss = cross_entropy(tf.ones_like(real_output), real_output)
        fake_loss = cross_entropy(tf.zeros_like(fake_output), fake_output)
        disc_loss = real_loss + fake_loss
    gradients_of_generator = gen_tape.gradient(gen_loss, generator.trainable_variables)
    gradients_of_discriminator = disc_tape.gradient(disc_loss, discriminator.trainable_variables)
    generator_optimizer.apply_gradients(zip(gradients_of_generator, generator.trainable_variables))
    discriminator_optimizer.apply_gradients(
        zip(gradients_of_discriminator, discriminator.trainable_variables)
    )
    return gen_loss, disc_loss


written_down.began(generator, 1)
written_down.began(discriminator, 2)
for epoch in range(EPOCHS):
    for image_batch in dataset:
        g, d = train_step(image_batch)
        written_down.cost(g, 1)
        written_down.cost(d, 2)
    tf.print("epoch", epoch, "generator", g, "discriminator", d)
written_down.step_count(24)
written_down.ended(generator, 1)
written_down.ended(discriminator, 2)
