"""What may be changed of a script's surroundings, and what is said of what means nothing."""

import pytest

from keras_repro.recorder.hermetic.changes import change, moved_seconds
from keras_repro.recorder.hermetic.environment import environment


@pytest.mark.parametrize(
    "text",
    [
        *("clock=+400d", "clock=-3h", "clock=+10min", "clock=+90s", "clock=+36500d"),
        *("entropy=0", "entropy=4294967295", "environment-size=1000000", "umask=077", "umask=000"),
        *("folder=deep/other", "folder=a b/c.d", "folder-order=reversed", "host=other.example"),
        *("user=somebody", "umask=0022"),
    ],
)
def test_what_means_something_is_taken_as_it_is(text):
    assert "=".join(change(text)) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("clock", "is not NAME=VALUE"),
        ("hour=3", "there is no 'hour'; there are clock, entropy, environment-size, folder, "),
        *((f"clock={value}", "write +400d, -3h, +10min or +90s") for value in ("5d", "+5y", "+0s")),
        ("clock=+36501d", "at most 36500 days"),
        *((f"entropy={value}", "whole number") for value in ("", "-1", "1.5", "4294967296")),
        ("environment-size=1000001", "write bytes, to 1000000"),
        *((f"folder={value}", "a relative path") for value in ("", "/tmp", "a/../b", "home/x")),
        ("folder=" + "/".join("a" * 17), "a relative path"),
        ("folder-order=random", "write sorted, reversed, shuffled"),
        *((f"host={value}", "letters, digits") for value in ("", "-a", "a b", "a" * 64)),
        # What would take the rights of the script's own user away.
        *((f"umask={value}", "the first 0") for value in ("777", "100", "8", "0o22", "")),
        *((f"user={value}", "a user's name") for value in ("", "0", "a b", "a" * 33)),
    ],
)
def test_what_means_nothing_is_said_in_one_line(text, said):
    with pytest.raises(ValueError, match=r"^[^\n]+$") as error:
        change(text)
    assert said in str(error.value)


def test_the_clock_is_moved_by_seconds():
    assert [moved_seconds(value) for value in ("+400d", "-3h", "+10min", "+90s", "")] == [
        *(400 * 86400, -3 * 3600, 600, 90, 0)
    ]


def test_the_environment_grows_by_what_the_system_takes():
    made = environment(False, {"environment-size": "250001"}, {})
    assert sum(map(len, made.values())) == 250001
    assert max(map(len, made.values())) < 128 << 10


def test_names_stand_in_the_environment_too():
    assert environment(False, {}, {"HOSTNAME": "mine", "USER": "me"}) == {}
    assert environment(True, {}, {"HOSTNAME": "mine"}) == {"HOSTNAME": "localhost"}
    assert environment(True, {"host": "other"}, {"HOSTNAME": "mine"}) == {"HOSTNAME": "other"}
    made = environment(False, {"user": "somebody"}, {})
    assert set(made) == {"USER", "LOGNAME", "LNAME", "USERNAME"}
    assert set(made.values()) == {"somebody"}
