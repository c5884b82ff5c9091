"""The only way to change what reconciliation knows."""

from reconciliation.ingest.receive import receive_file
from reconciliation.sources.fetching import fetch_day, fetch_due
from reconciliation.sources.setting_up import change_source, create_source, set_source_enabled
from reconciliation.sources.watching import watch_files

__all__ = [
    "change_source",
    "create_source",
    "fetch_day",
    "fetch_due",
    "receive_file",
    "set_source_enabled",
    "watch_files",
]
