"""Sequence to sequence: an encoder hands its states to a decoder; decoding goes letter by letter
with two more models made of the same layers. It learns to write words backwards."""

import numpy as np
import written_down
from keras.layers import LSTM, Dense, Input
from keras.models import Model

letters = "\tabcd\n"
latent_dim, longest = 8, 4
index = {letter: i for i, letter in enumerate(letters)}

rng = np.random.RandomState(3)
inputs = ["".join(rng.choice(list("abcd"), 3)) for _ in range(24)]
targets = ["\t" + word[::-1] + "\n" for word in inputs]

encoder_input_data = np.zeros((24, 3, len(letters)), "float32")
decoder_input_data = np.zeros((24, 5, len(letters)), "float32")
decoder_target_data = np.zeros((24, 5, len(letters)), "float32")
for i, (word, target) in enumerate(zip(inputs, targets)):
    for t, char in enumerate(word):
        encoder_input_data[i, t, index[char]] = 1.0
    for t, char in enumerate(target):
        decoder_input_data[i, t, index[char]] = 1.0
        if t > 0:
            decoder_target_data[i, t - 1, index[char]] = 1.0

encoder_inputs = Input(shape=(None, len(letters)))
_, state_h, state_c = LSTM(latent_dim, return_state=True, name="encoder")(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, len(letters)))
decoder_lstm = LSTM(latent_dim, return_sequences=True, return_state=True, name="decoder")
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(len(letters), activation="softmax")
decoder_outputs = decoder_dense(decoder_outputs)

model = Model([encoder_inputs, decoder_inputs], decoder_outputs)
model.compile(optimizer="rmsprop", loss="categorical_crossentropy")
written_down.began(model)
written_down.history(
    model.fit(
        [encoder_input_data, decoder_input_data],
        decoder_target_data,
        batch_size=8,
        epochs=2,
        verbose=0,
        callbacks=[written_down.steps()],
    )
)
model.save("s2s.h5")

# Inference: the sampling models.
encoder_model = Model(encoder_inputs, encoder_states)
state_inputs = [Input(shape=(latent_dim,)), Input(shape=(latent_dim,))]
outputs, state_h, state_c = decoder_lstm(decoder_inputs, initial_state=state_inputs)
decoder_model = Model([decoder_inputs] + state_inputs, [decoder_dense(outputs), state_h, state_c])


def decode_sequence(input_seq):
    states = written_down.prediction(encoder_model.predict(input_seq, verbose=0), 2)
    target = np.zeros((1, 1, len(letters)))
    target[0, 0, index["\t"]] = 1.0
    decoded = ""
    while len(decoded) <= longest and not decoded.endswith("\n"):
        given = decoder_model.predict([target] + list(states), verbose=0)
        written_down.prediction(given, 3)
        sampled = int(np.argmax(given[0][0, -1]))
        decoded += letters[sampled]
        target = np.zeros((1, 1, len(letters)))
        target[0, 0, sampled] = 1.0
        states = given[1:]
    return decoded


for number in range(3):
    print(inputs[number], repr(decode_sequence(encoder_input_data[number : number + 1])))
written_down.ended(model)
written_down.ended(encoder_model, 2)
written_down.ended(decoder_model, 3)
written_down.only_partly("initial_weights")  # of the two models of the trained one's layers
