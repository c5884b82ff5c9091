"""Matching: which line of a settlement file is which movement of ours, and what is wrong with the others."""
