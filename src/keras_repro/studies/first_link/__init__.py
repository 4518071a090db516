"""The first link of two trails that differs: where the numbers of two runs part."""
