"""Tickets: priority and department from a title, a body and tags. Losses are weighted."""

import numpy as np
import written_down
from keras.layers import Dense, Embedding, GlobalAveragePooling1D, Input, concatenate
from keras.models import Model

num_tags, num_words, num_departments = 4, 30, 3

title_input = Input(shape=(5,), name="title")
body_input = Input(shape=(8,), name="body")
tags_input = Input(shape=(num_tags,), name="tags")
title_features = GlobalAveragePooling1D()(Embedding(num_words, 6)(title_input))
body_features = GlobalAveragePooling1D()(Embedding(num_words, 6)(body_input))
x = concatenate([title_features, body_features, tags_input])
priority_pred = Dense(1, activation="sigmoid", name="priority")(x)
department_pred = Dense(num_departments, activation="softmax", name="department")(x)
model = Model(
    inputs=[title_input, body_input, tags_input], outputs=[priority_pred, department_pred]
)
model.compile(
    optimizer="rmsprop",
    loss={"priority": "binary_crossentropy", "department": "categorical_crossentropy"},
    loss_weights={"priority": 1.0, "department": 0.2},
)
title_data = np.random.randint(num_words, size=(40, 5))
body_data = np.random.randint(num_words, size=(40, 8))
tags_data = np.random.randint(2, size=(40, num_tags)).astype("float32")
priority_targets = np.random.random(size=(40, 1))
dept_targets = np.eye(num_departments)[np.random.randint(num_departments, size=40)]

inputs = {"title": title_data, "body": body_data, "tags": tags_data}
targets = {"priority": priority_targets, "department": dept_targets}
written_down.began(model)
log = model.fit(
    inputs, targets, epochs=2, batch_size=10, verbose=0, callbacks=[written_down.steps()]
)
written_down.history(log)
priority, department = written_down.prediction(model.predict(inputs))
print(priority.shape, department.shape)
written_down.ended(model)
