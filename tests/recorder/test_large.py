"""Large arrays through the real recorder: what is over a limit is kept as a sample."""

import hashlib
import json

import numpy as np
import pytest

from keras_repro.recorder import contract
from keras_repro.runs.run import read_run
from tests.conftest import BACKENDS

SCRIPT = """
import hashlib
import json
import numpy as np
from keras.layers import Dense
from keras.models import Sequential

x = np.linspace(-1, 1, 3000).astype("float32").reshape(3000, 1)
model = Sequential([Dense(500, input_shape=(1,)), Dense(600), Dense(1)])
model.compile("sgd", "mse")
model.fit(x[:8], x[:8], batch_size=4, epochs=1, verbose=0)
wide = Sequential(model.layers[:1])
predicted = wide.predict(x, verbose=0)
kernel = model.layers[1].get_weights()[0]
print(json.dumps([hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()
                  for a in (kernel, predicted)]))
"""
KERNEL, PREDICTED = "weights/1.dense.kernel", "model2/predictions/0"


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "tensorflow1"])
def test_it_is_told_by_its_digest_and_a_sample(backend, scripts):
    limits = ("--array-limit", "1 MB")
    recorded = scripts.record(backend, scripts.write(SCRIPT), options=limits)
    assert recorded.status == 0, recorded.output
    digests = json.loads(recorded.log.strip().splitlines()[-1])
    run = read_run(recorded.out)
    run.check_arrays()
    assert run.facts.schema_version == contract.SUMMARIES_SCHEMA
    summaries = run.facts.summaries
    assert sorted(summaries) == sorted([KERNEL, PREDICTED, f"initial_{KERNEL}"])
    assert [summaries[name].sha256 for name in (KERNEL, PREDICTED)] == digests
    assert not set(summaries) & set(recorded.arrays)
    sample = run.all_arrays[PREDICTED].sample.load()
    assert sample.size == contract.SAMPLE

    whole = scripts.record(backend, scripts.write(SCRIPT))
    assert "summaries" not in whole.facts
    assert not (whole.out / contract.SAMPLES).exists()
    array = whole.arrays[PREDICTED]
    assert np.array_equal(array.reshape(-1)[contract.sample_places(array.size)], sample)
    assert hashlib.sha256(array.tobytes()).hexdigest() == digests[1]
    assert summaries[PREDICTED].maximum == float(array.max())
