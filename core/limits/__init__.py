"""How much one caller may ask for: token buckets, what is counted in them, and what is shed under load."""
