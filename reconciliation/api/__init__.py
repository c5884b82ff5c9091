"""What reconciliation tells stores."""
