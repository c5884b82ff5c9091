"""Adjustments that say what a line is, in place of absorbing what is wrong with it."""

__all__ = ["IDENTIFIED", "MATCH", "MEANINGS", "PAIRINGS", "UNMATCH"]

MATCH = "match"
"""The line is a movement that we know."""
IDENTIFIED = "A2"
"""The line is what an order was waiting for: it becomes a payment of that order, and is it."""
UNMATCH = "unmatch"

PAIRINGS = (IDENTIFIED, MATCH)
"""After these the line has a movement."""
MEANINGS = (IDENTIFIED, MATCH, UNMATCH)
"""Only a new meaning of the line takes these back."""
