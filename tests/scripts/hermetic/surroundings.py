"""Sees that the surroundings are those that its arguments name."""

import getpass
import os
import socket
import sys
import time

from net import train

host, user, folder, size, umask, started = sys.argv[1:]
assert socket.gethostname() == host
assert getpass.getuser() == os.environ["USER"] == user
assert os.getcwd().endswith("/" + folder), os.getcwd()
assert sum(len(name) + len(value) for name, value in os.environ.items()) > int(size)
open("file", "w").close()
assert os.stat("file").st_mode & 0o777 == 0o666 & ~int(umask, 8)
assert 399 < (time.time() - float(started)) / 86400 < 401
with open(os.path.join(os.environ["HOME"], "own"), "w"):
    pass
assert os.listdir(".") == sorted(os.listdir("."), reverse=True)
train(1).save_weights("kept.weights.h5")
