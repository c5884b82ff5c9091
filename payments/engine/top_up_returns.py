"""A top-up that the provider refunded without us, or that its rail took back, out of the wallet again.

As far as the wallet has it: nothing goes below zero, and what is held for a payment is not touched. The rest
is a debt that no wallet knows: it stays on dispute_receivable under a key of its own, and a case tells of it,
until finance has it back or two people give it up.
"""

from datetime import timedelta

from django.db.models import Sum

from channels.selectors import get_channel
from core import clock
from core.cases import open_case
from core.history import Changes
from core.ids import public_id, uuid7
from core.money import format_minor
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.entry import Posting
from ledger.templates.wallet import top_up_return_entry
from payments.engine.facts import order_fact
from payments.locks import ChargeScope
from payments.models import Charge, TopUp, TopUpReturn
from wallet.selectors import accounts_of
from wallet.services import lock_wallets, moves_for, post

__all__ = ["is_booked", "pending_left", "refunded_elsewhere", "take_top_up_back"]

_MISSING = "top_up_not_covered"
_CASE_DUE = timedelta(hours=24)


@requires_transaction
def take_top_up_back(
    scope: ChargeScope, changes: Changes, *, kind: str, reference: str, amount_minor: int, reason: str = ""
) -> None:
    """Book that a paid top-up of a locked, captured charge went back (W1c).

    `kind` is refund, known by its `reference`, or reversal, of which there is one; the caller asked whether
    it `is_booked`. The wallet is locked and the entry posted when the changes are saved.
    """
    top_up, charge = scope.top_up, scope.charge
    assert top_up is not None and top_up.status == "SUCCESS", "only what was credited is taken back"
    made = TopUpReturn(
        id=uuid7(),
        merchant_id=top_up.merchant_id,
        top_up=top_up,
        charge=charge,
        kind=kind,
        psp_reference=reference,
        amount_minor=amount_minor,
        from_pending=not top_up.available,
        reason=reason[:200],
        recorded_at=clock.now(),
    )
    owed = min(amount_minor, _left_of(top_up))
    if kind == "refund":
        top_up.refunded_minor += amount_minor
        charge.refunded_minor += amount_minor
        charge.save(update_fields=["refunded_minor"])
    else:
        top_up.reversed_minor += amount_minor
    top_up.updated_at = made.recorded_at
    top_up.save(update_fields=["refunded_minor", "reversed_minor", "updated_at"])
    what = "refunded" if kind == "refund" else "reversed"
    changes.emit(top_up, order_fact(scope, top_up, what))
    changes.last(lambda: _take(scope, top_up, made, owed))


def is_booked(*, scope: ChargeScope, reference: str = "") -> bool:
    """Say whether a refund of a top-up is booked; without a reference, whether a reversal is."""
    kind = "refund" if reference else "reversal"
    rows = TopUpReturn.objects.filter(charge=scope.charge, kind=kind)
    return (rows.filter(psp_reference=reference) if reference else rows).exists()


def refunded_elsewhere(*, charge: Charge) -> int:
    """Return what of a charge's top-up the provider refunded without us, in minor units; 0 for a checkout."""
    rows = TopUpReturn.objects.filter(charge=charge, kind="refund")
    return int(rows.aggregate(total=Sum("amount_minor"))["total"] or 0)


def pending_left(top_up: TopUp) -> int:
    """Return what of a pending top-up becomes available: all but what was taken back meanwhile."""
    gone = TopUpReturn.objects.filter(top_up=top_up, from_pending=True)
    return top_up.amount_minor - int(gone.aggregate(total=Sum("taken_minor"))["total"] or 0)


def _left_of(top_up: TopUp) -> int:
    """What of a top-up the buyer can still be asked for: a refund and a reversal take it once together."""
    return max(top_up.credited_minor - top_up.refunded_minor - top_up.reversed_minor, 0)


def _take(scope: ChargeScope, top_up: TopUp, made: TopUpReturn, owed: int) -> None:
    merchant_id, currency = top_up.merchant_id, str(top_up.amount_currency)
    balances = lock_wallets(merchant_id=merchant_id, wallet_ids=[top_up.wallet_id])[top_up.wallet_id]
    there_is = balances.pending_minor if made.from_pending else balances.available_minor
    made.taken_minor = min(owed, there_is)
    made.missing_minor = made.amount_minor - made.taken_minor
    made.save(force_insert=True)
    accounts = accounts_of(merchant_id=merchant_id, wallet_id=top_up.wallet_id)
    provider = get_channel(channel_id=scope.charge.channel_id).name

    def account(role: str) -> int:
        return open_account(merchant_id=merchant_id, role=role, currency=currency, provider=provider)

    draft = top_up_return_entry(
        posting=Posting(merchant_id, currency, made.recorded_at.date()),
        psp_clearing=account("psp_clearing"),
        wallet=accounts["wallet_pending" if made.from_pending else "wallet_available"],
        dispute_receivable=account("dispute_receivable"),
        return_id=made.id,
        charge_id=scope.charge.id,
        taken_minor=made.taken_minor,
        missing_minor=made.missing_minor,
    )
    post(drafts=[draft], moves=moves_for(drafts=[draft]))
    if made.missing_minor:
        _tell(top_up, made, currency)


def _tell(top_up: TopUp, made: TopUpReturn, currency: str) -> None:
    subject = public_id("top", top_up.id)
    if TopUpReturn.objects.filter(top_up=top_up, missing_minor__gt=0).exclude(pk=made.pk).exists():
        subject = f"{subject}:{made.id}"  # Each has a case of its own, with the value that is missing of it.
    missing, whole = (format_minor(minor, currency) for minor in (made.missing_minor, made.amount_minor))
    open_case(
        kind=_MISSING,
        due_in=_CASE_DUE,
        subject=subject,
        detail={"top_up_id": str(top_up.id), "clearing_key": str(made.id)},
        summary=f"{missing} of {whole} {currency} that the provider took back are not in the wallet of"
        f" {top_up.buyer_account} any more ({made.psp_reference})"[:500],
        merchant_id=top_up.merchant_id,
        value_minor=made.missing_minor,
        currency=currency,
    )
