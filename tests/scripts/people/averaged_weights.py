"""gradient_accumulation_steps, use_ema, clipnorm, a schedule: what the optimizer does by itself."""

import keras
import numpy as np
import written_down

xs = np.random.RandomState(0).rand(48, 6).astype("float32")
ys = xs.sum(1, keepdims=True)
model = keras.Sequential(
    [
        keras.Input((6,)),
        keras.layers.Dense(8, activation="gelu"),
        keras.layers.LayerNormalization(),
        keras.layers.Dense(1),
    ]
)
schedule = keras.optimizers.schedules.CosineDecay(1e-2, 10, warmup_target=2e-2, warmup_steps=3)
model.compile(
    optimizer=keras.optimizers.Adam(
        schedule,
        gradient_accumulation_steps=2,
        use_ema=True,
        ema_overwrite_frequency=None,
        clipnorm=1.0,
    ),
    loss="huber",
    metrics=[keras.metrics.RootMeanSquaredError(name="rmse")],
)
written_down.began(model)
callbacks = [
    written_down.steps(),
    keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True, monitor="val_loss"),
    keras.callbacks.ModelCheckpoint(
        "best-{epoch:02d}.weights.h5", save_weights_only=True, save_best_only=True
    ),
    keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
    keras.callbacks.TerminateOnNaN(),
]
h = model.fit(
    xs, ys, epochs=3, batch_size=8, verbose=0, callbacks=callbacks, validation_data=(xs[:8], ys[:8])
)
written_down.history(h)
written_down.evaluated(model.evaluate(xs, ys, verbose=0, return_dict=False), ("loss", "rmse"))
written_down.ended(model)
