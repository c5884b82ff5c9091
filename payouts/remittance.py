"""What a payout pays: what became the seller's to spend since the payout before it, kind by kind."""

from typing import Any

from core.money import format_minor
from ledger.selectors import entries_of_event
from payouts.models import Payout
from payouts.references import payout_reference
from wallet.selectors import available_between

__all__ = ["remittance_of"]

# So many orders are named; the rest is counted, and is in the statement of the wallet.
_NAMED = 100
_TAKEN_BACK = ("REJECTED", "CANCELED", "FAILED")


def remittance_of(payout: Payout) -> dict[str, Any]:
    """Return what the payout covers, for its event and for the seller.

    `opening` is what was available after the payout before it (one that was taken back is none), `lines` what
    moved since by kind of entry, `left` what remained when it was asked for: opening + lines = amount + fee +
    left. `orders` names the first hundred whose money was released to it. It does not change any more once
    the payout was asked for, unless an earlier one is taken back. Raises LookupError for a payout that took
    nothing of the wallet.
    """
    currency = payout.currency
    asked = _entry_of(payout)
    if asked is None:
        raise LookupError(f"{payout.public_id} was never held")
    before = _before(payout)
    span = available_between(
        wallet_id=payout.wallet_id, after=_entry_of(before) if before else None, before=asked, orders=_NAMED
    )
    whole = payout.amount_minor + payout.fee_minor
    return {
        "reference": payout_reference(payout.id),
        "from": _moment(before) if before else None,
        "until": _moment(payout),
        "opening": format_minor(span.opening_minor, currency),
        "lines": [
            {"what": each.what, "count": each.count, "amount": format_minor(each.amount_minor, currency)}
            for each in span.moved
        ],
        "amount": format_minor(payout.amount_minor, currency),
        "fee": format_minor(payout.fee_minor, currency),
        "left": format_minor(span.closing_minor - whole, currency),
        "currency": currency,
        "orders": list(span.released),
    }


def _before(payout: Payout) -> Payout | None:
    earlier = Payout.objects.filter(merchant_id=payout.merchant_id, seller_id=payout.seller_id)
    of_wallet = earlier.filter(wallet_id=payout.wallet_id, pk__lt=payout.pk)
    return of_wallet.exclude(status__in=_TAKEN_BACK).order_by("-pk").first()


def _entry_of(payout: Payout) -> int | None:
    legs = entries_of_event(merchant_id=payout.merchant_id, source="payout", source_ref=str(payout.id))
    return next((entry_id for entry_id, leg, *_ in legs if leg == "requested"), None)


def _moment(payout: Payout) -> str:
    return payout.created_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
