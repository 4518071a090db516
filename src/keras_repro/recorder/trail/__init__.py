"""Where the numbers came from, link by link: docs/reference/trail.md."""
