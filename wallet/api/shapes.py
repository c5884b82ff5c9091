"""What wallets and their movements look like in answers."""

from core.api.fields import STORE_ID
from core.api.schemas import (
    AMOUNT,
    CURRENCY,
    TIME,
    closed,
    constant,
    example_of,
    list_of,
    nullable,
    one_of,
    our_id,
    shape,
    text,
)
from wallet.statement_kinds import CATEGORIES

__all__ = ["OPERATION", "STATEMENT", "WALLET"]

_BUCKETS = ("pending", "available", "held", "receivable")
_BALANCES = closed(dict.fromkeys(_BUCKETS, AMOUNT), required=_BUCKETS)
_NUMBER = text("A number in the books.", pattern="^[0-9]+$", example="4711")

WALLET = shape(
    "wallet",
    "What one seller or buyer has, in one currency and of one kind.",
    {
        "object": constant("wallet"),
        "id": our_id("wal"),
        "owner": example_of(STORE_ID, "ann"),
        "currency": CURRENCY,
        "kind": one_of(("cash", "bonus", "points")),
        **dict.fromkeys(_BUCKETS, AMOUNT),
    },
)
OPERATION = shape(
    "wallet_operation",
    "One movement of one balance.",
    {
        "object": constant("wallet_operation"),
        "id": _NUMBER,
        "bucket": one_of(_BUCKETS),
        "account": text("The role of the account in the books.", example="seller_pending"),
        "entry": _NUMBER,
        "amount": AMOUNT,
        "balance": AMOUNT,
        "currency": CURRENCY,
        "what": text("The kind of the entry in the books.", example="payout_sent"),
        "reference": nullable(
            text("What moved it, where it has a name: po_…, re_…, chg_…, pay_….", example="po_…")
        ),
        "created_at": TIME,
    },
)
STATEMENT = shape(
    "wallet_statement",
    "The balances before and after a time, and all that moved: opening plus lines is closing. `totals` says"
    " what it was for: pending, available and held, less receivable, grew by their sum.",
    {
        "object": constant("wallet_statement"),
        "wallet": our_id("wal"),
        "currency": CURRENCY,
        "opening": _BALANCES,
        "lines": list_of(OPERATION),
        "closing": _BALANCES,
        "totals": closed(dict.fromkeys(CATEGORIES, AMOUNT), required=CATEGORIES),
    },
)
