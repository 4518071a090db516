"""Searches that end before anything is tried: bad questions, and the old spelling."""

import pytest

from tests.planted_index import PlantedIndex
from tests.searched import plant, searching, write_project

DAY = ("bisect", "day", "--backend", "jax")
COMMIT = ("bisect", "commit", "--backend", "jax")


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """A project with three planted releases, of which none is tried."""
    folder = tmp_path_factory.mktemp("three")
    write_project(folder)
    index = PlantedIndex(folder / "index")
    plant(index, {"1.0": 1.0, "1.1": 1.0, "1.2": 1.0})
    return folder, index


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--good", "1.2", "--bad", "1.0"), "they are the wrong way round; swap them: --good 1.0"),
        (("--good", "1.1", "--bad", "1.1"), "both good and bad"),
        (("--good", "1.7"), "--good 1.7: the index in use has no such release of planted"),
        (("--good", "one"), "'one' is no version"),
        (("--good", "1.0", "--tolerance", "some"), "--tolerance 'some' is no tolerance"),
        (("--good", "1.0", "--python", "2.7"), "--python '2.7'"),
        (("--package", "plante", "--good", "1.0"), "did you mean planted"),
        (("--since", "2024-01-01"), "No such option '--since'"),
        ((), "say what is good with --good VERSION"),
    ],
)
def test_bad_input_is_one_line(keras_repro, three, arguments, says):
    done = searching(keras_repro, *three)(*arguments)
    assert done.returncode in (2, 3)
    assert says in done.stderr
    # What takes longer than two seconds is said, too.
    error = done.stderr.removeprefix("looking for what there is to search\n")
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("bisect",), "say what to search: release, day or commit"),
        (("bisect", "release", "--backend", "jax"), "Missing option '--package'"),
        (("bisect", "release", "--package", "keras"), "Missing option '--backend'"),
        (("bisect", "relese", "--backend", "jax"), "No such command 'relese'"),
        ((*DAY, "--since", "2024-01-01"), "Missing option '--until'"),
        ((*DAY, "--since", "yesterday", "--until", "2024-01-01"), "--since 'yesterday' is no date"),
        ((*DAY, "--since", "2024-01-02", "--until", "2024-01-01"), "is not before --until"),
        (
            (*DAY, "--since", "2024-01-02", "--until", "9999-12-31"),
            "--until 9999-12-31 has not come yet",
        ),
        ((*COMMIT, "--good", "a", "--package", "keras"), "No such option '--package'"),
        ((*COMMIT, "--good", "a", "regression"), "in no git repository"),
        # In the old spelling, what is wrong is said in place of what is new.
        (("bisect", "--package", "keras"), "bisect needs a backend"),
        (("bisect", "jax"), "bisect needs a package"),
        (("bisect", "jax", "--since", "2024-01-01"), "needs both: --since DATE --until DATE"),
        (
            ("bisect", "jax", "--package", "keras", "--since", "2024-01-01"),
            "search one of them",
        ),
        (("bisect", "jax", "--script-change", "HEAD"), "is no range"),
        (("bisect", "jax", "--script-change", "a..b", "--good", "1"), "are of releases"),
    ],
)
def test_bad_questions_are_one_line(keras_repro, arguments, says):
    done = keras_repro(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "new", "says"),
    [
        (
            ("--since", "2024-01-02", "--until", "9999-12-31"),
            "keras-repro bisect day regression --backend jax --since 2024-01-02 --until 9999-12-31",
            "--until 9999-12-31 has not come yet",
        ),
        (
            ("--script-change", "v1.0..main"),
            "keras-repro bisect commit regression --backend jax --good v1.0 --bad main",
            "in no git repository",
        ),
    ],
)
def test_old_searches_of_days_and_commits(keras_repro, arguments, new, says):
    done = keras_repro("bisect", "jax", "regression", *arguments)
    assert done.returncode == 2
    about, error = done.stderr.splitlines()
    assert f"write {new};" in about
    assert says in error


def test_prune_in_the_old_spelling(keras_repro, tmp_path):
    kept = tmp_path / "cache" / "keras-repro" / "probes" / "one"
    kept.mkdir(parents=True)
    done = keras_repro(
        "bisect", "--prune", "--engine", "local", XDG_CACHE_HOME=str(tmp_path / "cache")
    )
    assert done.returncode == 0, done.stderr
    assert "removed 0 environments and 1 runs" in done.stdout
    assert not kept.exists()
    [said] = done.stderr.splitlines()
    assert "write keras-repro prune --engine=local;" in said


def test_an_index_without_dates_says_so(keras_repro, tmp_path):
    index = PlantedIndex(tmp_path / "index")
    index.release("keras", "3.15.1", 1.0)
    span = ("--since", "2024-01-01", "--until", "2024-02-01")
    done = keras_repro(*DAY, *span, **index.variables)
    assert done.returncode == 5
    assert "does not say when keras was uploaded" in done.stderr
