"""The environment variables that are others in changed surroundings."""

from __future__ import annotations

from typing import Dict, Mapping

# A name that leads everywhere to the machine itself, as its own does.
HERMETIC_HOST = "localhost"
USER_VARIABLES = ("LOGNAME", "USER", "LNAME", "USERNAME")
PADDING = "KERAS_REPRO_PADDING_"  # variables that only make the environment larger
MOST_A_VARIABLE = 100000  # bytes; the system ends at 128 KiB


def environment(
    hermetic: bool, changes: Mapping[str, str], given: Mapping[str, str]
) -> Dict[str, str]:
    """Return the variables that differ from those given."""
    variables: Dict[str, str] = {}
    if "user" in changes:
        variables.update(dict.fromkeys(USER_VARIABLES, changes["user"]))
    if "HOSTNAME" in given and ("host" in changes or hermetic):
        variables["HOSTNAME"] = changes.get("host", HERMETIC_HOST)
    left = int(changes.get("environment-size", "0"))
    for place in range(-(-left // MOST_A_VARIABLE)):
        variables[PADDING + str(place)] = "x" * min(left, MOST_A_VARIABLE)
        left -= MOST_A_VARIABLE
    return variables
