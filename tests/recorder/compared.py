"""Backends compared once for many tests: each asks again what parity says of some models alone."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import CliRunner

from keras_repro.cli import cli
from keras_repro.errors import ExitCode
from keras_repro.recorder import contract
from keras_repro.runs.run import read_run
from keras_repro.studies.parity import study
from keras_repro.studies.parity.findings import LayerParity, ModelParity
from keras_repro.studies.parity.judge import judge
from keras_repro.studies.parity.recorded import Side, read_side
from keras_repro.studies.train.plan import Plan, Trained
from tests.served import Server

COLUMNS = "100"


@dataclass
class Compared:
    """What ``keras-repro parity`` left of a script on a reference and on others."""

    done: "CompletedProcess[str]"
    script: Path
    reference: str
    against: tuple[str, ...]
    engine: str
    _models: dict[str, dict[str, ModelParity]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the runs are, each in a folder of its backend's name."""
        return self.script.parent / "artifacts" / self.script.stem / "parity"

    @property
    def complete(self) -> bool:
        return all((self.folder / name / contract.PARITY_FACTS).exists() for name in self.against)

    def models(self, against: str = "") -> dict[str, ModelParity]:
        """Return how the models compare, by their names."""
        against = against or self.against[0]
        if against not in self._models:
            found = judge(*(read_side(self.folder / name) for name in (self.reference, against)))
            self._models[against] = {model.name: model for model in found}
        return self._models[against]

    def layers(self, model: str, against: str = "") -> dict[str, LayerParity]:
        """Return how the layers of a model compare, by their places."""
        return {layer.place: layer for layer in self.models(against)[model].layers}

    def again(
        self, models: tuple[str, ...], *options: str, against: str = ""
    ) -> "CompletedProcess[str]":
        """Return what the command says of runs in which the script has only these models.

        Only the training is left out: the runs are there. Files are written beside the script.
        """

        def train(plans: list[Plan], *_: object) -> list[list[Trained]]:
            return [
                [Trained(x, ExitCode.OK, read_run(plan.out(x))) for x in plan.backends]
                for plan in plans
            ]

        def side_of(folder: Path) -> Side:
            side = read_side(folder)
            kept = [model for model in side.facts.models if model.name in models]
            assert kept
            return replace(side, facts=side.facts.model_copy(update={"models": kept}))

        line = ["parity", self.script.name, "--reference", self.reference]
        line += ["--against", against or self.against[0], "--engine", self.engine, *options]
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.script.parent)
            patch.setenv("COLUMNS", COLUMNS)
            patch.setattr(study, "train", train)
            patch.setattr(study, "read_side", side_of)
            said = CliRunner().invoke(cli, line, standalone_mode=False, catch_exceptions=False)
        return CompletedProcess(line, said.return_value, said.stdout, said.stderr)


def compare(
    server: Server,
    engine: str,
    script: Path,
    reference: str,
    *against: str,
    options: tuple[str, ...] = (),
) -> Compared:
    """Compare backends on a script, in its folder."""
    line = ["parity", script.name, "--reference", reference, "--engine", engine, *options]
    for name in against:
        line += ["--against", name]
    done = server.run(line, script.parent, {**os.environ, "COLUMNS": COLUMNS})
    compared = Compared(done, script, reference, against, engine)
    assert compared.complete, done.stdout + done.stderr
    return compared
