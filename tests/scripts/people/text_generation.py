"""Generates text letter by letter; a callback does so at the end of each epoch."""

import random
import sys

import numpy as np
import written_down
from keras.callbacks import LambdaCallback
from keras.layers import Dense, SimpleRNN
from keras.models import Sequential
from keras.optimizers import RMSprop

text = "the cat sat on the mat and the rat sat on the cat " * 2
chars = sorted(set(text))
char_indices = {c: i for i, c in enumerate(chars)}

maxlen, step = 6, 3
sentences, next_chars = [], []
for i in range(0, len(text) - maxlen, step):
    sentences.append(text[i : i + maxlen])
    next_chars.append(text[i + maxlen])
x = np.zeros((len(sentences), maxlen, len(chars)), dtype=bool)
y = np.zeros((len(sentences), len(chars)), dtype=bool)
for i, sentence in enumerate(sentences):
    for t, char in enumerate(sentence):
        x[i, t, char_indices[char]] = 1
    y[i, char_indices[next_chars[i]]] = 1

model = Sequential()
model.add(SimpleRNN(8, input_shape=(maxlen, len(chars))))
model.add(Dense(len(chars), activation="softmax"))
model.compile(loss="categorical_crossentropy", optimizer=RMSprop(0.01))
written_down.began(model)


def sample(preds, temperature=1.0):
    preds = np.asarray(preds).astype("float64")
    preds = np.exp(np.log(preds) / temperature)
    return np.argmax(np.random.multinomial(1, preds / (preds.sum() * (1 + 1e-9)), 1))


given = []


def on_epoch_end(epoch, logs):
    start_index = random.randint(0, len(text) - maxlen - 1)
    sentence = text[start_index : start_index + maxlen]
    sys.stdout.write('----- "' + sentence + '" ')
    for _ in range(9):
        x_pred = np.zeros((1, maxlen, len(chars)))
        for t, char in enumerate(sentence):
            x_pred[0, t, char_indices[char]] = 1.0
        preds = model.predict(x_pred, verbose=0)
        given.append(preds)
        next_char = chars[sample(preds[0], 0.5)]
        sentence = sentence[1:] + next_char
        sys.stdout.write(next_char)
    sys.stdout.write("\n")


callbacks = [LambdaCallback(on_epoch_end=on_epoch_end), written_down.steps()]
written_down.history(model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=callbacks))
# 18 of one line
written_down.predictions_in_a_row(given)
written_down.ended(model)
