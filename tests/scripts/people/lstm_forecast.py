"""Time series forecasting with an LSTM: a look-back window, then walk forward one value a time."""

import math

import numpy as np
import written_down
from keras.layers import LSTM, Dense
from keras.models import Sequential


def create_dataset(dataset, look_back=1):
    dataX, dataY = [], []
    for i in range(len(dataset) - look_back - 1):
        dataX.append(dataset[i : i + look_back, 0])
        dataY.append(dataset[i + look_back, 0])
    return np.array(dataX), np.array(dataY)


np.random.seed(7)
t = np.arange(60)
dataset = (np.sin(t / 4.0) + 0.02 * t + 0.05 * np.random.randn(60)).reshape(-1, 1)
low, high = dataset.min(), dataset.max()
dataset = (dataset - low) / (high - low)

train_size = int(len(dataset) * 0.6)
train, test = dataset[0:train_size, :], dataset[train_size:, :]
look_back = 3
trainX, trainY = create_dataset(train, look_back)
testX, testY = create_dataset(test, look_back)
trainX = np.reshape(trainX, (trainX.shape[0], 1, trainX.shape[1]))
testX = np.reshape(testX, (testX.shape[0], 1, testX.shape[1]))

model = Sequential()
model.add(LSTM(4, input_shape=(1, look_back)))
model.add(Dense(1))
model.compile(loss="mean_squared_error", optimizer="adam")
written_down.began(model)
fitted = model.fit(
    trainX, trainY, epochs=2, batch_size=8, verbose=0, callbacks=[written_down.steps()]
)
written_down.history(fitted)

trainPredict = written_down.prediction(model.predict(trainX))
error = math.sqrt(np.mean((trainPredict[:, 0] - trainY) ** 2))
print("Train Score: %.2f RMSE" % (error * (high - low)))

# walk forward: what was predicted is the next window's last value
window = testX[0, 0].astype("float32")
steps = []
for _ in range(18):
    steps.append(model.predict(window.reshape(1, 1, look_back), verbose=0))
    window = np.append(window[1:], steps[-1][0, 0])
written_down.predictions_in_a_row(steps)
written_down.ended(model)
