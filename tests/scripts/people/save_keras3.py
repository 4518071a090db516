"""Saving, loading and cloning in the format of Keras 3."""

import keras
import numpy as np
import written_down


@keras.saving.register_keras_serializable("people")
class Blend(keras.layers.Layer):
    def __init__(self, share=0.5, **kwargs):
        super().__init__(**kwargs)
        self.share = share

    def build(self, shape):
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x):
        return self.share * x + (1 - self.share) * keras.ops.tanh(x) + self.bias

    def get_config(self):
        return {**super().get_config(), "share": self.share}


model = keras.Sequential(
    [keras.Input((3,)), keras.layers.Dense(4), Blend(0.3), keras.layers.Dense(1)]
)
model.compile("adam", "mse", metrics=["mae"])
x = np.random.normal(size=(24, 3))
y = x[:, :1] - x[:, 1:2]
written_down.began(model)
steps = written_down.steps()
written_down.history(model.fit(x, y, epochs=2, batch_size=8, verbose=0, callbacks=[steps]))
model.save("blend.keras")
before = written_down.prediction(model.predict(x, verbose=0))

again = keras.models.load_model("blend.keras")
after = written_down.prediction(again.predict(x, verbose=0), 2)
np.testing.assert_allclose(before, after, rtol=1e-5)

twin = keras.models.clone_model(model)
twin.set_weights(model.get_weights())
np.testing.assert_allclose(before, written_down.prediction(twin.predict(x, verbose=0), 3), 1e-5)
for number, each in enumerate((model, again, twin), 1):
    written_down.ended(each, number)
written_down.only_partly("initial_weights")  # of the loaded and the cloned one: as they were made
