"""The report's page: runs against their baselines."""
