"""Terms that one person of finance proposes and another one agrees to; then a new version has effect."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import NotFound
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.money import InvalidCurrency, exponent
from core.transactions import requires_transaction
from merchants import locks
from merchants.errors import InvalidTerms
from merchants.models import SellerTerms
from merchants.selectors import terms_at
from merchants.services.sellers import change_terms
from merchants.types import TermsData

__all__ = ["TERMS", "approve_terms", "propose_terms", "reject_terms"]

# The action of the approvals.
TERMS = "merchants.terms"
_EXPIRES_IN = timedelta(days=7)
_MOST = {
    "commission_bps": 10_000,
    "tax_bps": 10_000,
    "settlement_delay_days": 365,
    "reserve_bps": 10_000,
    "reserve_days": 730,
}


@requires_transaction
def propose_terms(
    *,
    merchant_id: UUID,
    seller_id: UUID,
    terms: Mapping[str, Any],
    effective_at: datetime | None,
    reason: str,
    maker: str,
) -> Approval:
    """Ask for a second person's yes to new terms of a seller.

    `terms` as `change_terms` takes them, from `effective_at` on; without it from the moment of the yes. A yes
    that comes later than `effective_at` comes too late. Another proposal for the seller takes the place of
    the one that waits. Raises NotFound, ReasonRequired, InvalidTerms.
    """
    reason, now = required_reason(reason), clock.now()
    if effective_at is not None and effective_at <= now:
        raise InvalidTerms("Terms cannot change for the past.", param="effective_at")
    locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    before = terms_at(merchant_id=merchant_id, seller_id=seller_id, at=effective_at or now)
    after = replace(before, **terms)
    _check(after)
    if after == before:
        raise InvalidTerms("These are the terms that hold then already.")
    return request_approval(
        subject=public_id("sel", seller_id),
        action=TERMS,
        instruction=_instruction(before, after, effective_at, reason),
        maker=maker,
        expires_in=min(_EXPIRES_IN, effective_at - now) if effective_at else _EXPIRES_IN,
        merchant_id=merchant_id,
    )


@requires_transaction
def approve_terms(*, approval_id: UUID, checker: str) -> TermsData:
    """Say yes as the second person: the version is written, with its date; return it.

    Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired,
    ApprovalVoid when the terms that it changes are others by now.
    """
    asked = _asked(approval_id)
    wanted, merchant_id, seller_id = asked.instruction, *_whose(asked)
    at = datetime.fromisoformat(wanted["effective_at"]) if wanted["effective_at"] else None
    locks.lock_seller(merchant_id=merchant_id, seller_id=seller_id)
    before = terms_at(merchant_id=merchant_id, seller_id=seller_id, at=at or clock.now())
    after = replace(before, **wanted["after"])
    given = approve(
        approval_id=approval_id,
        checker=checker,
        instruction_now=_instruction(before, after, at, wanted["reason"]),
    )
    made = change_terms(
        merchant_id=merchant_id,
        seller_id=seller_id,
        terms=wanted["after"],
        effective_at=at,
        by=given.maker,
    )
    effective_at = SellerTerms.objects.values_list("effective_at", flat=True).get(
        seller_id=seller_id, version=made.version
    )
    record_audit(
        actor=given.maker,
        action="seller_terms.change",
        subject=given.subject,
        reason=wanted["reason"],
        detail={
            "version": made.version,
            "before": wanted["before"],
            "after": wanted["after"],
            "effective_at": effective_at,
            "approval": str(given.pk),
            "checker": checker,
        },
        merchant_id=merchant_id,
    )
    return made


@requires_transaction
def reject_terms(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no; the terms stay as they are.

    Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending, ApprovalExpired.
    """
    _asked(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _instruction(
    before: TermsData, after: TermsData, effective_at: datetime | None, reason: str
) -> dict[str, Any]:
    return {
        "before": _values(before),
        "version_before": before.version,
        "after": _values(after),
        "effective_at": effective_at.isoformat() if effective_at else "",
        "reason": reason,
    }


def _values(terms: TermsData) -> dict[str, Any]:
    return {name: value for name, value in asdict(terms).items() if name != "version"}


def _asked(approval_id: UUID) -> Approval:
    row = Approval.objects.filter(pk=approval_id, action=TERMS).first()
    if row is None:
        raise NotFound()
    return row


def _whose(asked: Approval) -> tuple[UUID, UUID]:
    seller_id = parse_public_id(asked.subject, "sel")
    if asked.merchant_id is None or seller_id is None:
        raise NotFound()
    return asked.merchant_id, seller_id


def _check(terms: TermsData) -> None:
    for name, most in _MOST.items():
        if not 0 <= getattr(terms, name) <= most:
            raise InvalidTerms(f"Between 0 and {most}.", param=name)
    if bool(terms.commission_fixed_minor) != bool(terms.commission_fixed_currency):
        raise InvalidTerms("A fixed part has an amount and a currency.", param="commission_fixed_minor")
    if bool(terms.reserve_bps) != bool(terms.reserve_days):
        raise InvalidTerms("A reserve has a part and a number of days.", param="reserve_bps")
    if terms.commission_fixed_currency:
        _check_fixed(terms)


def _check_fixed(terms: TermsData) -> None:
    try:
        exponent(terms.commission_fixed_currency)
    except InvalidCurrency:
        raise InvalidTerms("This is no currency.", param="commission_fixed_currency") from None
    if terms.commission_fixed_minor < 0:
        raise InvalidTerms("A fixed part is not negative.", param="commission_fixed_minor")
