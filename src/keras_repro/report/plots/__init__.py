"""Plots by matplotlib: what is drawn, and how it goes into a page or a file."""
