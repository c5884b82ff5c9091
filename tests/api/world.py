"""Two merchants that have one of everything, for whatever asks whether they can see each other's."""

import uuid
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core import clock
from core.drain import get_drain
from core.ids import parse_public_id, public_id, uuid7
from core.money import Money
from events.models import DeliveryAttempt, WebhookDelivery
from events.services import create_endpoint
from merchants.models import ApiKey
from merchants.scopes import SCOPES
from merchants.services import create_api_key, ensure_buyer, revoke_api_key
from payments.models import Charge, Dispute, PaymentMethodToken, PaymentOrder, PspCustomer, Refund
from payouts.models import Destination, Payout
from payouts.services import add_destination
from tests.payments.conftest import Shop, open_shop
from tests.store import Store
from wallet.services import open_wallet

__all__ = ["RANDOM", "World", "expired_key", "fingerprint", "key_with", "open_world", "revoked_key"]

# Ids of the right form that nothing has, by the prefix of what they would name; channels have names.
RANDOM = {
    prefix: public_id(prefix, uuid7())
    for prefix in ("chk", "pay", "re", "dp", "sel", "buy", "wal", "top", "saved", "whe", "evt", "dst", "po")
} | {"channel": "psp-of-nobody"}


@dataclass
class World:
    """One merchant with one of everything; `ids` by prefix, as the API shows them."""

    shop: Shop
    ids: dict[str, str]

    @property
    def store(self) -> Store:
        """The merchant's key that may do everything."""
        return self.shop.store


def open_world() -> World:
    """Open a merchant with one of everything: a checkout, a seller, a buyer, wallets, a channel, webhooks."""
    shop = open_shop(None, "http://127.0.0.1:9")
    checkout = shop.accept(shop.body(shop.order(), buyer_info={"buyer_account": "ben"}))
    merchant_id, seller = shop.store.merchant_id, shop.store.get("/v1/sellers/ann").json()
    with transaction.atomic():
        buyer = ensure_buyer(merchant_id=merchant_id, buyer_account="ben")
        wallet_id = open_wallet(
            merchant_id=merchant_id, owner_type="buyer", owner_id=buyer.id, currency="USD", kind="cash"
        )
    endpoint, event = _told_endpoint(merchant_id)
    top_up = shop.store.post(
        f"/v1/wallets/{public_id('wal', wallet_id)}/top_ups",
        {"amount": "5.00", "currency": "USD", "credit_card_info": {"token": "pm_card_visa"}},
        key=uuid.uuid4().hex,
    ).json()
    ids = {
        "dst": _destination(merchant_id),
        "po": public_id("po", _payout(shop, seller["id"])),
        "chk": checkout["id"],
        "pay": checkout["payment_orders"][0]["id"],
        "re": public_id("re", _refund(shop)),
        "dp": public_id("dp", _dispute(shop)),
        "sel": seller["id"],
        "buy": buyer.public_id,
        "wal": public_id("wal", wallet_id),
        "top": top_up["id"],
        "saved": public_id("saved", _kept_card(shop, buyer.id)),
        "whe": endpoint,
        "evt": event,
        "channel": shop.channel.name,
    }
    return World(shop, ids)


def _destination(merchant_id: UUID) -> str:
    with transaction.atomic():
        return add_destination(
            merchant_id=merchant_id,
            seller="ann",
            kind="us_account",
            country="US",
            currency="USD",
            details={
                "holder_name": "Ann",
                "routing_number": "111000025",
                "account_number": "000123456789",
                "account_type": "checking",
            },
            by="user:1",
        ).public_id


def _payout(shop: Shop, seller: str) -> UUID:
    # As a row that nobody has decided about, because a payout takes money and people.
    merchant_id, now = shop.store.merchant_id, clock.now()
    seller_id = parse_public_id(seller, "sel")
    assert seller_id is not None
    with transaction.atomic():
        wallet_id = open_wallet(
            merchant_id=merchant_id, owner_type="seller", owner_id=seller_id, currency="USD", kind="cash"
        )
        payout = Payout(
            merchant_id=merchant_id,
            seller_id=seller_id,
            wallet_id=wallet_id,
            destination=Destination.objects.get(merchant_id=merchant_id),
            channel_id=shop.channel.id,
            amount=Money("5.00", "USD"),
            amount_minor=500,
            origin="api",
            execute_on=now.date(),
            requested_by="user:1",
            created_at=now,
            updated_at=now,
        )
        payout.save()
    return payout.id


def _refund(shop: Shop) -> UUID:
    # As a row that ended before anything was sent, because a refund takes a payment and a provider.
    merchant_id, now = shop.store.merchant_id, clock.now()
    charge = Charge.objects.get(merchant_id=merchant_id, checkout__isnull=False)
    refund = Refund(
        merchant_id=merchant_id,
        order=PaymentOrder.objects.get(merchant_id=merchant_id),
        charge=charge,
        destination="instrument",
        amount=charge.amount,
        amount_minor=charge.amount_minor,
        returns_commission=True,
        origin="api",
        created_at=now,
        updated_at=now,
    )
    refund.save()
    return refund.id


def _dispute(shop: Shop) -> UUID:
    # As a row, an inquiry that reserves nothing, because a dispute takes a payment and a provider.
    merchant_id, now = shop.store.merchant_id, clock.now()
    charge = Charge.objects.get(merchant_id=merchant_id, top_up=None)
    dispute = Dispute(
        merchant_id=merchant_id,
        charge=charge,
        channel_id=charge.channel_id,
        psp_reference=f"dp_{uuid.uuid4().hex}",
        amount=charge.amount,
        amount_minor=charge.amount_minor,
        reason="general",
        opened_at=now,
        created_at=now,
        updated_at=now,
    )
    dispute.save()
    return dispute.id


def _told_endpoint(merchant_id: UUID) -> tuple[str, str]:
    """Return an endpoint and an event that was tried to be sent there, without any network."""
    with transaction.atomic():
        endpoint = create_endpoint(merchant_id=merchant_id, url="https://shop.example/told").endpoint
    get_drain("relay").run()
    delivery = WebhookDelivery.objects.filter(endpoint_id=endpoint.id).order_by("event_id")[0]
    DeliveryAttempt.objects.create(
        merchant_id=merchant_id,
        delivery=delivery,
        number=1,
        http_status=503,
        duration_ms=12,
        body="busy",
        at=clock.now(),
    )
    return endpoint.public_id, public_id("evt", delivery.event_id)


def _kept_card(shop: Shop, buyer_id: Any) -> Any:
    # As rows, because keeping a card for real takes a provider.
    merchant_id, now = shop.store.merchant_id, clock.now()
    common = {"merchant_id": merchant_id, "buyer_id": buyer_id, "channel_id": shop.channel.id}
    customer = PspCustomer.objects.create(**common, reference="cus_1", created_at=now)
    card = PaymentMethodToken.objects.create(
        **common,
        customer=customer,
        charge=Charge.objects.get(merchant_id=merchant_id, checkout__isnull=False),
        psp_token="pm_1",
        psp_token_digest=uuid.uuid4().bytes * 2,
        brand="visa",
        last4="4242",
        created_at=now,
        last_used_at=now,
    )
    return card.pk


def key_with(store: Store, scopes: Any = SCOPES) -> Store:
    """Return the same merchant with another key."""
    with transaction.atomic():
        key = create_api_key(merchant_id=store.merchant_id, name="other", scopes=scopes)
    return replace(store, key_id=key.id, secret=key.secret)


def revoked_key(store: Store) -> Store:
    """Return the same merchant with a key that was revoked."""
    dead = key_with(store)
    with transaction.atomic():
        revoke_api_key(merchant_id=dead.merchant_id, key_id=dead.key_id)
    return dead


def expired_key(store: Store) -> Store:
    """Return the same merchant with a key whose time is over."""
    old = key_with(store)
    ApiKey.objects.filter(pk=old.key_id).update(expires_at=clock.now())
    return old


def fingerprint() -> dict[str, str]:
    """Return what every table of the product holds: rows and their content, as one text per table.

    When a key was last used is left out, because every request may note it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY table_name"
        )
        names = [name for (name,) in cursor.fetchall()]
        asked = " UNION ALL ".join(
            f"SELECT '{name}', count(*) || ':' || "
            f"coalesce(sum(hashtextextended((to_jsonb(t) - 'last_used_at')::text, 0)), 0) FROM \"{name}\" t"
            for name in names
        )
        cursor.execute(asked)
        return dict(cursor.fetchall())
