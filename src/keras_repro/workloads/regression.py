"""Linear regression: fit one neuron to a noisy line.

The data are 200 points of y = 0.5 x + 2 with Gaussian noise. The script runs unchanged
under Keras 2.3.1 and under Keras 3, on any of their backends.
"""

import matplotlib.pyplot as plt
import numpy as np

np.random.seed(1337)  # for reproducibility

from keras.layers import Dense  # noqa: E402 - after the seed, so that nothing draws before it
from keras.models import Sequential  # noqa: E402

# The data: 200 shuffled points, 160 to train on and 40 to test with.
X = np.linspace(-1, 1, 200)
np.random.shuffle(X)
Y = 0.5 * X + 2 + np.random.normal(0, 0.05, (200,))

plt.scatter(X, Y)
plt.title("data")
plt.xlabel("x")
plt.ylabel("y")
plt.show()

X_train, Y_train = X[:160].reshape(-1, 1), Y[:160].reshape(-1, 1)
X_test, Y_test = X[160:].reshape(-1, 1), Y[160:].reshape(-1, 1)

# 1. Define the model.
model = Sequential()
model.add(Dense(units=1, input_dim=1))

# 2. Compile it.
model.compile(loss="mse", optimizer="sgd")

# 3. Fit it, one batch a step.
print("Training -----------")
for step in range(301):
    cost = model.train_on_batch(X_train, Y_train)
    if step % 100 == 0:
        print("train cost:", cost)

# 4. Evaluate it.
print("\nTesting ------------")
cost = model.evaluate(X_test, Y_test, batch_size=40)
print("test cost:", cost)
W, b = model.layers[0].get_weights()
print("Weights =", W)
print("biases =", b)

# 5. Predict.
Y_pred = model.predict(X_test)
plt.scatter(X_test, Y_test)
plt.plot(X_test, Y_pred, color="tab:orange")
plt.title("prediction")
plt.xlabel("x")
plt.ylabel("y")
plt.show()
