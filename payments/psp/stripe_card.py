"""What Stripe tells of a card: after a payment in the charge, after a refusal in the method that was refused,
and before either in the method that is to pay.

Nothing here decides about money, so whatever is missing or odd is left out instead of refused.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from payments.psp.contract import MethodFacts
from risk.types import CardFacts

__all__ = ["read_capture_before", "read_card", "read_method_card", "read_method_facts"]

_CHECKS = {"pass": "pass", "fail": "fail", "unavailable": "unavailable", "unchecked": "unchecked"}


def read_card(intent: Mapping[str, Any]) -> CardFacts | None:
    """Return the card of a PaymentIntent: of its charge or method if expanded, or of its last refusal."""
    charge, refusal = intent.get("latest_charge"), intent.get("last_payment_error")
    method = _inside(refusal, "payment_method") if isinstance(refusal, Mapping) else None
    found = _inside(method, "card") or _inside(_inside(charge, "payment_method_details"), "card")
    return _card(found) if found is not None else read_method_card(intent.get("payment_method"))


def read_method_card(method: Any) -> CardFacts | None:
    """Return the card of a PaymentMethod; None where it is none, or only its id is known."""
    found = _inside(method, "card")
    return _card(found) if found is not None else None


def _card(found: Mapping[str, Any]) -> CardFacts:
    checks = _inside(found, "checks") or {}
    return CardFacts(
        fingerprint=_text(found, "fingerprint", 64),
        brand=_text(found, "brand", 24),
        country=_text(found, "country", 2),
        bin=_text(found, "iin", 8),
        avs=_worst(checks.get("address_line1_check"), checks.get("address_postal_code_check")),
        cvc=_CHECKS.get(str(checks.get("cvc_check")), ""),
    )


def read_capture_before(intent: Mapping[str, Any]) -> datetime | None:
    """Return until when a PaymentIntent whose charge is expanded can be captured, where that is told."""
    card = _inside(_inside(intent.get("latest_charge"), "payment_method_details"), "card") or {}
    moment = card.get("capture_before")
    return datetime.fromtimestamp(moment, UTC) if type(moment) is int and 0 < moment < 2**33 else None


def read_method_facts(method: Mapping[str, Any]) -> MethodFacts:
    """Return what a PaymentMethod shows of its card; all empty where it is none."""
    card = _inside(method, "card") or {}
    last4, month, year = _text(card, "last4", 4), card.get("exp_month"), card.get("exp_year")
    is_date = type(month) is int and type(year) is int and 1 <= month <= 12 and 1970 <= year <= 9999
    return MethodFacts(
        brand=_text(card, "brand", 24),
        last4=last4 if len(last4) == 4 and last4.isdigit() else "",
        exp_month=month if is_date else None,
        exp_year=year if is_date else None,
        wallet=_text(_inside(card, "wallet") or {}, "type", 24),
    )


def _inside(value: Any, name: str) -> Mapping[str, Any] | None:
    inner = value.get(name) if isinstance(value, Mapping) else None
    return inner if isinstance(inner, Mapping) else None


def _text(data: Mapping[str, Any], name: str, longest: int) -> str:
    value = data.get(name)
    is_fit = isinstance(value, str) and len(value) <= longest and value.isascii() and value.isprintable()
    return str(value) if is_fit else ""


def _worst(*results: Any) -> str:
    """One word for the address: a part that fails counts more than one that passes."""
    said = {_CHECKS.get(str(result), "") for result in results}
    return next((word for word in ("fail", "unavailable", "unchecked", "pass") if word in said), "")
