"""What other machines change of every bundled workload: make machines, docs/machines.md."""
