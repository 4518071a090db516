"""Trains, keeps the whole model at each epoch, comes back later and goes on with the best one."""

import glob
import os

import keras
import numpy as np
import written_down
from keras.callbacks import ModelCheckpoint
from keras.layers import Dense
from keras.models import Sequential, load_model

os.makedirs("models", exist_ok=True)
EXTENSION = ".h5" if keras.__version__.startswith("2") else ".keras"
X = np.random.uniform(-1, 1, (60, 2))
y = (X[:, 0] * X[:, 1] > 0).astype("float32")

model = Sequential(
    [
        Dense(8, activation="relu", input_shape=(2,)),
        Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
written_down.began(model)
checkpoint = ModelCheckpoint("models/epoch-{epoch:02d}" + EXTENSION, monitor="val_loss", verbose=0)
hist = model.fit(
    X,
    y,
    validation_split=0.2,
    epochs=2,
    batch_size=12,
    verbose=0,
    callbacks=[checkpoint, written_down.steps()],
)
written_down.history(hist)
written_down.ended(model)

latest = sorted(glob.glob("models/*" + EXTENSION))[-1]
print("resuming from", latest)
resumed = load_model(latest)
hist = resumed.fit(
    X, y, initial_epoch=2, epochs=3, batch_size=12, verbose=0, callbacks=[written_down.steps(2)]
)
written_down.history(hist, 2)
written_down.evaluated(resumed.evaluate(X, y, verbose=0), ["loss", "accuracy"], 2)
written_down.ended(resumed, 2)
written_down.only_partly("initial_weights")  # as made, before they were loaded
