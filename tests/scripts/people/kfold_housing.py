"""K-fold validation on a handful of houses, as a book does it: a new network for each fold."""

import gc

import numpy as np
import written_down
from keras import layers, models

np.random.seed(7)
train_data = np.random.normal(5, 3, (48, 6))
train_targets = train_data.dot([1, 0.5, -1, 2, 0, 0.3]) + np.random.normal(0, 0.1, 48)

mean = train_data.mean(axis=0)
train_data -= mean
std = train_data.std(axis=0)
train_data /= std


def build_model():
    model = models.Sequential()
    model.add(layers.Dense(8, activation="relu", input_shape=(train_data.shape[1],)))
    model.add(layers.Dense(8, activation="relu"))
    model.add(layers.Dense(1))
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    return model


k = 4
num_val_samples = len(train_data) // k
num_epochs = 2
all_scores = []
for i in range(k):
    print("processing fold #", i)
    val_data = train_data[i * num_val_samples : (i + 1) * num_val_samples]
    val_targets = train_targets[i * num_val_samples : (i + 1) * num_val_samples]
    partial_train_data = np.concatenate(
        [train_data[: i * num_val_samples], train_data[(i + 1) * num_val_samples :]], axis=0
    )
    partial_train_targets = np.concatenate(
        [train_targets[: i * num_val_samples], train_targets[(i + 1) * num_val_samples :]], axis=0
    )
    model = build_model()
    written_down.began(model, i + 1)
    history = model.fit(
        partial_train_data,
        partial_train_targets,
        epochs=num_epochs,
        batch_size=6,
        verbose=0,
        callbacks=[written_down.steps(i + 1)],
    )
    written_down.history(history, i + 1)
    val_mse, val_mae = model.evaluate(val_data, val_targets, verbose=0)
    written_down.evaluated([val_mse, val_mae], ["loss", "mae"], i + 1)
    all_scores.append(val_mae)
    written_down.ended(model, i + 1)
    del model, history
    gc.collect()

print(all_scores, np.mean(all_scores))
