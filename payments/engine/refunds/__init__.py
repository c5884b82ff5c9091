"""Money that goes back, one file a step."""
