"""A physics-informed network on PyTorch: Adam, then LBFGS with a closure."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch
import written_down

net = keras.Sequential(
    [keras.Input((1,)), keras.layers.Dense(8, activation="tanh"), keras.layers.Dense(1)]
)
written_down.began(net)
x = torch.linspace(0, 3, 16).reshape(-1, 1).requires_grad_(True)
parameters = list(net.parameters())
adam = torch.optim.Adam(parameters, lr=1e-2)
steps = 0


def pde_loss():
    u = net(x)
    du = torch.autograd.grad(u, x, torch.ones_like(u), create_graph=True, retain_graph=True)[0]
    ddu = torch.autograd.grad(du, x, torch.ones_like(du), create_graph=True)[0]
    ends = net(torch.tensor([[0.0], [3.0]]))
    return torch.mean((ddu + torch.sin(x)) ** 2) + torch.mean(ends**2)


for epoch in range(4):
    adam.zero_grad()
    loss = pde_loss()
    loss.backward()
    adam.step()
    steps += 1
    written_down.cost(loss)

lbfgs = torch.optim.LBFGS(parameters, max_iter=3, history_size=5, line_search_fn="strong_wolfe")


def closure():
    lbfgs.zero_grad()
    loss = pde_loss()
    loss.backward()
    written_down.cost(loss)
    return loss


for epoch in range(2):
    lbfgs.step(closure)
    steps += 1
written_down.step_count(steps)
written_down.prediction(net.predict(np.linspace(0, 3, 5)[:, None], verbose=0))
written_down.ended(net)
