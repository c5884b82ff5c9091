"""What must agree inside: clearing accounts by key, and the audits of wallets, orders, charges and books."""
