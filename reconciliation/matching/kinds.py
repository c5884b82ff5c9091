"""What each kind of line is to matching, and the SQL that reads a line as it is matched.

The fragments of SQL speak of a settlement line under the alias `line`.
"""

from reconciliation.formats.contract import Kind

__all__ = ["KEY_SQL", "MATCHED", "MINOR_SQL", "NET", "SELF_EXPLAINED", "is_net", "key_of"]

# One movement of ours stands behind each.
MATCHED = (
    Kind.CHARGE, Kind.REFUND, Kind.REFUND_FAILURE, Kind.CHARGE_FAILURE, Kind.DISPUTE, Kind.DISPUTE_REVERSAL,
    Kind.TRANSFER, Kind.TRANSFER_REVERSAL,
)  # fmt: skip
# The provider's own doings: the line is its own evidence, and no movement of ours stands behind it. A fee is
# booked as one; a payout and what is carried are held against the sums of their batch, and a payout and a
# top-up against the bank; what is reserved and converted has entries of its own.
SELF_EXPLAINED = (
    Kind.FEE, Kind.PAYOUT, Kind.PAYOUT_REVERSAL, Kind.TOP_UP, Kind.RESERVE_HOLD, Kind.RESERVE_RELEASE,
    Kind.CONVERSION, Kind.CARRIED,
)  # fmt: skip
# With their fee: the books take it out of psp_clearing together with the amount (C1, C3a).
NET = (Kind.DISPUTE, Kind.DISPUTE_REVERSAL)

# Stripe's reports name a charge (ch_…) and the PaymentIntent that it is of, which is what we know.
_INTENT = "pi_"
_OF_INTENT = (Kind.CHARGE, Kind.CHARGE_FAILURE)


def _listed(kinds: tuple[Kind, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)


MINOR_SQL = f"CASE WHEN line.kind IN ({_listed(NET)}) THEN line.net_minor ELSE line.gross_minor END"
"""What a line moves by, as the books have it."""

KEY_SQL = (
    f"CASE WHEN line.kind IN ({_listed(_OF_INTENT)}) AND starts_with(line.related, '{_INTENT}')"
    " THEN line.related ELSE line.reference END"
)
"""What the provider calls the movement of a line, in the name that we know it by."""


def is_net(kind: str) -> bool:
    """Say whether a line of this kind moves its net amount."""
    return kind in NET


def key_of(kind: str, reference: str, related: str) -> str:
    """Return what KEY_SQL does."""
    return related if kind in _OF_INTENT and related.startswith(_INTENT) else reference
