"""Questions made of several runs: one file each."""
