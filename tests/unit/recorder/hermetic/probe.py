"""Print what a script of one's own finds, in surroundings that the arguments name.

Run as a process of its own, by any Python from 3.7 on: what is changed stays changed.
"""

import copy
import datetime
import glob
import json
import logging  # noqa: F401 - it holds functions of time in a class
import os
import pathlib
import pickle
import platform
import pwd
import random
import secrets
import socket
import sys
import tempfile
import threading
import time
import uuid
from datetime import datetime as held

sys.path.insert(0, sys.argv[1])
# It takes what Python knows by that name for a library of one's own, and this for a script.
from keras_repro.recorder.hermetic.install import install


class Timed:
    """Holds functions as a class of somebody's does."""

    clock = time.monotonic

    def began(self):
        """Return what the clock says, which is no method."""
        return self.clock()


def own_thread(call):
    """Return what a thread of its own is told."""
    found = []
    thread = threading.Thread(target=lambda: found.append(call()), name="worker")
    thread.start()
    thread.join()
    return found[0]


def forked(call):
    """Return what a process that is forked finds."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, str(call()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    return os.read(reading, 1000).decode()


def clocks():
    """Return what the clocks say."""

    class After:
        clock = time.monotonic

        def began(self):
            return self.clock()

    def slept():
        before = time.time()
        time.sleep(0.03125)
        return time.time() - before

    day = datetime.date.today()
    return {
        "time": time.time(),
        "step": -(time.time() - time.time()),
        "slept": slept(),
        "time_ns": time.time_ns(),
        "monotonic": time.monotonic(),
        "held": -(After().began() - time.monotonic()),
        "perf_counter_ns": time.perf_counter_ns(),
        "process_time": time.process_time(),
        "thread_time": time.thread_time(),
        "gettime": time.clock_gettime(time.CLOCK_REALTIME),
        "gettime_ns": time.clock_gettime_ns(time.CLOCK_MONOTONIC),
        "gmtime": list(time.gmtime()),
        "localtime": list(time.localtime(None)),
        "strftime": time.strftime("%F %T"),
        "ctime": time.ctime(),
        "asctime": time.asctime(),
        "now": datetime.datetime.now().isoformat(),
        "held now": held.now(datetime.timezone.utc).isoformat(),  # noqa: UP017
        "utcnow": held.utcnow().isoformat(),
        "today": held.today().isoformat(),
        "date": day.isoformat(),
        "thread": own_thread(lambda: [time.time(), time.time()]),
    }


def stays():
    """Return what must be as it is in any surroundings."""
    moment = held.now()
    return {
        "epoch": list(time.gmtime(0)),
        "strftime": time.strftime("%Y", time.gmtime(0)),
        "type": [type(moment) is datetime.datetime, isinstance(moment, datetime.date)],
        "pickled": pickle.loads(pickle.dumps(moment)) == moment,  # noqa: S301
        "function": pickle.loads(pickle.dumps(time.time)) is time.time,  # noqa: S301
        "copied": copy.deepcopy(moment) == moment,
        "subclass": type(type("Mine", (held,), {}).now()).__name__,
        "timed": Timed().began() > 0,
        "seeded": [random.Random(1).random(), str(uuid.uuid5(uuid.NAMESPACE_DNS, "x"))],
        "waits": threading.Event().wait(0.01),
        "lengths": [len(os.urandom(n)) for n in (0, 1, 1000)],
        "tree": sorted(os.path.basename(f) for f, _, _ in os.walk(sys.argv[3])),
        "closed": _scan_and_close(),
    }


def _scan_and_close():
    with os.scandir(sys.argv[3]) as entries:
        first = next(entries).name
        entries.close()
        return [len(first), list(entries)]


def entropy():
    """Return what is drawn without a seed."""
    random.seed()
    return {
        "urandom": os.urandom(4).hex(),
        "getrandom": getattr(os, "getrandom", os.urandom)(4).hex(),
        "secrets": [secrets.token_hex(4), secrets.randbits(20), secrets.choice(range(9999))],
        "uuid4": str(uuid.uuid4()),
        "clock_seq": uuid.uuid1().clock_seq,
        "seed": random.random(),
        "Random": random.Random().random(),
        "SystemRandom": random.SystemRandom().random(),
        "thread": own_thread(lambda: os.urandom(4).hex()),
        "forks": [forked(lambda: os.urandom(4).hex()) for _ in range(2)],
        "name": os.path.basename(tempfile.mktemp()),  # noqa: S306
    }


def has_proc():
    try:
        open("/proc/self/status").close()
    except OSError:
        return False
    return True


def identity():
    """Return the names and numbers by which the script and the machine go."""
    os.kill(os.getpid(), 0)
    return {
        "getpid": os.getpid(),
        "getppid": os.getppid(),
        "fork's parent": int(forked(os.getppid)),
        "group": os.getpgid(os.getpid()) == os.getpgid(0),
        "alive": not has_proc() or "Name" in open(f"/proc/{os.getpid()}/status").read(),
        "gethostname": socket.gethostname(),
        "node": platform.node(),
        "uname": os.uname().nodename,
        "fqdn": socket.getfqdn(),
        "address": bool(socket.gethostbyname(socket.gethostname())),
        "getnode": uuid.getnode(),
        "uuid1": str(uuid.uuid1()),
        "user": [pwd.getpwuid(os.getuid()).pw_name, os.path.expanduser("~somebody/x")],
    }


def folders():
    """Return the entries of a folder, in every way that Python lists them."""
    place = sys.argv[3]
    with os.scandir(place) as entries:
        scanned = [entry.name for entry in entries]
    return {
        "listdir": os.listdir(place),
        "scandir": scanned,
        "walk": next(iter(os.walk(place)))[1],
        "glob": [os.path.basename(name) for name in glob.glob(place + "/*")],
        "iterdir": [path.name for path in pathlib.Path(place).iterdir()],
        "Path.glob": [path.name for path in pathlib.Path(place).glob("*")],
    }


if __name__ == "__main__":
    asked = json.loads(sys.argv[2])
    install(asked["seed"], asked["hermetic"], asked["changes"])
    parts = (clocks, stays, entropy, identity, folders)
    print(json.dumps({part.__name__: part() for part in parts}))
