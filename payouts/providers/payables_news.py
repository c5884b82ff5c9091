"""What a payables API says of a payment, in the contract's words."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from core.errors import DomainError
from core.money import parse_amount
from payouts.providers.contract import Instruction, News, NewsKind, PayoutFailure
from payouts.providers.files.reasons import failure_of

__all__ = ["news_of_item", "news_of_payment", "unknown"]

_KINDS = {
    "submitted": NewsKind.ACCEPTED,
    "deferred": NewsKind.ACCEPTED,
    "paid": NewsKind.PAID,
    "rejected": NewsKind.REFUSED,
    "returned": NewsKind.RETURNED,
}
# In the answer to a batch. A duplicate was taken before, under the same reference and with the same content.
_OURS = frozenset(["accepted", "duplicate", "rejected"])
_LARGEST_MINOR = 10**18


def unknown(reference: str) -> News:
    """The provider's word on a payment is missing or cannot be trusted."""
    return News(reference, NewsKind.UNKNOWN)


def news_of_item(instruction: Instruction, item: object) -> News:
    """Return what one line of a batch's answer says of a payout of ours.

    Unknown for what is not exactly ours: a reference that was used with other content, another payee.
    """
    if not isinstance(item, dict) or item.get("status") not in _OURS:
        return unknown(instruction.reference)
    payment = item.get("payment")
    if not isinstance(payment, dict) or payment.get("ref_code") != instruction.reference:
        return unknown(instruction.reference)
    if payment.get("payee_ref") != instruction.payee_reference:
        return unknown(instruction.reference)
    return news_of_payment(payment) or unknown(instruction.reference)


def news_of_payment(payment: Mapping[str, Any]) -> News | None:
    """Return what a payment's own words say; None where there is no reference to say it of.

    Its amount is as the provider writes it, for the caller to compare; one that cannot be read is unknown.
    """
    reference, currency = payment.get("ref_code"), payment.get("currency")
    if not isinstance(reference, str) or not 1 <= len(reference) <= 64:
        return None
    kind = _KINDS.get(str(payment.get("state")))
    try:
        amount = parse_amount(payment.get("amount"), str(currency), maximum_minor=_LARGEST_MINOR)
    except DomainError:
        amount = None
    if kind is None or amount is None:
        return unknown(reference)
    return News(
        reference=reference,
        kind=kind,
        provider_reference=_text(payment.get("id")),
        amount_minor=amount,
        currency=str(currency),
        failure=_failure(payment) if kind in (NewsKind.REFUSED, NewsKind.RETURNED) else None,
        occurred_at=_moment(payment.get("changed_at")),
    )


def _failure(payment: Mapping[str, Any]) -> PayoutFailure:
    reason = payment.get("reason")
    code = reason.get("code") if isinstance(reason, dict) else None
    return failure_of((code[:35],) if isinstance(code, str) else ())


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and 1 <= len(value) <= 255 and value.isprintable() else None


def _moment(value: object) -> datetime | None:
    try:
        return datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
