"""Is the first link that differs rightly named? ``make scorecard`` counts it on every backend."""
