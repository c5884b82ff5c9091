"""What the buyer sees: one page about one checkout, for whoever holds its address."""
