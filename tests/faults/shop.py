"""A merchant of its own on the running stack, and everything that must be true of its payment in the end."""

import hashlib
import hmac
import json
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from channels.services import create_channel
from core.audits import run_audits
from core.models import IdempotencyRecord, OutboxEvent
from events.facts import event_data
from events.models import InboxWork, WebhookDelivery
from events.services import create_endpoint
from ledger.models import JournalEntry
from merchants.services import create_seller
from payments.models import Charge, PaymentOrder, PspOperation
from tests.stack import Answer, Stack, http
from tests.store import open_store
from tests.waiting import eventually

__all__ = ["Payment", "Shop", "assert_all_paid_once", "assert_audits_are_clean", "open_shop"]

KEPT_CHECKING = 0.1


@dataclass
class Payment:
    """One checkout as the store sends it, and what the store was answered."""

    body: dict[str, Any]
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    answers: list[bytes] = field(default_factory=list)

    @property
    def checkout_id(self) -> str:
        return str(self.body["checkout_id"])


@dataclass
class Shop:
    """A merchant with sellers `ann` (10 % commission, 20 % tax) and `bob`, one channel and one endpoint."""

    stack: Stack
    merchant_id: UUID
    secret: str
    account: str
    channel_id: UUID
    channel: str
    webhook_secret: str

    def payment(self, token: str = "pm_card_visa") -> Payment:
        """A checkout of 100.00 USD with one order for each seller."""
        orders = [
            {"seller_account": seller, "amount": amount, "currency": "USD", "payment_order_id": _name("o")}
            for seller, amount in (("ann", "90.00"), ("bob", "10.00"))
        ]
        return Payment(
            {"checkout_id": _name("c"), "credit_card_info": {"token": token}, "payment_orders": orders}
        )

    def hosted_payment(self) -> Payment:
        """The same without a token: the buyer pays on the provider's page."""
        payment = self.payment()
        del payment.body["credit_card_info"]
        return payment

    def page(self, payment: Payment) -> str | None:
        """The provider's page on which the buyer of a hosted payment can pay now."""
        charge = Charge.objects.filter(
            merchant_id=self.merchant_id, checkout__checkout_id=payment.checkout_id, status="REQUIRES_ACTION"
        ).first()
        return charge.session_reference if charge else None

    def buy(self, payment: Payment, *, within: float = 40.0) -> None:
        """Wait until the buyer is asked to pay, and pay."""
        page = eventually(lambda: self.page(payment), within=within, what=f"a page: {self.what_is_open()}")
        self.stack.control("POST", f"checkout_sessions/{page}/payment", {"token": "pm_card_visa"})

    def post(self, payment: Payment) -> Answer:
        """Send it once; what was acknowledged is remembered."""
        answer = self.stack.api("POST", "/v1/payments", payment.body, key=self.secret, idem=payment.key)
        if answer.status == 201:
            payment.answers.append(answer.body)
        return answer

    def post_until_accepted(self, payment: Payment, *, within: float = 20.0) -> Answer:
        """Send it again and again under its key, as a store does that got no answer."""

        def once() -> Answer | None:
            try:
                answer = self.post(payment)
            except OSError:
                return None
            assert answer.status in (201, 429, 503), (answer.status, answer.body)
            return answer if answer.status == 201 else None

        return eventually(once, within=within, every=0.2, what=f"{payment.checkout_id} accepted")

    def tell(self, event: dict[str, Any]) -> Answer:
        """Deliver an event as the provider does; it need not be one of the provider's."""
        body, stamp = json.dumps(event).encode(), int(time.time())
        signed = hmac.new(self.webhook_secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
        header = {"Stripe-Signature": f"t={stamp},v1={signed.hexdigest()}"}
        return http("POST", f"{self.stack.web_url}/psp/{self.channel}/webhooks", body, header)

    def fault(self, kind: str, **spec: Any) -> None:
        """Arm a fault of the provider for this merchant's account."""
        self.stack.control("POST", "faults", {"kind": kind, "account": self.account, **spec})

    def captures(self, payment: Payment) -> list[dict[str, Any]]:
        """What the provider's journal says it took for this checkout."""
        rows = self.stack.control("GET", f"journal?metadata.checkout_id={payment.checkout_id}")["data"]
        return [row for row in rows if row["kind"] != "charge.authorized"]

    def orders(self, payment: Payment) -> list[PaymentOrder]:
        """Our rows."""
        return list(
            PaymentOrder.objects.filter(
                merchant_id=self.merchant_id, checkout__checkout_id=payment.checkout_id
            ).order_by("position")
        )

    def is_settled(self, *payments: Payment) -> bool:
        """Every order is final and nothing of this merchant is left to do."""
        mine = {"merchant_id": self.merchant_id}
        numbers = [payment.checkout_id for payment in payments]
        orders = PaymentOrder.objects.filter(**mine, checkout__checkout_id__in=numbers)
        open_work = (
            orders.exclude(status__in=["SUCCESS", "FAILED"]),
            PspOperation.objects.filter(**mine, due_at__isnull=False),
            InboxWork.objects.filter(**mine).exclude(status="DONE"),
            OutboxEvent.objects.filter(**mine, published_seq=None),
            WebhookDelivery.objects.filter(**mine).exclude(status="DELIVERED"),
        )
        return orders.count() == 2 * len(numbers) and not any(rows.exists() for rows in open_work)

    def what_is_open(self) -> str:
        """For the message of a test that waited in vain."""
        mine = {"merchant_id": self.merchant_id}
        parts = {
            "orders": PaymentOrder.objects.filter(**mine).values_list("status", flat=True),
            "operations": PspOperation.objects.filter(**mine).values_list(
                "kind", "status", "due_at", "error"
            ),
            "inbox": InboxWork.objects.filter(**mine).values_list("status", "due_at", "reason"),
            "unpublished": OutboxEvent.objects.filter(**mine, published_seq=None).values_list("type"),
            "deliveries": WebhookDelivery.objects.filter(**mine).values_list("status", "due_at", "attempts"),
        }
        return "; ".join(f"{name}: {list(rows[:12])}" for name, rows in parts.items())

    def settle(self, *payments: Payment, within: float = 40.0) -> None:
        """Wait until nothing of this merchant is left to do."""
        try:
            eventually(lambda: self.is_settled(*payments), within=within, every=KEPT_CHECKING)
        except AssertionError:
            raise AssertionError(f"not settled within {within} s: {self.what_is_open()}") from None

    def assert_paid_exactly_once(self, payment: Payment) -> None:
        """The provider's journal is the judge; then our books, our flags, the answers and the store."""
        took = [(row["kind"], row["amount"]) for row in self.captures(payment)]
        assert took == [("charge.captured", 10000)], took
        charges = list(Charge.objects.filter(checkout__checkout_id=payment.checkout_id))
        assert [charge.status for charge in charges] == ["CAPTURED"]
        entries = JournalEntry.objects.filter(
            merchant_id=self.merchant_id, source_ref__contains=str(charges[0].id)
        )
        assert entries.count() == 1, [(each.kind, each.source_ref) for each in entries]
        self._assert_one_key(charges[0])
        for order in self.orders(payment):
            assert order.status == "SUCCESS", order.status
            assert order.wallet_updated and order.ledger_updated
        self._assert_same_answer(payment)
        self._assert_store_was_told(payment)

    def assert_told_once_in_order(self) -> None:
        """Each event of ours has one place in the feed, in the order of its subject, and one delivery."""
        events = list(OutboxEvent.objects.filter(merchant_id=self.merchant_id).order_by("published_seq"))
        places = [(event.subject, event.sequence) for event in events]
        assert places and len(places) == len(set(places))
        last: dict[str, int] = defaultdict(int)
        for subject, sequence in places:
            assert sequence == last[subject] + 1, (subject, sequence)
            last[subject] = sequence
        deliveries = WebhookDelivery.objects.filter(merchant_id=self.merchant_id)
        assert deliveries.count() == len(events)

    def _assert_one_key(self, charge: Charge) -> None:
        """However often it was sent, the provider saw one confirmation, or opened one page."""
        if charge.is_hosted:
            sent = self.stack.control(
                "GET", f"requests?operation=checkout.sessions.create&account={self.account}"
            )["data"]
            assert sent and len({row["idempotency_key"] for row in sent}) == 1, sent
            return
        where = f"requests?operation=payment_intents.confirm&path=/v1/payment_intents/{charge.psp_reference}"
        sent = self.stack.control("GET", f"{where}/confirm")["data"]
        assert sent and len({row["idempotency_key"] for row in sent}) == 1, sent

    def _assert_same_answer(self, payment: Payment) -> None:
        again = self.post(payment)
        assert again.status == 201 and again.headers["Idempotent-Replayed"] == "true"
        assert len(set(payment.answers)) == 1, payment.answers
        stored = IdempotencyRecord.objects.get(merchant_id=self.merchant_id, key=payment.key)
        assert bytes(stored.body) == again.body

    def _assert_store_was_told(self, payment: Payment) -> None:
        """Each event at least once, and a repeat is the same event: same id, same bytes."""
        told: dict[str, set[str]] = defaultdict(set)
        for row in self.stack.control("GET", "store/webhooks?verified=true")["data"]:
            told[row["webhook_id"]].add(row["body"])
        subjects = [f"{order['id']}" for order in json.loads(payment.answers[0])["payment_orders"]]
        events = OutboxEvent.objects.filter(subject__in=subjects).order_by("subject", "sequence")
        types = [(event.subject, event.type) for event in events]
        for subject in subjects:
            assert (subject, "payment.created") in types and (subject, "payment.succeeded") in types, types
        for event in map(event_data, events):
            assert len(told[event.public_id]) == 1, (event.type, told[event.public_id])
            assert json.loads(next(iter(told[event.public_id])))["id"] == event.public_id


def open_shop(stack: Stack, *, provider_events: tuple[str, ...] = ("*",), tells_store: bool = True) -> Shop:
    """Open a merchant; the provider sends it these webhooks, none when there are no types."""
    store = open_store()
    api_key, secret, name = f"sk_test_{uuid.uuid4().hex}", f"whsec_{uuid.uuid4().hex}", _name("psp")
    with transaction.atomic():
        channel = create_channel(
            merchant_id=store.merchant_id,
            name=name,
            provider="stripe",
            secret_key=api_key,
            webhook_secret=secret,
            base_url=stack.sandbox_url,
            max_in_flight=8,
        )
        for seller, bps, tax in (("ann", 1000, 2000), ("bob", 0, 0)):
            create_seller(
                merchant_id=store.merchant_id,
                seller_account=seller,
                name=seller.title(),
                country="US",
                commission_bps=bps,
                tax_bps=tax,
                by="user:test",
            )
    account = stack.control("POST", "keys", {"key": api_key})["account"]
    if tells_store:
        _tell_store(stack, store.merchant_id)
    if provider_events:
        url = f"{stack.web_url}/psp/{name}/webhooks"
        place = {"url": url, "secret": secret, "account": account, "events": list(provider_events)}
        stack.control("POST", "webhook_endpoints", place)
    return Shop(stack, store.merchant_id, store.secret, account, channel.id, name, secret)


def _tell_store(stack: Stack, merchant_id: UUID) -> None:
    with transaction.atomic():
        endpoint = create_endpoint(merchant_id=merchant_id, url=f"{stack.sandbox_url}/store/webhooks")
    stack.control("POST", "store/secrets", {"secret": endpoint.secret})


def assert_all_paid_once(shop: Shop, payments: list[Payment], *, within: float) -> None:
    """Each of them: one capture at the provider, SUCCESS here; then the invariants."""
    shop.settle(*payments, within=within)
    rows = shop.stack.control("GET", f"journal?account={shop.account}&kind=charge.captured")["data"]
    taken = sorted(row["metadata"]["checkout_id"] for row in rows)
    assert taken == sorted(payment.checkout_id for payment in payments)
    assert {row["amount"] for row in rows} == {10000}
    for payment in payments:
        assert {order.status for order in shop.orders(payment)} == {"SUCCESS"}
    assert_audits_are_clean()


def assert_audits_are_clean() -> None:
    """Every invariant of the installation holds."""
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


def _name(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:12]}"
