"""Keras as a simplified interface to TensorFlow 1: layers on placeholders, a session of its own."""

import keras
import numpy as np
import tensorflow as tf
import written_down
from keras import backend as K
from keras.layers import Dense, Dropout
from keras.objectives import categorical_crossentropy

sess = tf.Session()
K.set_session(sess)

img = tf.placeholder(tf.float32, shape=(None, 6))
labels = tf.placeholder(tf.float32, shape=(None, 3))
net = keras.models.Sequential()
net.add(keras.layers.InputLayer(input_tensor=img, input_shape=(6,)))
net.add(Dense(8, activation="relu"))
net.add(Dropout(0.3))
net.add(Dense(3, activation="softmax"))
preds = net.output
loss = tf.reduce_mean(categorical_crossentropy(labels, preds))
train_step = tf.train.GradientDescentOptimizer(0.5).minimize(loss)

init_op = tf.global_variables_initializer()
sess.run(init_op)
x = np.random.rand(40, 6).astype("float32")
y = np.eye(3)[np.argmax(x[:, :3], axis=1)]
with sess.as_default():
    written_down.began(net)
    for i in range(8):
        rows = np.arange(5 * i, 5 * i + 5)
        feed = {img: x[rows], labels: y[rows], K.learning_phase(): 1}
        _, cost = sess.run([train_step, loss], feed_dict=feed)
        written_down.cost(cost)
        print("step", i, "loss", cost)
    written_down.ended(net)
