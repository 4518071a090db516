"""What the numbers depend on, for the terminal, as Markdown, JSON and a page."""
