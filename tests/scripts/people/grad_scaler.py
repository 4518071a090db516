"""PyTorch's automatic mixed precision: autocast and GradScaler, unscaled before clipping."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch
import written_down

model = keras.Sequential(
    [keras.layers.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)]
)
written_down.began(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
rng = np.random.RandomState(0)
x = torch.tensor(rng.rand(32, 6), dtype=torch.float32)
y = x.sum(1, keepdim=True)
for epoch in range(2):
    for start in range(0, 32, 8):
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(x[start : start + 8])
            loss = torch.nn.functional.mse_loss(output.float(), y[start : start + 8])
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer)
        scaler.update()
        written_down.cost(loss)
        print(float(loss), scaler.get_scale())
written_down.ended(model)
