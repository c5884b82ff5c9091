"""Disputes and what rails take back, one file a step."""
