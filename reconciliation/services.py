"""The only way to change what reconciliation knows."""

from reconciliation.ingest.receive import receive_file

__all__ = ["receive_file"]
