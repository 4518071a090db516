# Sentiment of short reviews: word indices -> embedding -> average -> sigmoid.
import codecs
import collections

import numpy as np
import written_down
from keras.layers import Dense, Embedding, GlobalAveragePooling1D
from keras.models import Sequential

MAXLEN = 10

texts, labels = [], []
with codecs.open("data/reviews.txt", "r", "utf-8") as f:
    for line in f:
        label, text = line.rstrip("\n").split("\t")
        labels.append(int(label))
        texts.append(text.split())

counts = collections.Counter(word for text in texts for word in text)
vocabulary = [word for word, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
word_index = {word: i + 1 for i, word in enumerate(vocabulary)}
print("Found %d unique tokens." % len(word_index))


def pad(sequences):
    out = np.zeros((len(sequences), MAXLEN), dtype="int32")
    for row, words in enumerate(sequences):
        ids = [word_index.get(word, 0) for word in words][:MAXLEN]
        out[row, -len(ids) :] = ids
    return out


data = pad(texts)
labels = np.asarray(labels)
indices = np.random.permutation(len(data))
data, labels = data[indices], labels[indices]

model = Sequential()
model.add(Embedding(len(word_index) + 1, 8, input_length=MAXLEN))
model.add(GlobalAveragePooling1D())
model.add(Dense(1, activation="sigmoid"))
model.build((None, MAXLEN))
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["acc"])


class Watch(type(written_down.steps())):
    def on_train_begin(self, logs=None):
        written_down.began(self.model)


history = model.fit(
    data, labels, epochs=4, batch_size=4, verbose=2, callbacks=[Watch()], validation_split=0.25
)
written_down.history(history)
print(written_down.prediction(model.predict(pad(["great fun".split(), "a bad mess".split()]))))
written_down.ended(model)
