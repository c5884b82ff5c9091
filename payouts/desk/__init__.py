"""What people see of payouts in the console."""
