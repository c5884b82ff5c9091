"""What the bank decides about a payment: told by the account's last digits, the name, the amount.

And the faults that an amount asks for, once for each batch or payment.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

DAY = 86_400.0

#: How long a deferred payment waits, in seconds of sandbox time.
DEFERRED_SECONDS = DAY


@dataclass(frozen=True, slots=True)
class Plan:
    """``refused`` at once, ``rejected`` when decided, ``deferred`` for a day, ``days`` until it returns."""

    refused: str | None = None
    rejected: str | None = None
    deferred: bool = False
    days: int | None = None
    reason: str = "AC04"

    def describe(self) -> dict[str, Any]:
        """The plan as JSON."""
        return asdict(self)


PLANS: dict[str, Plan] = {
    "paid": Plan(),
    "closed": Plan(rejected="AC04"),
    "wrong": Plan(refused="AC01"),
    "deferred": Plan(deferred=True),
    "returned": Plan(days=3),
    "late": Plan(days=20, reason="MS03"),
    "short": Plan(rejected="AM04"),
}

#: The last four digits of the account that receives.
DIGITS = {
    "9001": "closed", "9002": "wrong", "9003": "deferred", "9004": "returned", "9005": "late",
    "9007": "short",
}  # fmt: skip

#: An account with these digits makes its payee not payable.
UNPAYABLE = "9006"

#: A word in brackets in the receiver's name, as in ``Ann Lee (returned)``.
WORD = re.compile(rf"\(({'|'.join(PLANS)})\)")

#: Minor units.
AMOUNTS = {980_010: "closed", 980_020: "wrong", 980_030: "deferred", 980_040: "returned", 980_050: "late"}

#: Faults of the answer to the batch that holds such a payment.
ANSWERS = {
    990_010: "charged_but_timeout", 990_020: "not_charged_timeout", 990_030: "connection_reset_after_body",
    990_035: "connection_reset_before", 990_040: "http_500", 990_050: "broken_json",
}  # fmt: skip

#: Faults of the callbacks that tell how such a payment ended.
CALLBACKS = {990_060: "webhook_duplicate", 990_070: "webhook_drop", 990_080: "webhook_late"}


def plan_of(*, number: str, name: str, amount: int, usual: str) -> Plan:
    """The plan of one payment; ``usual`` is the bank's default when nothing else tells."""
    word = WORD.search(name)
    told = DIGITS.get(number[-4:]) or (word[1] if word else None) or AMOUNTS.get(amount, usual)
    return PLANS[told]
