"""Every case that needs no environment; those that do are in ``slow.py``."""

from tests.old_version.acceptances import acceptances
from tests.old_version.answers import checks, comparisons, histories
from tests.old_version.misuse import COMMANDS, configurations, others

QUICK = [*checks(), *comparisons(), *acceptances(), *histories(), *configurations(), *others()]
assert len({each.name for each in QUICK}) == len(QUICK)
__all__ = ["COMMANDS", "QUICK"]
