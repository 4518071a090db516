"""What accept shows before it asks: what a new baseline would change."""

from rich.console import Console
from rich.text import Text

from keras_repro.numbers.comparison import Verdict
from keras_repro.recorder import contract
from keras_repro.report.terminal import (
    comparison_table,
    difference_table,
    most_telling,
    print_causes,
    print_left_out,
    print_line,
)
from keras_repro.report.text import printable
from keras_repro.runs.run import Run
from keras_repro.studies.accept import Proposal


def print_proposal(console: Console, proposal: Proposal, heading: str = "") -> None:
    """Print what accepting a run would change; ``heading`` goes before the backend's name."""
    console.print(Text(heading + proposal.backend.name, style="bold"))
    if proposal.stale:
        script = printable(proposal.run.facts.script)
        print_line(
            console,
            f"  mind: {script} was changed after this run; train it again to accept what it "
            "computes now",
            style="yellow",
        )
    if proposal.parted is not None:
        print_line(
            console,
            f"  mind: two runs of the same seed differ in {printable(proposal.parted)}, so the "
            "next one may differ from this baseline",
            style="yellow",
        )
    if proposal.folder.name != proposal.backend.name:
        print_line(console, f"  for the numeric class of the run: {proposal.folder.name}")
    content = proposal.run.trail.content
    if content is not None:
        console.print(f"  {contract.TRAIL} adds {len(content):,} bytes to what git keeps")
    if proposal.run.facts.summaries:
        _print_samples(console, proposal.run)
    if proposal.before is None:
        names = ", ".join(proposal.run.all_arrays)
        print_line(console, f"  a first baseline: {names}")
        return
    changed = [c for c in proposal.comparisons if c.verdict is not Verdict.IDENTICAL]
    if not changed:
        console.print("  the numbers stay as they are, to the bit")
    else:
        shown = most_telling(changed)
        console.print(comparison_table(shown))
        print_left_out(console, changed)
        console.print(difference_table(shown, ("after", "before")))
    print_causes(console, proposal.causes, bool(changed))


def _print_samples(console: Console, run: Run) -> None:
    """Print of how many arrays a sample alone is kept, and how many bytes that adds."""
    count = len(run.facts.summaries)
    size = (run.folder / contract.SAMPLES).stat().st_size
    what = "1 array is" if count == 1 else f"{count} arrays are"
    text = f"{what} kept as digest, figures and a sample: {contract.SAMPLES} adds {size:,} bytes"
    print_line(console, f"  {text}")
