"""Checkpoints and a log while it trains; the model is saved, loaded and used again."""

import numpy as np
from keras.callbacks import CSVLogger, EarlyStopping, ModelCheckpoint
from keras.layers import Dense
from keras.models import Sequential, load_model

model = Sequential([Dense(1, input_shape=(2,))])
model.compile(loss="mean_squared_error", optimizer="sgd")
x = np.random.rand(32, 2)
model.fit(
    *(x, x[:, :1]),
    epochs=3,
    batch_size=8,
    validation_split=0.25,
    verbose=0,
    callbacks=[
        ModelCheckpoint("best.weights.h5", save_best_only=True, save_weights_only=True),
        CSVLogger("training.csv"),
        EarlyStopping(patience=5),
    ],
)
model.save("model.h5")
again = load_model("model.h5")
again.predict(x)
