"""Deposits that people found in suspense prove to pay-in what any deposit does: its captures are banked."""

from datetime import timedelta
from uuid import UUID

from core import clock
from core.transactions import forbids_transaction
from reconciliation.banking.telling import prove_banked
from reconciliation.models import Adjustment
from reconciliation.resolving.at_bank import DEPOSIT, paid_batch

__all__ = ["prove_found_deposits"]

# Told anew for some days, so that nothing is lost where a process died in between.
_FOR = timedelta(days=3)


@forbids_transaction
def prove_found_deposits(*, merchant_id: UUID) -> int:
    """Tell pay-in of the batches that two people found; return of how many. Again it changes nothing."""
    posted = Adjustment.objects.filter(
        merchant_id=merchant_id, template=DEPOSIT, status="POSTED", reverses__isnull=True
    ).filter(posted_at__gte=clock.now() - _FOR)
    by_currency: dict[str, set[str]] = {}
    for each in posted:
        by_currency.setdefault(each.currency, set()).add(paid_batch(each)["clearing_key"])
    return sum(
        prove_banked(merchant_id=merchant_id, currency=currency, keys=sorted(keys))
        for currency, keys in sorted(by_currency.items())
    )
