"""Adapters to who moves the money out: one file a provider, one contract."""
