"""What the supervisor asks of the process that runs the script."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple


class Task(NamedTuple):
    """What is to be run and kept, as it comes to the script's process: one JSON document."""

    control: int  # the pipe through which it tells what it has to say
    staging: str
    seed: int
    threads: int
    ulps: int  # what moves initial weights and data; 0 for nothing
    planted: Dict[str, str]  # what is changed, and by how much
    vary_own_seeds: bool  # whether what the script seeds itself depends on the seed
    script: str
    module: Any  # its name, or None
    args: List[str]
    parity: Any  # None, "reference", or the reference's file
    data_statistics: bool  # whether the trail has figures of the data
    array_limit: int  # bytes of one array that is kept whole
    arrays_limit: int  # of all of them
    protected: List[str]  # folders of the user's
    hermetic: bool
    surroundings: Dict[str, str]  # what is changed of them, as in hermetic/changes.py
    emulated: bool  # whether this is another processor than g++ would find
    tells_imports: bool  # whether to say what the script imported of what is installed
