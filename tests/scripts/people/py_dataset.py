"""A PyDataset with workers and on_epoch_end; weights for samples come with each batch."""

import keras
import numpy as np
import written_down


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.order = np.arange(len(x))

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        weights = np.where(self.y[rows] > 1, 2.0, 1.0)
        return self.x[rows], self.y[rows], weights

    def on_epoch_end(self):
        self.order = np.roll(self.order, 3)


x = np.random.rand(50, 3).astype("float32")
data = Batches(x, x.sum(axis=1), 10, workers=2, use_multiprocessing=False, max_queue_size=4)
model = keras.Sequential([keras.layers.Dense(5, activation="elu"), keras.layers.Dense(1)])
model.build((None, 3))
written_down.began(model)
model.compile(optimizer="nadam", loss="mae", weighted_metrics=["mse"])
seen = model.fit(data, epochs=2, shuffle=False, verbose=0, callbacks=[written_down.steps()])
written_down.history(seen)
scores = model.evaluate(data, return_dict=True, verbose=0)
written_down.evaluated([scores["loss"], scores["mse"]], ["loss", "mse"])
written_down.ended(model)
