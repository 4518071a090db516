"""Searches through the command line, over planted releases: what is right is known beforehand."""

import math
import os
import re
import signal
import subprocess
import sys
import time
from functools import cache

import pytest

from tests.planted_index import PlantedIndex
from tests.searched import SCRIPT, STAND_IN, WITH_COMPANION, plant, searching, write_project

TRIED = re.compile(r"^(?:planted|commit|day) (\S+)(?: \(.*?\))?: (?!resolving|training)", re.M)


@pytest.fixture
def index(tmp_path):
    return PlantedIndex(tmp_path / "index")


@pytest.fixture
def bisect(keras_repro, index, tmp_path):
    """Search the planted package's releases in a project of one script."""
    write_project(tmp_path)
    return searching(keras_repro, tmp_path, index)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Projects to search more than once: what one test tried in them, the next one knows."""

    @cache
    def project(*values, **kinds):
        folder = tmp_path_factory.mktemp("shared")
        write_project(folder, **kinds)
        index = PlantedIndex(folder / "index")
        plant(index, {f"1.{number}": value for number, value in enumerate(values)})
        return folder, index

    return project


def twelve(change):
    return {f"1.{number}": 1.0 if number < change else 2.0 for number in range(12)}


def test_it_finds_the_release_in_few_probes(bisect, index, engine):
    plant(index, twelve(7))
    done = bisect("--good", "1.0", "--bad", "1.11", engine=engine)
    assert done.returncode == 1, done.stderr
    assert "costs change with planted 1.7; the release before it is 1.6" in done.stdout
    assert "predictions: no change from 1.0 to 1.11" in done.stdout
    # The answer comes first, and then what it rests on.
    answer = done.stdout.index("costs change with planted 1.7; the release before it is 1.6")
    assert done.stdout.index("s; left: ") < answer < done.stdout.index("costs/train ")
    assert len(TRIED.findall(done.stdout)) <= math.ceil(math.log2(12)) + 2
    # The verdicts between the two sides, and each of them again.
    assert re.search(r"costs/train +drift", done.stdout)
    upgrade = 'upgrade my.py --requirements requirements.txt --backend jax --with "planted==1.7"'
    assert f"keras-repro {upgrade}" in done.stdout
    again = bisect("--good", "1.0", "--bad", "1.11", engine=engine)
    assert re.search(r"(\d) of 12 tried, \1 of them known from before", again.stdout)


def test_what_cannot_be_had_widens_the_answer(bisect, index):
    """One release fails in the script, one needs what there is not, one is for another Python."""
    values = {"1.0": 1.0, "1.1": 1.0, "1.2": 1.0, "1.3": 2.0, "1.4": 2.0, "1.5": 2.0}
    plant(
        index,
        values,
        **{
            "1.2": {"breaks": True},
            "1.3": {"requires": ("planted-nowhere-to-be-found",)},
            "1.4": {"tag": "cp37-cp37m-manylinux1_x86_64"},
        },
    )
    done = bisect("--good", "1.0")
    assert done.returncode == 1, done.stderr
    assert (
        "costs change between planted 1.1 (good) and 1.5 (bad); 1.2 fails, 1.3 does not install, "
        "1.4 does not install"
    ) in done.stdout
    assert "RuntimeError: planted" in done.stdout
    assert "1.4" not in TRIED.findall(done.stdout)  # its file says so, and costs no probe


def test_yanked_and_pre_releases_are_left_out(bisect, index):
    plant(
        index,
        {"1.0": 1.0, "1.1": 5.0, "1.2rc1": 6.0, "1.2": 2.0},
        **{"1.1": {"yanked": True}},
    )
    done = bisect("--good", "1.0")
    assert "planted 1.0 to 1.2: 2 releases" in done.stdout
    assert "costs change with planted 1.2; the release before it is 1.0" in done.stdout
    done = bisect("--good", "1.0", "--pre")
    assert "costs change with planted 1.2rc1; the release before it is 1.0" in done.stdout


def test_no_change_is_said(bisect, index):
    plant(index, dict.fromkeys(twelve(20), 1.0))
    done = bisect("--good", "1.0", "--jobs", "2", "--tolerance", "identical")
    assert done.returncode == 0, done.stderr
    assert "nothing changes between planted 1.0 and 1.11: the same bits, 2 tried" in done.stdout


@pytest.mark.parametrize(
    ("tolerance", "code"), [("identical", 1), ("1e-3", 0), ("1e-9", 1), ("baseline", 1)]
)
def test_what_counts_as_the_same(keras_repro, shared, tolerance, code):
    bisect = searching(keras_repro, *shared(1.0, 1.0001))
    done = bisect("--good", "1.0", "--tolerance", tolerance)
    assert done.returncode == code, done.stdout + done.stderr


def test_only_some_arrays(keras_repro, shared):
    bisect = searching(keras_repro, *shared(1.0, 2.0, real_keras=True))
    assert bisect("--good", "1.0", "--only", "predictions/*").returncode == 0
    done = bisect("--good", "1.0", "--only", "no/*")
    assert done.returncode == 2
    assert "no array matches 'no/*'" in done.stderr


@pytest.mark.parametrize("guilty", ["planted", "planted-companion"])
def test_a_confounder_is_told_from_the_suspect(bisect, index, tmp_path, guilty):
    """From 1.2 on a newer companion is drawn along, and only one of the two changes a number."""
    (tmp_path / "my.py").write_text(WITH_COMPANION)
    (tmp_path / "requirements.txt").write_text("planted==1.0\nplanted-companion==1.0\n")
    for number in range(4):
        late = number >= 2
        index.release("planted-companion", f"{number}.0", 3.0 if late and guilty[7:] else 1.0)
        index.release(
            *("planted", f"1.{number}", 3.0 if late and not guilty[7:] else 1.0),
            requires=("planted-companion>=2.0" if late else "planted-companion",),
        )
    done = bisect("--good", "1.0")
    assert done.returncode == 1, done.stderr
    assert "costs change with planted 1.2; the release before it is 1.1" in done.stdout
    assert "confounder: planted-companion 1.0 -> 2.0 moved with it" in done.stdout
    if guilty == "planted":
        assert "what moved with it alone: changes nothing" in done.stdout
        assert "so it is planted\n" in done.stdout
        assert "the reason is not" not in done.stdout
    else:
        assert "what moved with it alone: changes the numbers" in done.stdout
        assert (
            "the reason is not planted but what moved with it: planted-companion 1.0 -> 2.0"
        ) in done.stdout


def test_what_is_no_longer_needed_is_no_suspect(bisect, index, tmp_path):
    """The release after the change needs nothing; its companion stays to try it alone."""
    (tmp_path / "requirements.txt").write_text("planted==1.0\n")
    index.release("planted-companion", "1.0", 1.0)
    index.release("planted", "1.0", 1.0, requires=("planted-companion",))
    index.release("planted", "1.1", 2.0)
    done = bisect("--good", "1.0")
    assert "confounder: planted-companion 1.0 -> (none) moved with it" in done.stdout
    assert "planted alone: changes the numbers" in done.stdout
    assert done.stdout.count("so it is planted\n") == 1


def test_those_that_only_come_together_are_not_told_apart(bisect, index, tmp_path):
    """Neither is to be had alone, and yet the newer one takes more than one companion."""
    (tmp_path / "my.py").write_text(WITH_COMPANION)
    (tmp_path / "requirements.txt").write_text("planted==1.0\nplanted-companion==1.0\n")
    for version in ("1.0", "2.0", "2.1"):
        index.release("planted-companion", version, float(version[0]))
    index.release("planted", "1.0", 1.0, requires=("planted-companion<2",))
    index.release("planted", "1.1", 1.0, requires=("planted-companion>=2",))
    done = bisect("--good", "1.0")
    assert "moved with it, and the two cannot be told apart" in done.stdout
    assert "with its" not in done.stdout


def test_a_companion_that_a_release_pins_is_part_of_it(bisect, index, tmp_path):
    """As jaxlib is of jax: neither is to be had alone, so that nothing is left to tell apart."""
    (tmp_path / "my.py").write_text(WITH_COMPANION)
    (tmp_path / "requirements.txt").write_text("planted==1.0\nplanted-companion==1.0\n")
    for number in (1, 2, 3):
        index.release("planted-companion", f"{number}.0", float(number))
        needs = (f"planted-companion<={number}.0,>={number}.0",)
        index.release("planted", f"1.{number - 1}", 1.0, requires=needs)
    done = bisect("--good", "1.0", "--bad", "1.1")
    assert done.returncode == 1, done.stderr
    answer = (
        "costs change with planted 1.1 with its planted-companion; the release before it is 1.0"
    )
    assert answer in done.stdout
    assert "planted-companion 1.0 -> 2.0 is part of planted 1.1" in done.stdout
    for word in ("confounder", "told apart", "alone:"):
        assert word not in done.stdout
    done = bisect("--good", "1.0", "--all")
    headline = "the numbers change with 2 releases of planted, each with its planted-companion: "
    assert f"{headline}1.1, 1.2\n" in done.stdout
    assert "told apart" not in done.stdout


def test_every_change(bisect, index):
    values = {f"1.{number}": float(1 + (number >= 3) + (number >= 9)) for number in range(12)}
    plant(index, values)
    done = bisect("--all", "--jobs", "2", "-o", "page.html", "--tolerance", "identical")
    assert done.returncode == 1, done.stderr
    assert "costs change with planted 1.3; the release before it is 1.2" in done.stdout
    assert "costs change with planted 1.9; the release before it is 1.8" in done.stdout
    assert re.search(r"1\.3 +6 +1\.0e\+00 +costs", done.stdout)
    assert len(TRIED.findall(done.stdout)) < 12


def test_the_page_and_the_text_to_paste(keras_repro, shared):
    folder, index = shared(1.0, 2.0, real_keras=True)
    bisect = searching(keras_repro, folder, index)
    done = bisect("--good", "1.0", "--format", "markdown", "-o", "page.html")
    assert done.stdout.startswith("**costs change with planted 1.1; the release before it is 1.0**")
    assert "| costs/train | drift |" in done.stdout
    assert "](" not in done.stdout  # no link
    page = (folder / "page.html").read_text()
    assert "costs change with planted 1.1" in page
    assert "<svg role=" in page


@pytest.mark.long
def test_many_seeds_find_what_is_more_than_chance(bisect, index, tmp_path):
    """Each release has other bits than the one before it; from 1.2 on the mean is another one."""
    cost = "numpy.random.normal() + planted.VALUE"
    (tmp_path / "my.py").write_text(SCRIPT.replace("step * planted.VALUE", cost))
    plant(index, {"1.0": 0.0, "1.1": 1e-6, "1.2": 9.0, "1.3": 9.001})
    many = ("--good", "1.0", "--tolerance", "distribution", "--seeds", "10", "--jobs", "2")
    done = bisect(*many, "-o", "page.html")
    assert done.returncode == 1, done.stderr
    answer = (
        "the distribution of costs/train changes with planted 1.2; the release before it is 1.1"
    )
    assert answer in done.stdout
    assert "planted 1.3: differs: costs/train; 5 seeds" in done.stdout
    assert re.search(r"planted 1\.1: (no difference shown|equivalent).*; 10 seeds", done.stdout)
    assert "wrongly in at most 5 % of all cases" in " ".join(done.stdout.split())
    assert answer in (tmp_path / "page.html").read_text()
    again = bisect(*many)
    assert re.search(r"(\d) of 4 tried, \1 of them known from before", again.stdout)


def test_killed_at_any_probe_it_goes_on_from_there(bisect, index, tmp_path):
    plant(index, twelve(5))
    command = [sys.executable, "-m", "keras_repro", "bisect", "release", "my.py", "--backend"]
    command += ["jax", "--package", "planted", "--requirements", "requirements.txt"]
    command += ["--good", "1.0", "--engine", "local"]
    environment = {**os.environ, **index.variables, "COLUMNS": "100"}
    told: set[str] = set()
    for _ in range(8):
        new, finished = [], False
        with subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            for line in process.stdout:
                if (found := TRIED.match(line)) and "known from before" not in line:
                    new.append(found[1])
                    os.kill(process.pid, signal.SIGKILL)
                    break
                finished = finished or "costs change with planted 1.5" in line
        assert not told & set(new), "a finished probe was made again"
        told |= set(new)
        if finished:
            break
        time.sleep(0.1)
    assert finished
    assert len(told) <= math.ceil(math.log2(12)) + 2


def test_the_users_own_commits(keras_repro, tmp_path):
    def git(*arguments):
        name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "keras.py").write_text(STAND_IN)
    git("add", "keras.py")
    for number in range(6):
        rate = 1.0 if number < 4 else 2.0
        (tmp_path / "rates.py").write_text(f"VALUE = {rate}\n" + "1 / 0\n" * (number == 2))
        (tmp_path / "my.py").write_text(SCRIPT.replace("planted", "rates") + f"# {number}\n")
        git("add", "rates.py", "my.py")
        git("commit", "-qm", f"change {number}")
    search = ("bisect", "commit", "my.py", "--backend", "jax", "--engine", "local")
    (tmp_path / "my.py").write_text("not committed")
    done = keras_repro(*search, "--good", "HEAD~5", "--bad", "HEAD")
    assert done.returncode == 1, done.stderr
    assert re.search(r"costs change with commit \w+ \(.*change 4\); the commit before", done.stdout)
    assert (tmp_path / "my.py").read_text() == "not committed"
    worktrees = subprocess.run(
        ["git", "worktree", "list"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert len(worktrees.stdout.splitlines()) == 1
    for good, bad, says in (
        ("HEAD", "HEAD~5", "swap them: --good HEAD~5 --bad HEAD"),
        ("HEAD~5", "nothing", "there is no commit 'nothing'"),
        ("HEAD", "HEAD", "the same commit"),
    ):
        done = keras_repro(*search, "--good", good, "--bad", bad)
        assert done.returncode == 2
        assert says in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_the_old_spelling_works_and_says_what_is_new(keras_repro, shared):
    folder, index = shared(1.0, 2.0, real_keras=True)
    bisect = searching(keras_repro, folder, index)
    assert bisect("--good", "1.0").returncode == 1
    done = keras_repro(
        *("bisect", "jax", "my.py", "--package", "planted", "--engine", "local", "--good", "1.0"),
        *("--requirements", "requirements.txt", "--artifacts", "elsewhere"),
        cwd=folder,
        **index.variables,
    )
    assert done.returncode == 1, done.stderr
    assert "costs change with planted 1.1; the release before it is 1.0" in done.stdout
    [said] = done.stderr.splitlines()
    assert "--artifacts, which does nothing" in said
    [new] = re.findall(r"write (keras-repro bisect release my\.py --backend jax .*);", said)
    again = keras_repro(*new.split()[1:], cwd=folder, **index.variables)
    assert again.returncode == 1
    assert again.stderr == ""
    assert "costs change with planted 1.1; the release before it is 1.0" in again.stdout


def test_an_end_that_tells_nothing_is_an_error(bisect, index):
    plant(index, {"1.0": 1.0, "1.1": 1.0}, **{"1.1": {"breaks": True}})
    done = bisect("--good", "1.0")
    assert done.returncode == 4
    assert "planted 1.1 (bad) tells nothing: the script fails" in done.stderr
    assert "name another --bad" in done.stderr


def test_a_baseline_that_is_not_met_at_the_good_end(bisect, index, tmp_path, keras_repro):
    plant(index, {"1.0": 1.0, "1.1": 1.0, "1.2": 2.0})
    (tmp_path / "requirements.txt").write_text("planted==1.0\n")
    options = ("--backend", "jax", "--requirements", "requirements.txt", "--engine", "local")
    done = keras_repro("train", "my.py", *options, **index.variables)
    assert done.returncode == 0, done.stderr
    accept = ("accept", "my.py", "--backend", "jax", "--yes", "--reason", "first")
    assert keras_repro(*accept).returncode == 0
    done = bisect()
    assert "good is the baseline (planted 1.0)" in done.stdout
    assert "costs change with planted 1.2; the release before it is 1.1" in done.stdout
    (tmp_path / "my.py").write_text(SCRIPT.replace("step *", "7 * step *"))
    done = bisect("--jobs", "2")
    assert done.returncode == 4
    assert "with planted 1.0 the numbers are not the baseline (planted 1.0)'s here" in done.stderr


def test_a_file_beside_the_script_is_part_of_what_was_tried(bisect, index, tmp_path):
    plant(index, {"1.0": 1.0, "1.1": 2.0})
    scaled = SCRIPT.replace("planted.VALUE", "planted.VALUE * float(open('scale.txt').read())")
    (tmp_path / "my.py").write_text(scaled)
    done = bisect("--good", "1.0")
    assert done.returncode == 4
    assert "scale.txt" in done.stderr
    (tmp_path / "scale.txt").write_text("1")
    assert "costs change with planted 1.1" in bisect("--good", "1.0").stdout
    (tmp_path / "scale.txt").write_text("0")
    assert "nothing changes" in bisect("--good", "1.0").stdout


def test_a_merge_is_searched_along_its_first_parents(keras_repro, tmp_path):
    def git(*arguments):
        name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
        subprocess.run(["git", *name, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(file, text, subject):
        (tmp_path / file).write_text(text)
        git("add", file)
        git("commit", "-qm", subject)

    git("init", "-q", "-b", "main")
    commit("keras.py", STAND_IN, "keras")
    commit("my.py", SCRIPT.replace("planted", "rates"), "script")
    commit("rates.py", "VALUE = 1.0\n", "good")
    git("branch", "side")
    commit("rates.py", "VALUE = 2.0\n", "the bad one")
    commit("note.txt", "1", "harmless")
    git("checkout", "-q", "side")
    for number in range(3):
        commit("side.txt", str(number), f"side {number}")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-ff", "-m", "merged", "side")
    search = ("bisect", "commit", "my.py", "--backend", "jax", "--engine", "local")
    done = keras_repro(*search, "--good", "main~3")
    assert re.search(r"costs change with commit \w+ \([-\d]+, the bad one\)", done.stdout), (
        done.stdout + done.stderr
    )
    # What came with the merge is searched by what its line says.
    [branch] = re.findall(r"search its branch too: (--good \w+ --bad \w+\^2)", done.stdout)
    done = keras_repro(*search, *branch.split())
    assert "nothing changes between commit" in done.stdout, done.stdout + done.stderr


def test_a_real_release_of_keras_is_found(keras_repro):
    """Keras 3.15.0 gives the cost of each batch where 3.14.1 gave their running mean."""
    span = ("--package", "keras", "--good", "3.13.0", "--bad", "3.15.1")
    done = keras_repro(
        "bisect", "release", "regression", "--backend", "jax", *span, "--engine", "local"
    )
    assert done.returncode == 1, done.stderr
    assert "costs change with keras 3.15.0 (2026-06-24); the release before it is" in done.stdout
    assert "predictions and weights: no change from 3.13.0 to 3.15.1" in done.stdout
