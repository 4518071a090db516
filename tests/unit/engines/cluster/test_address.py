"""Where a cluster is: nothing that anybody could use who reaches it."""

import pytest

from keras_repro.engines.cluster.address import Address, address_of
from keras_repro.errors import UsageError


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("dask", Address()),
        ("dask=4", Address(workers=4)),
        ("dask=tcp://127.0.0.1:8786", Address("tcp://127.0.0.1:8786")),
        ("dask=tcp://localhost:1", Address("tcp://localhost:1")),
        ("dask=tcp://[::1]:8786", Address("tcp://[::1]:8786")),
        ("dask=tls://node7.example.org:8786", Address("tls://node7.example.org:8786")),
    ],
)
def test_where(text, address):
    assert address_of(text) == address


@pytest.mark.parametrize(
    "text",
    [
        *("dask=", "dask=0", "dask=257", "dask=-1", "dask=x", "daskx", "dask=tls://", "dask=²"),
        *("dask=tls://host", "dask=ws://host:1", "dask=inproc://1", "dask=tls://a b:1", "dask=1_0"),
        *("dask=tcp://127.0.0.1.example.org:1", "dask=tcp://10.0.0.1:1", "dask=tcp://0.0.0.0:1"),
        *("dask=tls://host:1/x", "dask=tls://user@host:1", "dask=tcp://localhost:1\n"),
    ],
)
def test_what_is_none_or_open_to_all(text):
    with pytest.raises(UsageError, match="--engine"):
        address_of(text)
