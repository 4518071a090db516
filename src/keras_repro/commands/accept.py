"""keras-repro accept."""

from pathlib import Path

import click

from keras_repro.commands.on_purpose import confirmed, on_purpose, say_wait
from keras_repro.commands.options import ARTIFACTS, BACKEND, BASELINES, ONLY, WHAT, places
from keras_repro.errors import ExitCode, UsageError
from keras_repro.project import configuration, selection
from keras_repro.report import accept as accept_report
from keras_repro.report import terminal
from keras_repro.report.text import printable
from keras_repro.report.waiting import waiting
from keras_repro.studies import accept as accepting


@click.command()
@WHAT
@on_purpose(
    "--reason", metavar="TEXT", default="", help="Why the numbers change; stored with the baseline."
)
@BACKEND
@ONLY
@ARTIFACTS
@BASELINES
@on_purpose(
    "--unrepeatable",
    is_flag=True,
    help="Accept a run even if train reported it as NOT REPEATED.",
)
@on_purpose(
    "--for-this-class",
    is_flag=True,
    help="Make a baseline for the run's numeric class, beside the plain one.",
)
@on_purpose("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.pass_obj
def accept(
    config_file: Path | None,
    script: str | None,
    module: str | None,
    reason: str,
    names: tuple[str, ...],
    only: tuple[str, ...],
    artifacts: Path | None,
    baselines: Path | None,
    unrepeatable: bool,
    for_this_class: bool,
    yes: bool,
) -> ExitCode:
    """Make the present runs of SCRIPT the new baselines, on purpose.

    With --only, the other arrays keep their stored values; the run must be close to them. Where
    there is a baseline of a run's own numeric class, it is that one which is replaced.
    """
    accepting.check_asked(reason)
    console = terminal.console()
    known = configuration.load(config_file)
    found = places(known, script, module, artifacts, baselines)
    asked = [
        (place, backend)
        for place in found
        for backend in selection.backends_of(known, place.of, names)
    ]
    # One lock for all baselines of a backend: which of them it will be, the run says.
    with accepting.alone([place.baseline(backend) for place, backend in asked], say_wait):
        with waiting("comparing"):
            proposals = [
                (place, accepting.propose(place, backend, only, unrepeatable, for_this_class))
                for place, backend in asked
            ]
        for place, proposal in proposals:
            heading = f"{place.workload} " if len(found) > 1 else ""
            accept_report.print_proposal(console, proposal, heading)
        where = terminal.shorter(found[0].baselines)
        if not yes and not confirmed(f"Make these the baselines in {where}?", "accepted"):
            raise UsageError("nothing was accepted")
        for place, proposal in proposals:
            left = accepting.accept(place, proposal, reason)
            folder = terminal.shorter(proposal.folder)
            console.print(f"accepted {folder}", soft_wrap=True)
            if left:
                click.echo(f"keras-repro: {printable(left)}", err=True)
    return ExitCode.OK
