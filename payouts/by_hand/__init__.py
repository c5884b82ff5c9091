"""What people do to payouts in the console: asked for, taken back, and what only two of them may say."""
