"""What to do next, where a script fails for a reason that its run gives it."""

import pytest

from keras_repro.recorder import advice, limits, surroundings
from keras_repro.recorder.contract import Conditions


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("ModuleNotFoundError: No module named 'no_such.svm'", "no no_such; name what to add"),
        ("ModuleNotFoundError: No module named 'numpy.no_such'", "numpy has no numpy.no_such"),
        ("ValueError: Argument(s) not recognized: {'lr': 0.1}", "lr is an argument of older"),
        ("TypeError: fit() got an unexpected keyword argument 'nb_epoch'", "have Keras 2.3.1"),
        ("ModuleNotFoundError: No module named 'theano'", "another backend, with theano"),
        ("OSError: [Errno 30] Read-only file system: '/x'", "/tmp is free"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/srv/x'", "--data DIR"),
        ("FileNotFoundError: [Errno 2] No such file or directory: '../x'", "--data DIR"),
        ("URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "--datasets"),
    ],
)
def test_known_reasons(reason, words):
    assert words in advice.hint(f"exit status 1: {reason}", [])


def test_reasons_that_only_a_container_gives():
    closed = "exit status 1: PermissionError: [Errno 13] Permission denied: 'data/x.csv'"
    full = "exit status 1: OSError: [Errno 28] No space left on device"
    assert "chmod -R o+rX" in advice.hint(closed, [], in_container=True)
    assert "KERAS_REPRO_TMP=8g" in advice.hint(full, [], in_container=True)
    assert advice.hint(closed.replace("data", "/root"), [], in_container=True) is None
    assert advice.hint(closed, []) is None
    assert advice.hint(full, []) is None


@pytest.mark.parametrize(
    "reason",
    [
        "ModuleNotFoundError: No module named 'keras.engine'",
        "ValueError: no",
        "FileNotFoundError: [Errno 2] No such file or directory: 'here.csv'",
    ],
)
def test_unknown_reasons(reason):
    assert advice.hint(reason, []) is None


def test_what_the_network_was_asked_for_is_named():
    assert "https://x.org/a.npz, and containers have none" in advice.hint(
        "ValueError: no", ["https://x.org/a.npz"]
    )
    assert advice.about_network([]) is None


def test_a_folder_of_data_sets_is_not_asked_for_again():
    reason = "Exception: URL fetch failure on https://x.org/mnist.npz: None"
    said = advice.hint(reason, ["https://x.org/mnist.npz"], datasets=True)
    assert "has no such file, or another one" in said
    assert "hand it in" not in said


def test_what_was_not_kept_is_named():
    assert advice.about_files({}, 1) is None
    line = advice.about_files({f"f{n}": "1 MB, and no room" for n in range(7)}, 100 << 20)
    assert "at most 100 MB (--files-limit): f0 (1 MB, and no room), f1" in line
    assert line.endswith("and 2 more")


def test_limits():
    assert limits.Limits(Conditions()).patience() == limits.POLL_SECONDS
    assert limits.Limits(Conditions()).exceeded() is None
    assert limits.Limits(Conditions(time_limit=0.0)).exceeded() == (
        "it ran longer than its limit of 0 s"
    )
    assert limits.in_words(1536 << 20) == "1.5 GB"


def test_no_secret_of_an_address_is_noted():
    for address in ("http://joe:hunter2@host.org/x?token=1#f", "http://host.org/x#f"):
        assert surroundings._without_secrets(address) == "http://host.org/x"


def test_a_file_name_ends_no_line():
    assert advice.visible("two\nlines\x1b[1m") == "two\\nlines\\x1b[1m"
