"""Writing a training loop from scratch in PyTorch, with Keras' optimizer, loss and metric."""

import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch
import written_down

keras.utils.set_random_seed(1)
x_train = np.random.rand(48, 4).astype("float32")
y_train = keras.utils.to_categorical(np.argmax(x_train, axis=1), 4)
dataset = torch.utils.data.TensorDataset(torch.from_numpy(x_train), torch.from_numpy(y_train))
dataloader = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=False)


def get_model():
    inputs = keras.Input(shape=(4,))
    x1 = keras.layers.Dense(6, activation="relu")(inputs)
    return keras.Model(inputs=inputs, outputs=keras.layers.Dense(4)(x1))


model = get_model()
written_down.began(model)
optimizer = keras.optimizers.Adam(learning_rate=1e-2)
loss_fn = keras.losses.CategoricalCrossentropy(from_logits=True)
train_acc_metric = keras.metrics.CategoricalAccuracy()

for epoch in range(3):
    for step, (inputs, targets) in enumerate(dataloader):
        logits = model(inputs)
        loss = loss_fn(targets, logits)
        model.zero_grad()
        trainable_weights = [v for v in model.trainable_weights]
        loss.backward()
        gradients = [v.value.grad for v in trainable_weights]
        with torch.no_grad():
            optimizer.apply(gradients, trainable_weights)
        train_acc_metric.update_state(targets, logits)
        written_down.cost(loss)
    print(f"epoch {epoch}: acc {float(train_acc_metric.result()):.4f}")
    train_acc_metric.reset_state()
written_down.ended(model)
