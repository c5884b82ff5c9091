"""The only way to write the books."""

from ledger.services.corrections import correct_entries
from ledger.services.fence import advance_checkpoints, advance_fence
from ledger.services.posting import open_account, post_entries, post_through

__all__ = [
    "advance_checkpoints",
    "advance_fence",
    "correct_entries",
    "open_account",
    "post_entries",
    "post_through",
]
