"""What the documents name is there: links, anchors, pictures, commands, targets, services."""

import re
from pathlib import Path

import click
import pytest
import yaml

from keras_repro.cli import cli
from keras_repro.errors import KerasReproError
from tests.conftest import ROOT
from tests.unit.docs.documents import DOCUMENTS, Document, make_targets, make_variables

PICTURES = sorted((ROOT / "docs").glob("*.png"))
PACKAGE = ROOT / "src" / "keras_repro"
ROOMS = {path.name for path in PACKAGE.iterdir() if path.is_dir()}

each_document = pytest.mark.parametrize(
    "document", list(map(Document, DOCUMENTS)), ids=lambda document: document.name
)


def problems_of(words: list[str]) -> str:
    """Return what is wrong with a command line of keras-repro, without running it."""
    context = click.Context(cli, info_name="keras-repro")
    command: click.Command = cli
    words = list(words)  # click takes them off
    try:
        while isinstance(command, click.Group):
            context = command.make_context(context.info_name, words, parent=context.parent)
            words = [*context._protected_args, *context.args]
            name, found, words = command.resolve_command(context, words)
            assert found is not None
            command, context = found, click.Context(found, info_name=name, parent=context)
        command.make_context(context.info_name, words, parent=context.parent)
    except click.exceptions.Exit:  # --help, --version
        return ""
    except (click.ClickException, KerasReproError) as error:
        return str(error)
    return ""


def options_of(command: click.Command) -> set[str]:
    """Return the options that a command or one below it has."""
    found = {option for parameter in command.params for option in parameter.opts}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            found |= options_of(below)
    return found


@each_document
def test_every_link_leads_somewhere(document):
    for link in document.links:
        file, _, anchor = link.partition("#")
        path = (document.path.parent / file).resolve() if file else document.path
        assert path.exists(), link
        if anchor:
            assert anchor in Document(path).anchors, link


@each_document
def test_no_link_of_the_site_leads_out_of_it(document):
    if document.path.is_relative_to(ROOT / "docs"):
        for link in document.links:
            path = (document.path.parent / link.partition("#")[0]).resolve()
            assert path.is_relative_to(ROOT / "docs"), link


@each_document
def test_every_source_named_exists(document):
    if document.name == "CHANGELOG.md":
        return  # it names what is gone, too
    for span in document.spans:
        top = span.partition("/")[0]
        if re.fullmatch(r"[\w./-]+/[\w.-]*", span) and top in ROOMS | {"src", "tests", "docs"}:
            assert (ROOT / span).exists() or (PACKAGE / span).exists(), span


@each_document
def test_every_command_line_parses(document):
    for words in document.commands:
        if Path(words[0]).name == "keras-repro":
            assert problems_of(words[1:]) == "", " ".join(words)


@each_document
def test_every_command_and_option_named_exists(document):
    if document.name == "CHANGELOG.md":
        return  # it names what is gone, too
    context = click.Context(cli)
    for span in document.spans:
        words = span.split()
        if words[0] != "keras-repro" or len(words) == 1 or not re.match(r"[a-z]", words[1]):
            continue
        command = cli.get_command(context, words[1])
        assert command is not None, span
        known = options_of(command) | {"--help", "--version"}
        for word in words[2:]:
            if word == "--":
                break
            if word.startswith("-"):
                assert word.rstrip(":,") in known, span


@each_document
def test_every_target_and_variable_of_make_exists(document):
    lines = [*document.commands, *(span.split() for span in document.spans)]
    for words in lines:
        if words[0] != "make":
            continue
        for word in words[1:]:
            name, equals, _ = word.strip('"').partition("=")
            if equals:
                assert name in make_variables(), " ".join(words)
            elif re.fullmatch(r"[a-z][\w-]*", word):
                assert word in make_targets(), " ".join(words)


@each_document
def test_every_service_of_compose_exists(document):
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    for words in document.commands:
        if words[:3] == ["docker", "compose", "run"]:
            plain = re.sub(r"--rm |-e \S+ ", "", " ".join(words[3:])).split()
            assert plain[0] in services, " ".join(words)


def test_every_picture_is_there():
    shown = {
        (document.path.parent / link).resolve()
        for document in map(Document, DOCUMENTS)
        for link in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", document.text)
    }
    assert len(shown) == 4
    assert shown == set(PICTURES)
    for picture in shown:
        assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_readme_takes_five_minutes():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= 200


def test_the_two_readmes_lead_to_each_other():
    english, chinese = Document(ROOT / "README.md"), Document(ROOT / "README.zh-TW.md")
    assert "README.zh-TW.md" in english.links
    assert "README.md" in chinese.links
    # The first commands are the same; a reader of either can follow the other.
    assert next(iter(chinese.commands)) == next(iter(english.commands)) == ["make", "train"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (["check", "--bakend", "jax"], "--bakend"),
        (["chekc"], "chekc"),
        (["train", "--seed", "many"], "many"),
        (["--version"], ""),
        (["check", "train.py", "--backend", "jax"], ""),
    ],
)
def test_a_wrong_command_line_is_found(line, complaint):
    assert complaint in problems_of(line)
    assert bool(problems_of(line)) == bool(complaint)
