"""Data by PyTorch's DataLoader, with two workers."""

import keras
import numpy as np
import torch

x = torch.from_numpy(np.random.rand(32, 2).astype("float32"))
data = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(x, x[:, :1]), batch_size=8, shuffle=True, num_workers=2
)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile(loss="mse", optimizer="adam")
model.fit(data, epochs=2, verbose=0)
