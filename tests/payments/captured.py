"""Captured orders without a provider: the facts it would tell are made up here, the rest is the product's."""

from typing import Any
from uuid import UUID

from django.db import transaction

from core import clock
from core.history import Changes
from core.ids import uuid7
from ledger.services import open_account
from ledger.templates.entry import Posting, credit, debit, entry
from payments.engine.capture import book_capture
from payments.locks import lock_charge
from payments.models import Charge, OrderShare, PaymentOrder
from payments.psp.contract import PspObject, PspStatus
from tests.payments.conftest import Shop
from wallet.models import Wallet
from wallet.services import post_netted

__all__ = ["balances", "capture", "post_taken", "share_of"]


def capture(shop: Shop, *orders: dict[str, Any]) -> list[PaymentOrder]:
    """Accept a checkout of these orders and capture its one charge, as if the provider had said so."""
    accepted = shop.accept(shop.body(*orders))
    charge = Charge.objects.get(checkout__checkout_id=accepted["checkout_id"])
    with transaction.atomic():
        scope = lock_charge(charge_id=charge.id)
        assert scope is not None
        changes, now = Changes(), clock.now()
        for operation in scope.operations:
            changes.move(
                operation, operation.to_sent, why="sent", first_sent_at=now, due_at=now, leased_until=None
            )
        changes.move(scope.charge, scope.charge.to_submitted, why="sent")
        for order in scope.orders:
            changes.move(order, order.to_executing, why="sent", fact=None)
        seen = PspObject(
            reference=f"pi_{charge.id.hex}",
            status=PspStatus.CAPTURED,
            amount_minor=charge.amount_minor,
            currency=charge.amount_currency,
            our_reference=str(charge.id),
            authorized_minor=charge.amount_minor,
            captured_minor=charge.amount_minor,
            redirect_url=None,
            decline=None,
            charge_reference="",
        )
        book_capture(scope, scope.operations[-1], seen, changes)
        changes.save()
    return list(scope.orders)


def share_of(order: PaymentOrder | UUID) -> OrderShare:
    """What became of an order's money, as the database has it now."""
    key = order if isinstance(order, UUID) else order.id
    return OrderShare.objects.select_related("order").get(order_id=key)


def balances(seller_id: UUID) -> dict[str, int]:
    """The buckets of a seller's one wallet, in minor units."""
    wallet = Wallet.objects.get(owner_id=seller_id)
    return {name: getattr(wallet, f"{name}_minor") for name in ("pending", "available", "held", "receivable")}


def post_taken(*, merchant_id: UUID, account: int, minor: int, currency: str = "USD") -> None:
    """An entry of no business event: money of a seller's account is taken for nobody; needs a transaction."""
    key = uuid7()
    other = open_account(merchant_id=merchant_id, role="customer_overpayment", currency=currency)
    draft = entry(
        posting=Posting(merchant_id, currency, clock.today()),
        kind="taken_for_a_test",
        source="test",
        source_ref=key,
        leg="taken",
        legs=[debit(account, minor), credit(other, minor, key=key)],
    )
    post_netted(drafts=[draft])
