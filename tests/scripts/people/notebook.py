#!/usr/bin/env python
# coding: utf-8

# # Overfitting and underfitting
#
# Exported from a notebook.

# In[1]:


import matplotlib.pyplot as plt
import numpy as np
import written_down
from keras import layers, models

np.random.seed(123)


# In[2]:


x = np.linspace(-1, 1, 40).reshape(-1, 1)
y = x**3 + 0.05 * np.random.randn(40, 1)
x.shape, y.shape


# In[3]:


def build(units):
    model = models.Sequential(
        [layers.Dense(units, activation="relu", input_shape=(1,)), layers.Dense(1)]
    )
    model.compile("rmsprop", "mse")
    return model


small = build(2)
written_down.began(small, 1)
big = build(32)
written_down.began(big, 2)
small.summary()


# In[4]:


small_history = written_down.history(
    small.fit(
        x[::2],
        y[::2],
        epochs=3,
        batch_size=5,
        validation_data=(x[1::2], y[1::2]),
        verbose=0,
        callbacks=[written_down.steps(1)],
    ),
    1,
)
big_history = written_down.history(
    big.fit(
        x[::2],
        y[::2],
        epochs=3,
        batch_size=5,
        validation_data=(x[1::2], y[1::2]),
        verbose=0,
        callbacks=[written_down.steps(2)],
    ),
    2,
)


# In[5]:


epochs = range(1, 4)
plt.plot(epochs, small_history.history["val_loss"], "b+", label="small")
plt.plot(epochs, big_history.history["val_loss"], "bo", label="big")
plt.xlabel("Epochs")
plt.legend()
plt.show()


# In[6]:


# a cell that was run twice
for _ in range(2):
    written_down.prediction(big.predict(x), 2)
plt.figure()
plt.plot(x, y, ".")
plt.plot(x, written_down.prediction(big.predict_on_batch(x), 2))
plt.savefig("fit.png")


# In[7]:


written_down.ended(small, 1)
written_down.ended(big, 2)
