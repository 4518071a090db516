"""Arguments, data beside the script by a relative path, files written beside it, a main."""

import argparse
import os

import numpy as np
from keras.layers import Dense
from keras.models import Sequential


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("name")
    options = parser.parse_args()
    points = np.loadtxt("data/points.csv", delimiter=",")
    model = Sequential([Dense(1, input_shape=(2,))])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(points[:, :2], points[:, 2], epochs=options.epochs, batch_size=4, verbose=0)
    os.makedirs("out", exist_ok=True)
    np.savetxt(os.path.join("out", options.name + ".csv"), model.predict(points[:, :2]))


if __name__ == "__main__":
    main()
