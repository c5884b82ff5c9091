"""What payouts in one state come to, by currency."""

from django.db.models import Count, Sum

from merchants.selectors import merchant_ids
from payouts.models import Payout

__all__ = ["values_in_state"]


def values_in_state(status: str) -> list[tuple[str, int, int]]:
    """Return currency, number and minor units of the payouts that are in a state, by currency.

    For states that payouts leave again: those that are over would be all of them.
    """
    merchants = merchant_ids()  # By whom the index begins.
    rows = Payout.objects.filter(merchant_id__in=merchants, status=status).values("amount_currency")
    found = rows.order_by("amount_currency").annotate(count=Count("pk"), total=Sum("amount_minor"))
    return [(each["amount_currency"], each["count"], int(each["total"])) for each in found]
