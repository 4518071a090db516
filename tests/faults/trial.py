"""One injection: what stands where a command has met a fault, and after the next one."""

import shutil
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from keras_repro.errors import ExitCode, KerasReproError
from keras_repro.runs.baselines import read_baseline
from tests.faults import states, world
from tests.faults.faults import KILLS, LISTING, READS, Fault, Operation, told
from tests.faults.starts import Done, Setting
from tests.faults.writers import Writer
from tests.served import Server

CODES = frozenset(int(code) for code in ExitCode)
KILLED, HANGS = -9, -14


class Undisturbed(NamedTuple):
    """What a command does where nothing goes wrong: once, and again, and again."""

    operations: list[Operation]
    trees: list[states.Tree]  # before, and after each
    codes: list[int]

    def states(self, writer: Writer) -> list[states.State]:
        return [states.units(tree, writer.units) for tree in self.trees]


class Workshop:
    """Where one process tries commands: a root of its own, which is made anew for each trial."""

    def __init__(self, setting: Setting, name: str) -> None:
        self.setting = setting
        self.root = setting.folder / name / "root"
        self.root.parent.mkdir(exist_ok=True)
        self.templates = self.root.with_name("templates")
        self.templates.mkdir(exist_ok=True)
        self.side = self.root.with_name("side")
        self._undisturbed: dict[str, Undisturbed] = {}

    @cached_property
    def server(self) -> Server:
        return self.setting.server()

    def begin(self, writer: Writer) -> None:
        world.fresh(self.root, writer.begin, self.templates)
        self.side.unlink(missing_ok=True)

    def run(self, writer: Writer, fault: Fault | None = None, real: bool = False) -> Done:
        server = None if real else self.server
        return writer.call(self.root).start(self.setting, self.root, server, fault, self.side)

    def undisturbed(self, writer: Writer) -> Undisturbed:
        """Return what the command does undisturbed; it is run once for all trials."""
        if writer.name not in self._undisturbed:
            self.begin(writer)
            trees, codes = [states.tree(self.root)], []
            for fault in (LISTING, None, None):
                done = self.run(writer, fault)
                codes.append(done.code)
                trees.append(states.tree(self.root))
                left = states.passing(trees[-1])
                if done.code not in (writer.ends or CODES) or "Traceback" in done.output or left:
                    raise RuntimeError(f"{writer.name}, undisturbed: {done} left {left}")
            self._undisturbed[writer.name] = Undisturbed(told(self.side), trees, codes)
        return self._undisturbed[writer.name]

    def close(self) -> None:
        if "server" in self.__dict__:
            self.server.__exit__(None, None, None)
        world.remove(self.root)
        shutil.rmtree(self.root.parent, ignore_errors=True)


class Result(NamedTuple):
    """What became of a trial; ``hit`` is None where its fault met no operation."""

    hit: Operation | None
    problems: list[str]


def inject(workshop: Workshop, writer: Writer, fault: Fault, real: bool) -> Result:
    """Run a command under a fault, then again undisturbed; return what is wrong."""
    expected = workshop.undisturbed(writer)
    workshop.begin(writer)
    done = workshop.run(writer, fault, real)
    met = told(workshop.side)
    if not met:
        return Result(None, [])
    problems = _ended(done, fault)
    then = states.tree(workshop.root)
    if fault.kind in KILLS or states.SAYS_WHERE.search(done.output):
        then = states.with_carried(then)
    unread = met[0].name in READS and writer.says_unread and done.code == 0
    if unread and _is_whole(workshop.root, writer):  # a third one, which says what it lacks
        problems += _others(writer, expected, then)
    else:
        problems += _stands(writer, expected, then, done)
    again = workshop.run(writer)
    problems += _after(writer, expected, then, states.tree(workshop.root), again)
    return Result(met[0], [f"{problem} [{_said(done)}]" for problem in problems])


def _ended(done: Done, fault: Fault) -> list[str]:
    if "Traceback" in done.output:
        return ["a traceback"]
    if done.code == HANGS:
        return ["it hangs"]
    if done.code == KILLED and fault.kind in KILLS:
        return []
    if fault.kind in KILLS:
        return [f"it was killed, and ended with {done.code}"]
    return [] if done.code in CODES else [f"exit code {done.code}, which is none"]


def _stands(writer: Writer, expected: Undisturbed, then: states.Tree, done: Done) -> list[str]:
    """Return what is wrong with what stands after the fault."""
    before, after = expected.states(writer)[:2]
    now = states.units(then, writer.units)
    problems = []
    for name in sorted({*before, *after, *now}):
        if now.get(name) not in (before.get(name), after.get(name)):
            problems.append(f"{name} is neither old nor new")
    if not problems and not writer.parts and now not in (before, after):
        problems.append("some of it is old and some new")
    before, after, now = (
        states.units(tree, writer.says or writer.units) for tree in (*expected.trees[:2], then)
    )
    if not problems and before != after:
        if done.code == expected.codes[0] and now != after:
            problems.append(f"exit code {done.code}, and the old stands")
        # Another code may say that what was written cannot be read.
        if done.code == ExitCode.CANNOT_WRITE and now == after and not writer.removes:
            problems.append(f"exit code {done.code}, and the new stands")
    return problems + _others(writer, expected, then)


def _is_whole(root: Path, writer: Writer) -> bool:
    """Return whether what a command wrote can be read: a page, or a baseline."""
    place = root / writer.units[0]
    if place.suffix == ".html":
        return place.read_text(errors="replace").rstrip().endswith("</html>")
    try:
        return not read_baseline(place).edited
    except KerasReproError:
        return False


def _others(writer: Writer, expected: Undisturbed, then: states.Tree) -> list[str]:
    """Return what else changed: of a file that the command leaves alone, say."""
    old, new = (states.outside(tree, writer.units) for tree in expected.trees[:2])
    kept = {path: what for path, what in old.items() if new.get(path) == what}
    return [f"{path} changed" for path, what in kept.items() if then.get(path) != what]


def _after(
    writer: Writer, expected: Undisturbed, then: states.Tree, now: states.Tree, again: Done
) -> list[str]:
    """Return what is wrong after the next, undisturbed run."""
    known = expected.states(writer)
    stood = states.units(then, writer.units)
    stands = states.units(now, writer.units)
    problems = []
    if again.code not in expected.codes or "Traceback" in again.output:
        problems.append(f"the next one ends with {again.code}: {_said(again)}")
    if writer.parts:
        allowed = {
            name: [state.get(name) for state in known[1:]] for state in known for name in state
        }
        wrong = [
            name for name in {*allowed, *stands} if stands.get(name) not in allowed.get(name, [])
        ]
        problems += [f"after the next one, {name} is neither" for name in sorted(wrong)]
    elif (
        stands not in [known[at + 1] for at in (0, 1) if known[at] == stood] and stood in known[:2]
    ):
        problems.append("after the next one, something else stands than without the fault")
    meant = set().union(*expected.trees[1:])
    left = sorted(set(now) - meant)
    if left:
        problems.append(f"after the next one, left: {', '.join(left[:3])}")
    return problems


def _said(done: Done) -> str:
    lines = done.output.strip().splitlines()
    return f"exit {done.code}: {lines[-1][:200] if lines else 'nothing'}"


def not_on_disk(writer: Writer, expected: Undisturbed) -> list[str]:
    """Return what is wrong where a file takes its place without having been brought to the disk."""
    if not writer.on_disk:
        return []
    synced = {Path(one.path).name for one in expected.operations if one.name == "fsync"}
    before, after = expected.trees[:2]
    new = {
        Path(path).name
        for path, what in after.items()
        if what != states.FOLDER and before.get(path) != what and path.startswith(writer.units)
    }
    # A file may be written under a name of its own first, with the final one in it.
    left = sorted(file for file in new if not any(file in name for name in synced))
    return [f"{writer.name}: {file} takes its place before it is on the disk" for file in left]
