"""Payments by every name that anybody knows them by; for the console, whosever they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from channels.selectors import channel_keys
from core.ids import parse_public_id, public_id
from merchants.selectors import merchant_ids
from payments.models import Charge, Dispute, PaymentEvent, PaymentOrder, PspOperation, Refund, TopUp

__all__ = ["FoundPayment", "find_payments"]

_MOST = 20


@dataclass(frozen=True)
class FoundPayment:
    """A checkout or a top-up; with `order_id` where one order of it was meant. `what` has the name."""

    what: str
    store_id: str
    status: str
    checkout_id: UUID | None
    order_id: UUID | None = None
    top_up_id: UUID | None = None


def find_payments(*, term: str) -> list[FoundPayment]:
    """Return what is called so by us, by the store or by the provider, at most 20: each once."""
    found = list(_by_our_name(term)) or [*_by_stores_name(term), *_by_providers_name(term)]
    return list({(each.checkout_id, each.order_id, each.top_up_id): each for each in found}.values())[:_MOST]


def _by_our_name(term: str) -> Iterator[FoundPayment]:
    if key := parse_public_id(term, "pay"):
        yield from _orders(PaymentOrder.objects.filter(pk=key))
    if key := parse_public_id(term, "chk"):
        yield from (_checkout(each, "checkout") for each in PaymentEvent.objects.filter(pk=key))
    if key := parse_public_id(term, "top"):
        yield from (_top_up(each, "top-up") for each in TopUp.objects.filter(pk=key))
    if key := parse_public_id(term, "chg"):
        yield from _of_charges(Charge.objects.filter(pk=key), "charge")
    if key := parse_public_id(term, "op"):
        yield from _of_charges(Charge.objects.filter(operations=key), "operation")
    if key := parse_public_id(term, "re"):
        yield from _of_refunds(Refund.objects.filter(pk=key))
    if key := parse_public_id(term, "dp"):
        yield from _of_charges(Charge.objects.filter(disputes=key), "dispute")


def _by_stores_name(term: str) -> Iterator[FoundPayment]:
    """Unique for a merchant; two merchants may have used the same."""
    merchants = merchant_ids()
    checkouts = PaymentEvent.objects.filter(merchant_id__in=merchants, checkout_id=term)
    yield from (_checkout(each, "checkout") for each in checkouts[:_MOST])
    yield from _orders(PaymentOrder.objects.filter(merchant_id__in=merchants, payment_order_id=term)[:_MOST])


def _by_providers_name(term: str) -> Iterator[FoundPayment]:
    """Every index of these names begins with merchant and channel: there are few of both."""
    place = {"merchant_id__in": merchant_ids(), "channel_id__in": channel_keys()}
    charges = Charge.objects.filter(**place)
    named = Q(psp_reference=term) | Q(session_reference=term)
    yield from _of_charges(charges.filter(named)[:_MOST], "charge")
    yield from _of_refunds(Refund.objects.filter(psp_reference=term)[:_MOST])
    disputes = Dispute.objects.filter(**place, psp_reference=term)
    yield from _of_charges(Charge.objects.filter(disputes__in=disputes)[:_MOST], "dispute")
    # Only what a refund makes has a name of its own there.
    made = PspOperation.objects.filter(**place, kind="refund", refund=None, psp_reference=term)
    keys = list(made.values_list("charge_id", flat=True)[:_MOST])
    yield from _of_charges(Charge.objects.filter(pk__in=keys), "refund")


def _orders(rows: Iterable[PaymentOrder]) -> Iterator[FoundPayment]:
    for row in rows:
        yield FoundPayment("order", row.payment_order_id, row.status, row.checkout_id, order_id=row.pk)


def _checkout(row: PaymentEvent, what: str) -> FoundPayment:
    return FoundPayment(what, row.checkout_id, "", row.pk)


def _top_up(row: TopUp, what: str) -> FoundPayment:
    return FoundPayment(what, public_id("top", row.pk), row.status, None, top_up_id=row.pk)


def _of_charges(rows: Iterable[Charge], what: str) -> Iterator[FoundPayment]:
    for row in rows:
        yield from (_top_up(each, what) for each in TopUp.objects.filter(charges=row))
        yield from (_checkout(each, what) for each in PaymentEvent.objects.filter(charges=row))


def _of_refunds(rows: Iterable[Refund]) -> Iterator[FoundPayment]:
    for row in rows:
        orders = list(PaymentOrder.objects.filter(refund_lines__refund=row))
        if len(orders) == 1:
            yield FoundPayment(
                "refund", orders[0].payment_order_id, row.status, orders[0].checkout_id, orders[0].pk
            )
        elif orders:
            yield from (
                _checkout(each, "refund") for each in PaymentEvent.objects.filter(pk=orders[0].checkout_id)
            )
