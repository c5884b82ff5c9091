"""A console with one of almost everything in it, for whatever walks through all of its pages."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from core import clock, dead_letters
from core.cases import open_case
from core.drain import get_drain
from core.history import begin
from core.models import AuditResult, AuditRun
from core.transactions import at_edge
from events.models import DailyRevenue, InboxWork, StreamPosition, WebhookInbox
from merchants.models import Seller
from merchants.services import add_signing_key, ensure_buyer, propose_terms
from payments.models import Refund, RefundLine
from payouts.services import place_block, put_schedule
from reconciliation.services import prepare_day
from tests.api.world import open_world
from tests.merchants.signer import pem, private_key
from tests.payments.conftest import Shop
from tests.payouts.conftest import open_payer
from tests.reconciliation.plain import register, statement
from tests.reconciliation.resolving.conftest import open_shop as open_desk
from tests.risk.rules import enforce, listed
from wallet.services import grant_credit
from wallet.types import GrantRequest

__all__ = ["furnish"]


def furnish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put it there. Everything is in the test's own transaction; no provider and no bank is behind it."""
    register()
    world = open_world()
    merchant_id = world.store.merchant_id
    _books_and_files(monkeypatch)
    _payouts(monkeypatch)
    _risk(world.shop)
    _webhooks(merchant_id, world.shop.channel.id)
    _small_things(merchant_id, world.store.key_id)
    _finish_refund()
    now = clock.now()
    run = AuditRun.objects.create(started_at=now, finished_at=now, is_clean=True)
    AuditResult.objects.create(
        run=run, name="books_balance", verdict="clean", violations=0, sample=[], milliseconds=1
    )


@at_edge
def _finish_refund() -> None:
    # The world's refund is a bare row; the console reads its orders and its history as well.
    refund = Refund.objects.get()
    RefundLine.objects.create(
        merchant_id=refund.merchant_id,
        refund=refund,
        order=refund.order,
        amount_minor=refund.amount_minor,
        seller_minor=refund.amount_minor,
        commission_minor=0,
        tax_minor=0,
    )
    begin(refund, why="asked for", by="user:mia")


def _books_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = open_desk(monkeypatch)
    desk.seed()
    desk.charge("pi_1", 10_000)
    desk.report("pi_1|charge|9800|0")
    bank = desk.source(kind="bank", name="bank", account="DE02120300000000202051", currency="EUR")
    desk.send(bank, statement("s1", 0, 9_800))


def _payouts(monkeypatch: pytest.MonkeyPatch) -> None:
    payer = open_payer(monkeypatch)
    payer.trust(fixed_minor=100)
    payer.ask(5000)
    # Put together and not sent: what sends has threads with connections of their own.
    get_drain("payouts").run()
    with transaction.atomic():
        place_block(
            merchant_id=payer.merchant_id, seller_id=None, source="console", reason="a look", by="user:mia"
        )
        put_schedule(
            merchant_id=payer.merchant_id,
            timezone="UTC",
            cut_off=clock.now().time(),
            calendar="EVERY_DAY",
            is_enabled=True,
            by="user:test",
            reason="test",
        )
    yesterday = clock.today() - timedelta(days=1)
    at_edge(prepare_day)(merchant_id=payer.merchant_id, day=yesterday, maker="user:mia")


def _risk(shop: Shop) -> None:
    merchant_id = shop.store.merchant_id
    listed(merchant_id, "bad", "block", "device", "stolen")
    enforce(merchant_id, "amount_over", {"limits": {"USD": 0}}, decision="review", reason="a look")
    shop.accept(shop.body(shop.order("30.00")))


def _webhooks(merchant_id: UUID, channel_id: UUID) -> None:
    now = clock.now()
    inbox = WebhookInbox.objects.create(
        merchant_id=merchant_id,
        channel_id=channel_id,
        provider="stripe",
        provider_event_id="evt_1",
        type="thing.done",
        raw=b"{}",
        occurred_at=now,
        received_at=now,
    )
    InboxWork.objects.create(merchant_id=merchant_id, inbox=inbox, subscriber="nobody", due_at=now)
    StreamPosition.objects.create(name="redis", published_seq=1, attempts=0, due_at=now)
    DailyRevenue.objects.create(merchant_id=merchant_id, day=now.date(), currency="USD", paid_minor=1)


@at_edge
def _small_things(merchant_id: UUID, key_id: UUID) -> None:
    dead_letters.bury(queue="deliveries", subject="evt_1", error="410 Gone", attempts=9)
    open_case(kind="stuck", subject="pay_1", summary="look", due_in=timedelta(hours=1))
    add_signing_key(merchant_id=merchant_id, key_id=key_id, public_key=pem(private_key("next")), by="user:t")
    ensure_buyer(merchant_id=merchant_id, buyer_account="ben")
    seller = Seller.objects.filter(merchant_id=merchant_id).order_by("-pk")[0]
    propose_terms(
        merchant_id=merchant_id,
        seller_id=seller.pk,
        terms={"tax_bps": 1900},
        effective_at=None,
        reason="a new rate",
        maker="user:mia",
    )
    for amount_minor in (1_00, 10_000_00):
        wanted = GrantRequest(merchant_id, "ben", "bonus", amount_minor, "USD", "late delivery")
        grant_credit(grant_id=uuid4(), request=wanted, by="user:mia")
