"""Whether two ensembles of seeds differ by more than chance, and whether they are alike. Pure."""
