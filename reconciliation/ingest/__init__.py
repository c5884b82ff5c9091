"""Taking files in: a body is received, staged, checked against what it says of itself, and published."""
