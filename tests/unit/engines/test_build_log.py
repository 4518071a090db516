"""What the build of an image prints: how far it is, and its error."""

import pytest

from keras_repro.engines import build_log

# As Docker prints it: a step's own lines, and at the end once more what it printed.
FAILED = """\
#7 [with-debian 1/1] RUN --mount=type=bind,target=/run/x sh /run/x/system.sh /run/x/list
#7 1.412 Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]
#7 9.201 {line}
#7 ERROR: process "/bin/sh -c sh /run/context/system.sh /x" did not complete successfully: 100
------
 > [with-debian 1/1] RUN --mount=type=bind,target=/run/x sh /run/x/system.sh /run/x/list:
9.201 {line}
------
ERROR: failed to solve: process "/bin/sh -c sh" did not complete successfully: exit code: 100
"""


@pytest.mark.parametrize(
    "said",
    [
        "there is no package grafviz in Debian 12.15",
        "Version '1.0' for 'graphviz' was not found",
        "Package 'x' has no installation candidate",
        "Unable to correct problems, you have held broken packages.",
        "Packages need to be removed but remove is disabled.",
    ],
)
def test_what_debian_does_not_have_is_the_users_to_mend(said):
    assert build_log.refused(FAILED.format(line=f"E: {said}")) == said


def test_a_mirror_that_does_not_answer_is_no_fault_of_the_names():
    said = "Failed to fetch http://deb.debian.org/debian/dists  Temporary failure resolving"
    tail = FAILED.format(line=f"E: {said}")
    assert build_log.refused(tail) == ""
    assert build_log.error(tail) == said


def test_another_error_is_the_last_line_that_says_so():
    assert build_log.error("#3 0.1 error: no wheel\n#3 done\n") == "#3 0.1 error: no wheel"
    assert build_log.error("so long\n") == "so long"
    assert build_log.error("") == "it said nothing"


def test_a_long_step_is_said_until_the_next_begins():
    said = []
    for line in (*FAILED.splitlines()[:3], "#8 [2/3] COPY a b", "#8 0.1 done", "#9 RUN warm.sh"):
        build_log.say_step(line, said.append)
    assert said == [
        "building the image: installing system packages",
        "building the image",
        "building the image: filling its caches",
    ]
