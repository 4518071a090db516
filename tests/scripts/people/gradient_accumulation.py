"""Gradients of several small batches added up before a step; torch.optim.AdamW."""

import keras
import torch
import written_down


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = keras.layers.Dense(5, activation="silu")
        self.norm = keras.layers.LayerNormalization()
        self.outer = keras.layers.Dense(1)

    def call(self, x):
        return self.outer(self.norm(self.inner(x)))


net = Net()
data = torch.rand(32, 4)
net(data[:1])  # so that there are parameters
written_down.began(net)
optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
steps = 0
for epoch in range(2):
    for number, batch in enumerate(data.split(4)):
        loss = (net(batch) - batch.mean(dim=1, keepdim=True)).square().mean() / 4
        loss.backward()
        written_down.cost(loss)
        if (number + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
            steps += 1
written_down.step_count(steps)
written_down.ended(net)
