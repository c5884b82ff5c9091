"""The console's first page: figures with a trend and a way down, charts, and what waits for a person."""
