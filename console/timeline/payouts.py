"""The payouts that came after a sale's money could be paid out, as chapters."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from django.utils.translation import gettext as _

from console.timeline.proofs import bank_step
from core.story import Amount, Chapter, Step
from payments.selectors import PaymentParts, SellersPart
from payouts.selectors import PayoutAtDesk, payouts_since, sendings_of
from reconciliation.selectors import bank_proofs

__all__ = ["payout_chapters"]

_MOST = 3


def payout_chapters(parts: PaymentParts, *, may_see_files: bool) -> Iterator[Chapter]:
    """Yield the first payouts of each seller after this sale was released: a wallet's money has no names.

    With `may_see_files`, what bank statements say of them as well.
    """
    told: set[UUID] = set()
    for seller in parts.sellers:
        if seller.released_at is None:
            continue
        for payout in payouts_since(
            merchant_id=parts.merchant_id,
            seller_id=seller.seller_id,
            currency=seller.currency,
            since=seller.released_at,
            limit=_MOST,
        ):
            if payout.id not in told:
                told.add(payout.id)
                yield _chapter(payout, seller, may_see_files=may_see_files)


def _chapter(payout: PayoutAtDesk, seller: SellersPart, *, may_see_files: bool) -> Chapter:
    sendings = sendings_of(payout_id=payout.id)
    failure = payout.failure or {}
    steps = [
        Step(
            at=payout.created_at,
            what=_("payout"),
            state=payout.status,
            why=" · ".join(filter(None, (payout.public_id, failure.get("message")))),
            key=payout.public_id,
            amounts=(Amount(_("Paid out"), payout.amount_minor, payout.currency),),
        )
    ]
    steps += [
        Step(at=each.sent_at or payout.created_at, what=_("sending"), state=each.status, why=each.reference)
        for each in sendings
    ]
    if may_see_files:
        lines = bank_proofs(merchant_id=payout.merchant_id, subject_ids=[each.id for each in sendings])
        # Of a chapter about a payout, keys are payouts: its page leads to the line.
        steps += [replace(bank_step(each, _("as the bank booked it")), key="") for each in lines]
    title = _("Payout of %(seller)s after this money was released") % {"seller": seller.seller_account}
    return Chapter("payout", title, payout.created_at, tuple(steps))
