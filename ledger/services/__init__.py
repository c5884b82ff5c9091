"""The only way to write the books."""

from ledger.services.corrections import correct_entries
from ledger.services.fence import advance_checkpoints, advance_fence, seal_entries
from ledger.services.periods import approve_closing, close_period, land_entries, request_closing
from ledger.services.posting import open_account, post_entries, post_through

__all__ = [
    "advance_checkpoints",
    "advance_fence",
    "approve_closing",
    "close_period",
    "correct_entries",
    "land_entries",
    "open_account",
    "post_entries",
    "post_through",
    "request_closing",
    "seal_entries",
]
