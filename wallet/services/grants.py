"""Bonus and points that finance gives to buyers: with a reason, above a limit with a second person's yes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import NotFound
from core.ids import public_id
from core.models import Approval
from core.money import MAX_MINOR_PER_ORDER, AmountTooLarge, InvalidAmount, InvalidCurrency, exponent
from core.rows import insert_new
from core.settings_store import Declared, get_settings
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.entry import Posting
from ledger.templates.points import PointsAccounts, PointsLot, points_grant_entry
from ledger.templates.wallet import bonus_grant_entry
from ledger.types import EntryDraft
from merchants.selectors import find_buyer
from wallet.errors import PointsNotValued
from wallet.models import Grant
from wallet.points import worth_of
from wallet.services.accounts import POINTS, account_of, open_wallet
from wallet.services.posting import moves_for, post
from wallet.types import GrantRequest

__all__ = ["GRANT", "SETTINGS", "approve_grant", "grant_credit", "reject_grant"]

GRANT = "wallet.grant"
_EXPIRES_IN = timedelta(days=3)
_WORTH, _ALONE = "wallet.points_worth", "wallet.grant_alone_up_to_minor"


def _check_worth(value: dict[str, Any]) -> None:
    for currency, minor in value.items():
        try:
            exponent(currency)
        except InvalidCurrency:
            raise ValueError(f"{currency} is no currency") from None
        if currency == POINTS or type(minor) is not int or not 1 <= minor <= 1_000_000:
            raise ValueError("a hundred points are worth 1 to 1,000,000 minor units of a currency")


def _check_limit(value: int) -> None:
    if not 0 <= value <= MAX_MINOR_PER_ORDER:
        raise ValueError("an amount in minor units")


SETTINGS = (
    Declared(
        _WORTH,
        'What 100 new points are worth, in minor units by currency: {"USD": 100} is a dollar. Points keep the'
        " worth that they were given with. In a currency that is not named none can be given. The scope is a"
        " mer_…",
        dict,
        {},
        _check_worth,
    ),
    Declared(
        _ALONE,
        "Up to this worth, in minor units of whichever currency, one person gives bonus or points to a buyer"
        " alone; above it a second one has to agree. The scope is a mer_…",
        int,
        5_000,
        _check_limit,
    ),
)


@requires_transaction
def grant_credit(*, grant_id: UUID, request: GrantRequest, by: str) -> UUID | None:
    """Give a buyer bonus (W2) or points (W2c), or ask for a second person's yes; return the approval then.

    The same `grant_id` again gives nothing twice. Raises ReasonRequired, NotFound for a buyer whom nobody
    knows, InvalidCurrency, InvalidAmount, AmountTooLarge, PointsNotValued where no worth is set.
    """
    request = replace(request, reason=required_reason(request.reason))
    buyer = find_buyer(merchant_id=request.merchant_id, reference=request.buyer_account)
    value = _value(request)
    if Grant.objects.filter(pk=grant_id).exists():
        return None
    if value <= _setting(request.merchant_id, _ALONE):
        _give(grant_id, request, buyer.id, value, by=by, checked_by="")
        return None
    approval = request_approval(
        subject=public_id("grant", grant_id),
        action=GRANT,
        instruction=_instruction(grant_id, request, value),
        maker=by,
        expires_in=_EXPIRES_IN,
        merchant_id=request.merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def approve_grant(*, approval_id: UUID, checker: str) -> UUID:
    """Say yes as the second person, and give what was asked for; return the grant's id.

    Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired,
    ApprovalVoid when points are worth something else by now.
    """
    approval = _approval(approval_id)
    grant_id, request = _asked(approval)
    buyer = find_buyer(merchant_id=request.merchant_id, reference=request.buyer_account)
    value = _value(request)
    given = approve(
        approval_id=approval_id,
        checker=checker,
        instruction_now=_instruction(grant_id, request, value),
    )
    _give(grant_id, request, buyer.id, value, by=given.maker, checked_by=checker)
    return grant_id


@requires_transaction
def reject_grant(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: nothing is given.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _approval(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _approval(approval_id: UUID) -> Approval:
    found = Approval.objects.filter(pk=approval_id, action=GRANT).first()
    if found is None:
        raise NotFound()
    return found


def _instruction(grant_id: UUID, request: GrantRequest, value_minor: int) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    return {
        "grant": str(grant_id),
        "merchant": str(request.merchant_id),
        "buyer_account": request.buyer_account,
        "kind": request.kind,
        "amount_minor": request.amount_minor,
        "value_minor": value_minor,
        "currency": request.currency,
        "reason": request.reason,
    }


def _asked(approval: Approval) -> tuple[UUID, GrantRequest]:
    asked = approval.instruction
    request = GrantRequest(
        merchant_id=UUID(asked["merchant"]),
        buyer_account=asked["buyer_account"],
        kind=asked["kind"],
        amount_minor=asked["amount_minor"],
        currency=asked["currency"],
        reason=asked["reason"],
    )
    return UUID(asked["grant"]), request


def _value(request: GrantRequest) -> int:
    """What the grant is worth, in minor units of its currency."""
    exponent(request.currency)
    if request.currency == POINTS or request.kind not in ("bonus", "points"):
        raise InvalidCurrency(param="currency")
    if type(request.amount_minor) is not int or request.amount_minor <= 0:
        raise InvalidAmount(param="amount")
    if request.amount_minor > MAX_MINOR_PER_ORDER:
        raise AmountTooLarge(param="amount")
    if request.kind == "bonus":
        return request.amount_minor
    rate = _setting(request.merchant_id, _WORTH).get(request.currency)
    if rate is None:
        raise PointsNotValued(param="currency")
    return worth_of(points=request.amount_minor, per_hundred_minor=rate)


def _setting(merchant_id: UUID, name: str) -> Any:
    return get_settings(names=[name], scope=public_id("mer", merchant_id))[name]


def _give(
    grant_id: UUID, request: GrantRequest, buyer_id: UUID, value: int, *, by: str, checked_by: str
) -> None:
    unit = POINTS if request.kind == "points" else request.currency
    wallet_id = open_wallet(
        merchant_id=request.merchant_id,
        owner_type="buyer",
        owner_id=buyer_id,
        currency=unit,
        kind=request.kind,
    )
    row = Grant(
        id=grant_id,
        merchant_id=request.merchant_id,
        wallet_id=wallet_id,
        kind=request.kind,
        amount_minor=request.amount_minor,
        value_minor=value,
        currency=request.currency,
        reason=request.reason,
        granted_by=by,
        checked_by=checked_by,
        created_at=clock.now(),
    )
    if not insert_new(row):
        return  # Somebody sent the same page at the same moment.
    record_audit(
        actor=by,
        action=GRANT,
        subject=public_id("wal", wallet_id),
        reason=request.reason,
        detail=_instruction(grant_id, request, value) | ({"checked_by": checked_by} if checked_by else {}),
        merchant_id=request.merchant_id,
    )
    available = account_of(
        merchant_id=request.merchant_id,
        owner_type="buyer",
        owner_id=buyer_id,
        currency=unit,
        role=f"{request.kind}_available",
    )
    drafts = [_entry(grant_id, request, value, available)]
    post(drafts=drafts, moves=moves_for(drafts=drafts))


def _entry(grant_id: UUID, request: GrantRequest, value: int, available: int) -> EntryDraft:
    merchant_id, currency = request.merchant_id, request.currency
    posting = Posting(merchant_id, currency, clock.today())
    promo = open_account(merchant_id=merchant_id, role="promo", currency=currency)
    if request.kind == "bonus":
        return bonus_grant_entry(
            posting=posting,
            promo=promo,
            bonus_available=available,
            grant_id=grant_id,
            amount_minor=request.amount_minor,
        )
    return points_grant_entry(
        posting=posting,
        accounts=PointsAccounts(
            money_position=open_account(merchant_id=merchant_id, role="fx_position", currency=currency),
            points_position=open_account(merchant_id=merchant_id, role="fx_position", currency=POINTS),
        ),
        promo=promo,
        points_available=available,
        lot=PointsLot(grant_id=grant_id, points=request.amount_minor, value_minor=value),
    )
