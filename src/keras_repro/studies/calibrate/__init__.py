"""How far rounding and other processors move the numbers, as the tolerances of a baseline."""
