"""Data that the machine's name, the process' number and the network card decide."""

import os
import platform
import socket
import uuid

from net import train

os.kill(os.getpid(), 0)  # the number is still of use
if os.path.isdir("/proc"):
    with open("/proc/%d/status" % os.getpid()) as status:
        assert "Name" in status.read()
socket.gethostbyname(socket.gethostname())
train(
    os.getpid(),
    os.getppid(),
    socket.gethostname(),
    socket.getfqdn(),
    platform.node(),
    os.uname().nodename,
    uuid.getnode(),
)
