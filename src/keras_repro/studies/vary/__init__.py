"""What the numbers depend on: the workload again and again, with one thing changed at a time."""
