"""A seller with accounts, the people who look at them, and payouts to them without any provider."""

import uuid
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from channels.services import create_channel
from core import clock
from core.canonical import digest
from core.history import Changes, begin
from core.money import from_minor
from merchants.selectors import find_seller
from merchants.services import create_seller
from payouts import services
from payouts.models import Payout
from payouts.types import DestinationData
from tests.payouts.destinations.ibans import EXAMPLES
from tests.store import Store, open_store
from wallet.services import open_wallet

__all__ = ["ADDER", "GERMAN", "VERIFIER", "Sellers", "open_sellers"]

ADDER, VERIFIER = "user:1", "user:2"
GERMAN = {"holder_name": "Ann Bell", "iban": EXAMPLES["DE"]}


@dataclass
class Sellers:
    """A merchant with sellers ann and bob."""

    store: Store
    ann: UUID
    bob: UUID

    @property
    def merchant_id(self) -> UUID:
        """Whose they are."""
        return self.store.merchant_id

    def add(self, seller: str = "ann", *, by: str = ADDER, **changes: Any) -> DestinationData:
        """Add a German account, or what is said instead."""
        account = {"kind": "iban", "country": "DE", "currency": "EUR", "details": GERMAN, **changes}
        with transaction.atomic():
            return services.add_destination(merchant_id=self.merchant_id, seller=seller, by=by, **account)

    def verify(self, destination: DestinationData, *, by: str = VERIFIER) -> DestinationData:
        """Say yes to an account."""
        return self.decide("verify_destination", destination, by=by)

    def decide(self, name: str, destination: DestinationData, **more: Any) -> DestinationData:
        """Call one of the services that decide about an account."""
        options = {"by": VERIFIER, "reason": "a bank letter"} | more
        with transaction.atomic():
            found: DestinationData = getattr(services, name)(
                merchant_id=self.merchant_id, destination_id=destination.id, **options
            )
        return found

    def payout(self, destination: DestinationData, **changes: Any) -> Payout:
        """A payout to an account that the policy said yes to, as rows: nothing of it is held or sent."""
        now = clock.now()
        with transaction.atomic():
            channel = create_channel(
                merchant_id=self.merchant_id,
                name=f"bank-{uuid.uuid4().hex[:8]}",
                provider="stripe",
                secret_key=f"sk_test_{uuid.uuid4().hex}",
                webhook_secret="whsec_test",
                base_url="http://127.0.0.1:9",
            )
            wallet_id = open_wallet(
                merchant_id=self.merchant_id,
                owner_type="seller",
                owner_id=destination.seller_id,
                currency=destination.currency,
                kind="cash",
            )
            row = Payout(
                **{
                    "merchant_id": self.merchant_id,
                    "seller_id": destination.seller_id,
                    "wallet_id": wallet_id,
                    "destination_id": destination.id,
                    "channel_id": channel.id,
                    "amount": from_minor(1000, destination.currency),
                    "amount_minor": 1000,
                    "origin": "api",
                    "execute_on": now.date(),
                    "requested_by": ADDER,
                    "created_at": now,
                    "updated_at": now,
                    **changes,
                }
            )
            row.save(force_insert=True)
            begin(row, why="requested", by=ADDER)
            changes_of_it = Changes()
            changes_of_it.move(row, row.to_approved, why="policy", instruction_digest=digest({}))
            changes_of_it.save()
        return row

    def send(self, payout: Payout) -> None:
        """Begin to send it, as the engine would if it looked at no gate at all."""
        with transaction.atomic():
            changes = Changes()
            changes.move(payout, payout.to_executing, why="about to be sent")
            changes.save()


def open_sellers() -> Sellers:
    """Open a merchant with two sellers."""
    store = open_store()
    with transaction.atomic():
        for account, name in (("ann", "Ann Bell"), ("bob", "Bob's Books Ltd")):
            create_seller(merchant_id=store.merchant_id, seller_account=account, name=name, country="DE")
    ann, bob = (
        find_seller(merchant_id=store.merchant_id, reference=account).id for account in ("ann", "bob")
    )
    return Sellers(store, ann, bob)
