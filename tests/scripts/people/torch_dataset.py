"""A torch Dataset and DataLoader for model.fit, with a held-out loader for evaluate."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
import written_down
from torch.utils.data import DataLoader, Dataset, random_split


class Circles(Dataset):
    def __init__(self, count, generator):
        self.points = torch.rand(count, 2, generator=generator) * 2 - 1
        self.inside = (self.points.pow(2).sum(1) < 0.6).float()[:, None]

    def __len__(self):
        return len(self.points)

    def __getitem__(self, index):
        return self.points[index], self.inside[index]


def main():
    generator = torch.Generator().manual_seed(3)
    train, test = random_split(Circles(80, generator), [64, 16], generator=generator)
    train_loader = DataLoader(train, batch_size=16, shuffle=True)
    test_loader = DataLoader(test, batch_size=16)

    model = keras.Sequential(
        [
            keras.layers.Input((2,)),
            keras.layers.Dense(8, "relu"),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile("adamw", "binary_crossentropy", metrics=["binary_accuracy"])
    written_down.began(model)
    log = model.fit(train_loader, epochs=3, verbose=0, callbacks=[written_down.steps()])
    written_down.history(log)
    names = ["loss", "binary_accuracy"]
    written_down.evaluated(model.evaluate(test_loader, verbose=0), names)
    with torch.no_grad():
        print("corner:", float(model(torch.ones(1, 2))[0, 0]))
    written_down.ended(model)


if __name__ == "__main__":
    main()
