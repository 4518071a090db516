# Fraud, or: far more of one class than of the other. Class weights first, then sample weights.
import csv
import io

import numpy as np
import written_down
from keras.layers import Dense, Dropout
from keras.models import Sequential

rows = io.StringIO()
writer = csv.writer(rows)
rng = np.random.RandomState(11)
for _ in range(90):
    fraud = rng.rand() < 0.15
    writer.writerow(["%.4f" % v for v in rng.randn(4) + fraud] + ['"%d"' % fraud])
rows.seek(0)

all_features, all_targets = [], []
for fields in csv.reader(rows):
    all_features.append([float(v.replace('"', "")) for v in fields[:-1]])
    all_targets.append([int(fields[-1].replace('"', ""))])
features = np.array(all_features, dtype="float32")
targets = np.array(all_targets, dtype="uint8")
counts = np.bincount(targets[:, 0])
print(
    "Number of positive samples: {} ({:.2f}%)".format(counts[1], 100.0 * counts[1] / len(targets))
)
class_weight = {0: 1.0 / counts[0], 1: 1.0 / counts[1]}

model = Sequential(
    [
        Dense(8, activation="relu", input_shape=(4,)),
        Dropout(0.3),
        Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
written_down.began(model)
steps = written_down.steps()
written_down.history(
    model.fit(
        features,
        targets,
        batch_size=30,
        epochs=2,
        verbose=0,
        callbacks=[steps],
        class_weight=class_weight,
    )
)
weights = np.where(targets[:, 0] == 1, 3.0, 0.5)
written_down.history(
    model.fit(
        features,
        targets,
        batch_size=30,
        epochs=1,
        verbose=0,
        callbacks=[steps],
        sample_weight=weights,
        shuffle=False,
    )
)
result = model.train_on_batch(features[:10], targets[:10], sample_weight=weights[:10])
written_down.stepped(result, ["loss", "accuracy"])
result = model.evaluate(features, targets, sample_weight=weights, verbose=0)
written_down.evaluated(result, ["loss", "accuracy"])
written_down.ended(model)
