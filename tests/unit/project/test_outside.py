"""What a stranger's configuration names lies in the project, or is asked for by hand."""

import pytest

from tests.unit.made import make_run


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "train.py").write_text("")
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    return folder


@pytest.mark.parametrize("value", ["../home", "/", "~/x/../../..", "link"])
@pytest.mark.parametrize("place", ["artifacts", "baselines", "locks"])
def test_a_place_outside_is_refused(place, value, project, keras_repro):
    (project / "link").symlink_to(project.parent / "home")
    (project / "keras-repro.toml").write_text(
        f'{place} = "{value}"\n[workloads.w]\nscript = "train.py"\n'
    )
    command = "accept" if place != "artifacts" else "train"
    options = ("--reason", "x", "--yes") if command == "accept" else ()
    done = keras_repro(command, "w", "--backend", "jax", *options, cwd=project)
    if value == "~/x/../../..":  # no home's: a folder of that name
        value = ".."
    assert done.returncode == 2, done.stdout + done.stderr
    [line] = done.stderr.splitlines()
    assert f"keras-repro.toml:1: {place}: " in line
    assert "lies outside of" in line
    assert list((project.parent / "home").iterdir()) == [project.parent / "home" / ".ssh"]


def test_a_link_in_the_place_of_the_artifacts_is_refused_without_a_configuration(
    project, keras_repro
):
    (project / "artifacts").symlink_to(project.parent / "home")
    done = keras_repro("train", "train.py", "--backend", "jax", cwd=project)
    assert done.returncode == 2
    assert "artifacts lies outside of" in done.stderr
    assert "--artifacts" in done.stderr


def test_what_is_given_by_hand_is_used(project, keras_repro):
    (project / "keras-repro.toml").write_text(
        'artifacts = "../home"\nbaselines = "../home"\n[workloads.w]\nscript = "train.py"\n'
    )
    make_run(project.parent / "runs" / "w" / "jax")
    given = ("--artifacts", "../runs", "--baselines", "../kept")
    options = ("--backend", "jax", "--reason", "x", "--yes")
    done = keras_repro("accept", "w", *options, *given, cwd=project)
    assert done.returncode == 0, done.stderr
    assert (project.parent / "kept" / "w" / "jax" / "baseline.json").is_file()


@pytest.mark.parametrize("line", ['data = ["../home"]', 'datasets = "../home"'])
def test_data_outside_are_refused_unless_given_by_hand(line, project, keras_repro):
    (project / "keras-repro.toml").write_text(f'[workloads.w]\nscript = "train.py"\n{line}\n')
    key = line.partition(" ")[0]
    options = ("train", "w", "--backend", "jax", "--engine", "local")
    nothing = {"PATH": "/nowhere", "XDG_CACHE_HOME": str(project / "cache")}
    done = keras_repro(*options, cwd=project, **nothing)
    said = " ".join((done.stdout + done.stderr).split())
    assert f"workloads.w.{key}: " in said
    assert f"give it as --{key}" in said
    assert done.returncode == 2
