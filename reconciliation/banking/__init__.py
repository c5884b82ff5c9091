"""What the bank shows, held against what providers pay in and what is paid out to sellers."""
