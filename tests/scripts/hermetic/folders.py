"""Data in the order in which a folder tells its files."""

import glob
import os
import pathlib
import shutil
import tempfile

from net import train

SHARED = "/dev/shm"  # a file system that tells the files of a folder as they were made
home = os.getcwd()
place = tempfile.mkdtemp(dir=SHARED if os.path.isdir(SHARED) else None)
os.chdir(place)
with open("/dev/urandom", "rb") as entropy:  # not by os.urandom: that is another matter
    names = sorted("abcdefghijklmnop", key=lambda name: entropy.read(8))
for name in names:
    open(name, "w").close()
with os.scandir(".") as entries:
    scanned = [entry.name for entry in entries]
found = [
    os.listdir("."),
    scanned,
    glob.glob("*"),
    [path.name for path in pathlib.Path(".").iterdir()],
    [path.name for path in pathlib.Path(".").glob("*")],
    [files for _, _, files in os.walk(".")],
]
os.chdir(home)
shutil.rmtree(place)
train(*found)
