"""From an entry of the books to what it was posted for, and to the raw evidence of it."""
