#!/usr/bin/env python
"""A regressor in the manner of scikit-learn around Keras; settings from JSON, data from CSV.

usage: estimator.py [--settings FILE] [--seed N] csv
"""

import argparse
import json
import logging
import os
import sys

import numpy as np
import written_down
from keras.layers import Dense
from keras.models import Sequential

log = logging.getLogger("estimator")


class KerasRegressor(object):
    def __init__(self, hidden=(8,), activation="relu", optimizer="sgd", batch_size=32, epochs=1):
        self.hidden = hidden
        self.activation = activation
        self.optimizer = optimizer
        self.batch_size = batch_size
        self.epochs = epochs
        self.model_ = None

    def _build(self, n_features):
        model = Sequential()
        for i, units in enumerate(self.hidden):
            shape = {"input_shape": (n_features,)} if i == 0 else {}
            model.add(Dense(units, activation=self.activation, **shape))
        model.add(Dense(1))
        model.compile(loss="mse", optimizer=self.optimizer)
        return model

    def fit(self, X, y):
        self.model_ = self._build(X.shape[1])
        written_down.began(self.model_)
        self.history_ = written_down.history(
            self.model_.fit(
                X,
                y,
                batch_size=self.batch_size,
                epochs=self.epochs,
                verbose=0,
                callbacks=[written_down.steps()],
            )
        )
        return self

    def predict(self, X):
        return written_down.prediction(self.model_.predict(X, verbose=0)).ravel()

    def score(self, X, y):
        given = self.predict(X)
        return 1 - ((y - given) ** 2).sum() / ((y - y.mean()) ** 2).sum()


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("csv")
    parser.add_argument("--settings", default=os.path.join("data", "settings.json"))
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    with open(args.settings) as f:
        settings = json.load(f)
    rng = np.random.RandomState(args.seed)
    table = np.genfromtxt(args.csv, delimiter=",")
    table = table[rng.permutation(len(table))]
    X, y = table[:, :2], table[:, 2]
    regressor = KerasRegressor(**settings).fit(X, y)
    log.info("R^2 = %.3f", regressor.score(X, y))
    with open("report.json", "w") as f:
        json.dump({"r2": float(regressor.score(X[:4], y[:4])), "settings": settings}, f)
    written_down.ended(regressor.model_)
    return 0


if __name__ == "__main__":
    sys.exit(main())
