"""Real answers: what seeds say of the bundled workloads, for docs/answers.md."""
