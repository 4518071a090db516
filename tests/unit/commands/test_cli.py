"""The group of commands: what it finds, what it imports, and what it says of what is none."""

import subprocess
import sys
from pathlib import Path

import pytest

from keras_repro import cli
from tests.unit.commands.test_bad_input import check_one_line

HEAVY = {
    *("bs4", "docker", "jinja2", "matplotlib", "numpy", "packaging", "platformdirs", "pydantic"),
    *("pypi_simple", "requests", "rich", "uv"),
}
COMMANDS = cli.cli.list_commands(None)


def imported(*arguments, cwd=None):
    """Return the packages that a Python with these arguments imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    return {name.partition(".")[0] for name in names}


def test_every_command_is_listed_with_the_first_sentence_of_its_help(keras_repro):
    assert {"train", "check", "accept", "bisect", "prune"} <= set(COMMANDS)
    lines = keras_repro("--help").stdout.splitlines()
    for name in COMMANDS:
        [said] = [line.split(None, 1)[1] for line in lines if line.startswith(f"  {name} ")]
        whole = " ".join(cli.cli.get_command(None, name).help.split())
        assert whole.startswith(said.removesuffix("...").removesuffix("."))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_the_file_of_its_name(name):
    command = cli.cli.get_command(None, name)
    assert command.name == name
    assert (cli.FOLDER / f"{name}.py").is_file()


@pytest.mark.parametrize("name", ["options", "conditions", "../cli", "chekc", "__init__", ""])
def test_what_is_no_command(keras_repro, name):
    check_one_line(keras_repro(name), 2, "No such command", repr(name))


def test_help_imports_nothing_heavy():
    assert not imported("-m", "keras_repro", "--help") & HEAVY
    assert "keras_repro" in imported("-m", "keras_repro", "--help")


def test_checking_imports_nothing_that_it_does_not_need(accepted, tmp_path):
    arguments = ("-m", "keras_repro", "check", "--backend", "jax")
    assert imported(*arguments, cwd=tmp_path) & HEAVY == {"numpy", "pydantic", "rich"}


@pytest.mark.parametrize("name", ["keras_repro", "keras_repro.pytest_plugin"])
def test_what_a_user_s_pytest_imports_is_light(name, tmp_path):
    assert not imported("-c", f"import {name}") & HEAVY


def test_no_file_of_the_commands_is_left_over():
    """Each is a command, or is imported by one."""
    text = "".join(path.read_text() for path in cli.FOLDER.glob("*.py"))
    for path in map(Path, cli.FOLDER.glob("*.py")):
        module = f"keras_repro.commands.{path.stem}"
        assert path.stem in (*COMMANDS, "__init__") or f"from {module} import" in text


@pytest.mark.parametrize("variable", ["KERAS_REPRO_CHECK_BACKEND", "KERAS_REPRO_CHECK_NAMES"])
def test_an_option_is_read_from_the_variable_that_is_called_like_it(keras_repro, variable):
    done = keras_repro("check", **{variable: "nosuch"})
    check_one_line(done, 2, "no backend 'nosuch'")


def test_every_option_has_a_variable_of_its_name():
    found = 0
    for name in COMMANDS:
        for option in cli.cli.get_command(None, name).params:
            flags = [opt for opt in option.opts if opt.startswith("--")]
            on_purpose = ("--yes", "--reason", "--unrepeatable", "--for-this-class", "--accept")
            if name in ("accept", "calibrate", "ensemble") and flags and flags[0] in on_purpose:
                assert option.envvar is None
                assert not option.allow_from_autoenv
            elif flags:
                variable = f"KERAS_REPRO_{name}_{flags[0][2:].replace('-', '_')}".upper()
                assert variable in option.envvar
                found += 1
    assert found > 50


def test_the_label_of_an_image_is_no_option(keras_repro):
    assert keras_repro("--help", KERAS_REPRO_VERSION="1.0").returncode == 0
    assert "no run in" in keras_repro("check", KERAS_REPRO_VERSION="1.0").stdout
