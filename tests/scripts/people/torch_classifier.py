"""Plain PyTorch around a Keras model: loader, criterion, torch.optim, a scheduler, evaluation."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import torch
import torch.nn as nn
import written_down
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
inputs = torch.randn(64, 5)
targets = (inputs.sum(dim=1) > 0).long()
train_dl = DataLoader(TensorDataset(inputs[:48], targets[:48]), batch_size=12, shuffle=True)
valid_dl = DataLoader(TensorDataset(inputs[48:], targets[48:]), batch_size=8)

net = keras.Sequential(
    [
        keras.layers.Input((5,)),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(2),
    ]
)
written_down.began(net)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)

for epoch in range(2):
    net.train()
    running_loss = 0.0
    for xb, yb in train_dl:
        optimizer.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        running_loss += loss.item()
        written_down.cost(loss)
    scheduler.step()
    net.eval()
    with torch.no_grad():
        valid_loss = sum(criterion(net(xb), yb) for xb, yb in valid_dl)
    print(epoch, running_loss / len(train_dl), valid_loss / len(valid_dl))
written_down.ended(net)
