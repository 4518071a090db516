"""Run it with python -m package.train."""
