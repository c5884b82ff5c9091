"""Disputes at the provider, and what it tells of them."""

import uuid
from dataclasses import dataclass
from typing import Any

from core.ids import public_id
from ledger.models import JournalEntry
from ledger.selectors import trial_balance
from payments.models import Charge, Dispute, PaymentOrder
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process
from wallet.models import Wallet

__all__ = ["Case", "balances", "disputed", "disputed_newest", "legs", "wallet"]


@dataclass
class Case:
    """A paid checkout and its dispute at the provider; nothing is told until `tell`."""

    shop: Shop
    reference: str
    charge: Charge

    @property
    def dispute(self) -> Dispute:
        """Our row."""
        return Dispute.objects.get(psp_reference=self.reference)

    @property
    def id(self) -> str:
        """Our public id."""
        return public_id("dp", self.dispute.id)

    def step(self, name: str) -> None:
        """Let the bank go on: win, lose, escalate, rest."""
        self.shop.provider.control("POST", f"disputes/{self.reference}/{name}", {})

    def events(self) -> list[dict[str, Any]]:
        """What the provider told so far, oldest first."""
        told = self.shop.provider.control("GET", f"events?account={self.shop.account_id}")["data"]
        return [
            {key: value for key, value in event.items() if key != "account"}
            for event in told
            if event["type"].startswith("charge.dispute.") and event["data"]["object"]["id"] == self.reference
        ]

    def tell(self, *events: dict[str, Any]) -> None:
        """Deliver these events, or all so far, under ids of their own, and let the worker read them."""
        for event in events or self.events():
            assert deliver(self.shop, event, id=f"evt_{uuid.uuid4().hex}") == 200
        process()


def disputed(shop: Shop, *orders: dict[str, Any], told: bool = True, **wish: Any) -> Case:
    """Pay a checkout (90.00 of ann, 10.00 of bob) and let the buyer's bank dispute it."""
    shop.pay(shop.body(*orders))
    return disputed_newest(shop, told=told, **wish)


def disputed_newest(shop: Shop, *, told: bool = True, **wish: Any) -> Case:
    """Let the buyer's bank dispute the newest payment."""
    charge = Charge.objects.order_by("-id")[0]
    client = shop.provider.client(shop.account_key).v1
    paid = client.payment_intents.retrieve(charge.psp_reference).latest_charge
    made = shop.provider.control("POST", f"charges/{paid}/dispute", wish)
    case = Case(shop, made["id"], charge)
    if told:
        case.tell()
    return case


def balances(shop: Shop) -> dict[str, int]:
    """What is on each kind of account, but those with nothing."""
    rows = trial_balance(merchant_id=shop.store.merchant_id)
    sums: dict[str, int] = {}
    for row in rows:
        sums[row.role] = sums.get(row.role, 0) + row.balance_minor
    return {role: minor for role, minor in sums.items() if minor}


def legs(source: str = "dispute") -> list[str]:
    """The legs in the books, by name: entries of one posting have no order."""
    rows = JournalEntry.objects.filter(source__startswith=source)
    return sorted(rows.values_list("leg", flat=True))


def wallet(order: PaymentOrder) -> tuple[int, int, int, int]:
    """Pending, available, held, receivable of an order's seller."""
    row = Wallet.objects.get(merchant_id=order.merchant_id, owner_id=order.seller_id)
    return row.pending_minor, row.available_minor, row.held_minor, row.receivable_minor
