"""By chance or not: many seeds of a workload, and the decision on two such ensembles."""
