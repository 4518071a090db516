"""A previewed upgrade, for the terminal."""

from rich.console import Console
from rich.text import Text

from keras_repro.report.terminal import (
    print_checked,
    print_heading,
    print_line,
    print_without_trail,
    table_of,
)
from keras_repro.report.text import printable
from keras_repro.studies.check import Place
from keras_repro.studies.upgrade import Previewed, Upgrade


def print_moves(console: Console, upgrade: Upgrade) -> None:
    """Print which packages move, and why."""
    name = upgrade.before.name
    if not upgrade.moves:
        asked = ", ".join(map(str, upgrade.wanted))
        print_line(console, f"nothing moves: {name} is as {printable(asked)} asks already", "green")
        return
    table = table_of("package", "locked", "would be", "why")
    for move in upgrade.moves:
        after = Text(move.after or "–", style="bold" if move.after else "yellow")
        table.add_row(move.package, move.before or "–", after, upgrade.why.get(move.package, ""))
    console.print(table)
    held = len(upgrade.before.locked) - sum(move.before is not None for move in upgrade.moves)
    print_line(console, f"{held} other packages of {name} stay where they are")


def print_previews(console: Console, previews: list[Previewed]) -> None:
    """Print the verdicts of each workload."""
    for one in previews:
        print_heading(console, one.place.workload)
        print_checked(console, [one.checked], verbose=True)
    print_without_trail(console, [one.checked for one in previews])


def next_steps(upgrade: Upgrade, places: list[Place]) -> str:
    """Return what to do once the lock is written."""
    lines = [
        f"{place.command('train', upgrade.after)}; "
        + place.command("accept", upgrade.after, '--reason "..."')
        for place in places
    ]
    return "next, to make these numbers the baselines:\n" + "\n".join(f"  {x}" for x in lines)
