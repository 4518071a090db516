"""Bidirectional GRU and a TimeDistributed head: layers within layers; masks from padding."""

import numpy as np
import written_down
from keras.layers import GRU, Bidirectional, Dense, Embedding, TimeDistributed
from keras.models import Sequential

# tagging: is the word at this place bigger than the one before?
words = np.random.RandomState(4).randint(1, 9, (24, 5))
words[:, 4] *= np.arange(24) % 2  # some are shorter
tags = np.concatenate([np.zeros((24, 1)), words[:, 1:] > words[:, :-1]], axis=1)[..., None]

model = Sequential()
model.add(Embedding(9, 4, mask_zero=True))
model.add(Bidirectional(GRU(3, return_sequences=True)))
model.add(TimeDistributed(Dense(1, activation="sigmoid")))
model.compile("rmsprop", "binary_crossentropy")
model.build((None, 5))
written_down.only_partly("initial_weights")
written_down.history(
    model.fit(words, tags, epochs=2, batch_size=8, verbose=0, callbacks=[written_down.steps()])
)
tagged = written_down.prediction(model.predict(words[:3], verbose=0))
print((tagged[..., 0] > 0.5).astype(int))
written_down.ended(model)
