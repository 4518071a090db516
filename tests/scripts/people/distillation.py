"""Knowledge distillation: a compute_loss of its own with a frozen teacher inside the model."""

import keras
import numpy as np
import written_down
from keras import layers, ops

teacher = keras.Sequential([keras.Input((4,)), layers.Dense(12, "relu"), layers.Dense(3)])
student = keras.Sequential([keras.Input((4,)), layers.Dense(3)])


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.teacher = teacher
        self.student = student

    def compile(self, student_loss_fn, temperature=3, **kwargs):
        super().compile(**kwargs)
        self.student_loss_fn = student_loss_fn
        self.temperature = temperature

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        taught = self.teacher(x, training=False)
        hard = self.student_loss_fn(y, y_pred)
        soft = ops.mean(ops.square(taught - y_pred)) / self.temperature
        return 0.5 * hard + 0.5 * soft

    def call(self, x):
        return self.student(x)


x = np.random.rand(48, 4).astype("float32")
y = np.argmax(x[:, :3], axis=1)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
teacher.compile("adam", loss)
written_down.began(teacher, 1)
written_down.began(student, 3)
fitted = teacher.fit(x, y, epochs=2, batch_size=12, verbose=0, callbacks=[written_down.steps()])
written_down.history(fitted)
teacher.trainable = False

distiller = Distiller(student, teacher)
distiller.compile(optimizer="adam", student_loss_fn=loss)
fitted = distiller.fit(x, y, epochs=2, batch_size=12, verbose=0, callbacks=[written_down.steps(2)])
written_down.history(fitted, 2)
written_down.ended(teacher, 1)
written_down.ended(distiller, 2)
written_down.prediction(student.predict(x[:5], verbose=0), 3)
written_down.ended(student, 3)
written_down.only_partly("initial_weights")  # of the distiller, which are the others'
