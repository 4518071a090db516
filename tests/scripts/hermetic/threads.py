"""Data that threads draw, and processes; while waiting still ends in time."""

import concurrent.futures
import multiprocessing
import os
import queue
import subprocess
import sys
import threading
import time
from multiprocessing.pool import ThreadPool

from net import train


def draw(_=None):
    """Return what a worker finds."""
    return os.urandom(4).hex(), time.time()


def ends(waiting, *errors):
    """Wait for nothing, and see that it ends."""
    try:
        return waiting()
    except errors:
        return "ended"


if __name__ == "__main__":
    found = []
    thread = threading.Thread(target=lambda: found.append(draw()))
    thread.start()
    thread.join(30)
    with ThreadPool(1) as pool:
        found += pool.map(draw, range(2))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        found += list(pool.map(draw, range(2), timeout=30))
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found += pool.map(draw, range(2))
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        found += [len(pool.submit(draw).result(30))]
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    found += [
        ends(lambda: queue.Queue().get(timeout=0.1), queue.Empty),
        ends(lambda: sleeper.wait(0.1), subprocess.TimeoutExpired),
        threading.Event().wait(0.1),
        multiprocessing.Pipe()[0].poll(0.1),
        ends(lambda: multiprocessing.Queue().get(timeout=0.1), queue.Empty),
        concurrent.futures.wait([concurrent.futures.Future()], 0.1).done == set(),
    ]
    sleeper.kill()
    sleeper.wait()
    train(*found)
