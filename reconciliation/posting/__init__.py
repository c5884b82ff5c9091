"""What a settlement file does to the books: P4, P6, and what comes with its lines (R2, O4b, F4)."""
