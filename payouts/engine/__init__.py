"""How a payout goes from a request to its end: one file a step."""
