"""The sandbox settles: automatic payouts of what is available, and their credits at the merchant's bank."""
