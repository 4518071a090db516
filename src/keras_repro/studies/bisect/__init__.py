"""Since when the numbers differ: the release of a package, the day, or the user's own commit."""
