"""Data that the operating system's entropy decides, by way of Python."""

import os
import random
import secrets
import uuid

from net import train

train(
    os.urandom(8),
    getattr(os, "getrandom", os.urandom)(4),
    secrets.token_hex(4),
    secrets.randbits(16),
    secrets.choice(range(1000)),
    uuid.uuid4(),
    uuid.uuid1(),
    random.Random().random(),
    random.SystemRandom().random(),
)
random.seed()
train(random.random())
