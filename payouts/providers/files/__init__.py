"""Payouts as bank files: what is written into them, what is read of the bank's answers, how they travel."""
