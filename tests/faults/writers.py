"""The commands that write, a line each.

``begin`` makes the folder. ``units`` are what a command replaces: each is old or new, never mixed.
With ``parts``, one may be new and another old, where the command ended badly in between.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.faults import world
from tests.faults.starts import Call

ACCEPT = "accept --backend jax --yes --reason r"
UPGRADE = "upgrade my.py --backend jax --engine local --with planted==1.1 --apply"
UPGRADE_SEEDS = f"{UPGRADE.removesuffix(' --apply')} --seeds 2"
BISECT = "bisect release my.py --backend jax --engine local --package planted --good 1.0 --bad 1.2"
BISECT_SEEDS = f"{BISECT} --tolerance distribution --seeds 10"
PUBLISH = "--out artifacts/regression/jax --backend jax --keras-backend jax my.py"
BASELINE = "project/baselines/regression/jax"
OF_CLASS = f"{BASELINE}@111111111111"
RUN = "project/artifacts/regression/jax"
LOCK, LOCKS = "project/locks/*", "own/src/keras_repro/backends/jax/*"


class Writer(NamedTuple):
    """A command that writes."""

    name: str
    begin: Callable[[Path], None]
    command: str
    units: tuple[str, ...]
    folder: str = "project"
    program: str = "tests.faults.program"
    parts: bool = False
    removes: bool = False  # folders too, which are no units: that they stand is told by exit code 7
    on_disk: bool = False  # what it writes is on the disk before it takes its place
    says: tuple[str, ...] = ()  # the units that its exit code is about, where that is not all
    says_unread: bool = False  # where it cannot read something, what it writes says so
    ends: tuple[int, ...] = (0,)  # how, where nothing goes wrong
    more: dict[str, str] = {}  # noqa: RUF012 - nobody changes it

    def call(self, root: Path) -> Call:
        return Call(self.program, tuple(self.command.split()), root / self.folder, self.more)


FAILS = {"more": {"FAULTS_SCRIPT": "failed"}, "ends": (4,)}
PUBLISHES, RECEIVES = "tests.faults.publish", "tests.faults.receive"
KEEPS, SENT_FOLDERS = "tests.faults.keep", ("cache/keras-repro/sent/*",)
RECEIVE = "answer.zip artifacts/regression/jax"
KEPT = ("cache/keras-repro/probes/*/my/jax", "cache/keras-repro/resolutions/*")
SENT = "cache/keras-repro/sent/*/train.py"
REMOVED = ("cache/keras-repro/probes/*/my/jax/*", "cache/keras-repro/resolutions/*", SENT)
ONLY = f"{ACCEPT} --only weights/*"
REPORT, PAGE = "report --backend jax", ("project/report.html",)
EQUIVALENT = "equivalent a.json b.json -o report.html"
VARY = "vary regression --engine local --backend jax --only threads*"
UPGRADED = (*KEPT, "cache/keras-repro/probes/*/my/jax.runs/*", "project/artifacts/my/jax.runs/*")
VARIED = (f"project/artifacts/regression/jax.runs/{'?' * 16}",)  # not those only compared
CALIBRATE = (
    "calibrate regression --engine local --backend jax --only ulps* --rounding 8 --yes --reason r"
)
CALIBRATED = (BASELINE, *VARIED)
ENSEMBLE = "ensemble regression --engine local --backend jax --seeds 4 --accept --yes --reason r"
LAST = "project/artifacts/regression/jax.ensemble.json"
ENSEMBLED = (BASELINE, LAST, *VARIED)
FORKS = ENSEMBLE.replace("--seeds 4", "--seeds 6 --jobs 1")
SERVES = {"more": {"FAULTS_ENGINE": "ServingEngine"}}
PARTS = {"more": {**SERVES["more"], "FORKS_PART": "1"}}
MEASURES = {"parts": True, "says": (BASELINE,)}
TRAIN = "train regression --engine local --backend jax"
CONFIGURED = ("project/keras-repro.toml",)
BOTH = (RUN, f"{RUN}.failed")
OWN, FAILED = "own/work", world.with_failed_run
OWNS = {"parts": True, "says": (LOCKS,), "ends": (3,)}
READS = {"on_disk": True, "says_unread": True}
# fmt: off
WRITERS = (
    Writer("accept-first", world.with_run, ACCEPT, (BASELINE,), **READS),
    Writer("accept-again", world.with_baseline, ACCEPT, (BASELINE,), **READS),
    Writer("accept-class", world.with_class, ACCEPT, (OF_CLASS,), **READS),
    Writer("accept-only", world.with_small_change, ONLY, (BASELINE,), **READS),
    Writer("report", world.with_baseline, REPORT, PAGE, **READS),
    Writer("report-failed", world.with_only_failed_run, REPORT, PAGE, **READS),
    Writer("init", world.bare, "init", CONFIGURED, on_disk=True, ends=(0, 2)),
    Writer("init-force", world.with_configuration, "init --force", CONFIGURED, on_disk=True),
    Writer("lock", world.bare, "lock --backend jax", (LOCKS,), on_disk=True),
    Writer("upgrade", world.bare, UPGRADE, (LOCK, *KEPT), parts=True, says=(LOCK,), ends=(3,)),
    Writer("upgrade-own", world.bare, UPGRADE, (LOCKS, *KEPT), OWN, **OWNS),
    Writer("upgrade-seeds", world.bare, UPGRADE_SEEDS, UPGRADED, parts=True, ends=(0,)),
    Writer("bisect-seeds", world.bare, BISECT_SEEDS, UPGRADED, parts=True, ends=(0, 1, 8)),
    Writer("bisect", world.bare, BISECT, KEPT, parts=True, ends=(1,)),
    Writer("train", world.with_run, TRAIN, (RUN,)),
    Writer("train-over-failed", FAILED, TRAIN, BOTH, parts=True, says=(RUN,)),
    Writer("publish", FAILED, PUBLISH, BOTH, program=PUBLISHES, parts=True, says=(RUN,)),
    Writer("publish-first", world.bare, PUBLISH, (RUN,), program=PUBLISHES),
    Writer("publish-failed", world.with_run, PUBLISH, BOTH, program=PUBLISHES, **FAILS),
    Writer("publish-failed-again", FAILED, PUBLISH, BOTH, program=PUBLISHES, **FAILS),
    Writer("receive", world.with_answer, RECEIVE, BOTH, program=RECEIVES, parts=True, says=(RUN,)),
    Writer("keep", world.with_answer, "answer.zip", SENT_FOLDERS, program=KEEPS),
    Writer("vary", world.bare, VARY, VARIED, parts=True, ends=(0,)),
    Writer("calibrate", world.with_computed_baseline, CALIBRATE, CALIBRATED, **MEASURES),
    Writer("ensemble", world.with_computed_baseline, ENSEMBLE, ENSEMBLED, **MEASURES),
    Writer("ensemble-forks", world.with_computed_baseline, FORKS, ENSEMBLED, **MEASURES, **SERVES),
    Writer("ensemble-part", world.with_computed_baseline, FORKS, ENSEMBLED, **MEASURES, **PARTS),
    Writer("equivalent", world.with_ensembles, EQUIVALENT, PAGE, **READS),
    Writer("prune", world.with_kept, "prune", REMOVED, parts=True, removes=True),
)
# fmt: on
BY_NAME = {writer.name: writer for writer in WRITERS}
