"""When sellers get their money: what an order's release waits for, and the release itself."""
