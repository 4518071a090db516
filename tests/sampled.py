"""Leave out tests of the long kind but a sample of them, another one for each COMMIT.

On two slow cores everything takes three quarters of an hour. Continuous integration makes one in a
few of the tests that train or start containers, which the commit chooses, and all others; so over
commits all are made, on every backend. ``make test-all`` without ``SAMPLE`` leaves out none.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass

# Below tests/: what needs no training, and what a user means.
ALWAYS = ("unit/", "docs/", "report/", "old_version/", "test_regression.py", "test_workloads.py")


@dataclass(frozen=True)
class Sample:
    """One in ``of`` of the tests, which ``commit`` chooses; ``always`` has starts of others."""

    of: int
    commit: str
    always: tuple[str, ...] = ALWAYS

    def has(self, place: str, group: str) -> bool:
        """Whether a test is among them.

        ``place`` is its file's below tests/. Those of one ``group`` are in or out together.
        """
        if place.startswith(self.always):
            return True
        digest = hashlib.sha256(f"{self.commit} {group}".encode()).digest()
        return int.from_bytes(digest[:8]) % self.of == 0


def asked(environment: Mapping[str, str] = os.environ) -> Sample | None:
    """Return the sample that is asked for; None where every test is to be made.

    Of the tests that run as on macOS, all of which were made before as they are, every one may be
    left out.
    """
    of = environment.get("KERAS_REPRO_TEST_SAMPLE", "")
    if not of:
        return None
    as_darwin = environment.get("KERAS_REPRO_TEST_AS") == "darwin"
    commit = environment.get("KERAS_REPRO_TEST_COMMIT", "")
    return Sample(int(of), commit, () if as_darwin else ALWAYS)
