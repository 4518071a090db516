"""Run on other machines, or on several workers of this one: dask.distributed has the cluster."""
