"""What the rows behind the lists of the console look like: a few big merchants, mostly well, else rare.

Each group stands for itself, so that a measurement fills one after the other and the disk holds only one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps

from channels.services import create_channel
from core.transactions import at_edge
from events.services import create_endpoint
from merchants.services import create_api_key, create_merchant, create_seller
from tests.lists.filling import Shape

__all__ = ["GROUPS", "Cast", "open_cast"]

_SELLERS = 5
# Seven of ten rows are of one merchant, two of the next.
_M = "CASE WHEN n %% 10 < 7 THEN 1 WHEN n %% 10 < 9 THEN 2 ELSE 3 + (n / 10 %% 3)::int END"
MERCHANT = f"(%(merchants)s::uuid[])[{_M}]"
SELLER_NO = f"(({_M}) - 1) * {_SELLERS} + 1 + n / 7 %% {_SELLERS}"
SELLER = f"(%(sellers)s::uuid[])[{SELLER_NO}]"
CHANNEL = f"(%(channels)s::uuid[])[{_M}]"
ENDPOINT = f"(%(endpoints)s::uuid[])[{_M}]"
USER = "CASE WHEN n %% 3 = 0 THEN %(person)s ELSE 'system' END"


def key(salt: int) -> str:
    """A key that grows with time; another salt is another table."""
    return f"pg_temp.key(n, {salt}, at)"


def rare(usual: str, *others: tuple[int, str]) -> str:
    """One of some values: each of the others so many times in ten thousand."""
    cases, least = "", 0
    for often, value in others:
        cases += f" WHEN luck < {least + often} THEN '{value}'"
        least += often
    return f"CASE{cases} ELSE '{usual}' END"


ORDER_STATUS = rare(
    "SUCCESS",
    (500, "FAILED"),
    (200, "EXPIRED"),
    (50, "CANCELED"),
    (10, "AUTHORIZED"),
    (5, "EXECUTING"),
    (1, "IN_REVIEW"),
)
PAYOUT_STATUS = rare("PAID", (100, "RETURNED"), (100, "FAILED"), (20, "SENT"), (5, "IN_REVIEW"))
DELIVERY_STATUS = rare("DELIVERED", (30, "FAILED"), (5, "PENDING"))
WORK_STATUS = rare("DONE", (1, "DEAD"), (2, "PARKED"))


@dataclass(frozen=True)
class Cast:
    """Whose rows they are; what shapes call by name."""

    words: dict[str, Any]


def open_cast(person: str) -> Cast:
    """Make merchants with their keys, sellers, channels and endpoints, through the services."""
    merchants, sellers, channels, endpoints = [], [], [], []

    def make() -> None:
        for number in range(5):
            merchant = create_merchant(name=f"Shop {number}", mode="test")
            create_api_key(merchant_id=merchant.id, name="server", scopes=["payments:read"])
            merchants.append(merchant.id)
            for seller in range(_SELLERS):
                made = create_seller(
                    merchant_id=merchant.id,
                    seller_account=f"seller-{seller}",
                    name=f"Seller {seller}",
                    country="DE",
                    commission_bps=1000,
                    tax_bps=1900,
                    by="system",
                )
                sellers.append(made.id)
            channels.append(
                create_channel(
                    merchant_id=merchant.id,
                    name=f"line-of-{number}",
                    provider="stripe",
                    secret_key="sk_test_secret",
                    webhook_secret="whsec_secret",
                ).id
            )
            endpoint = create_endpoint(merchant_id=merchant.id, url="https://example.com/hook")
            endpoints.append(endpoint.endpoint.id)

    at_edge(make)()
    return Cast(
        {
            "merchants": merchants,
            "sellers": sellers,
            "channels": channels,
            "endpoints": endpoints,
            "person": person,
        }
    )


def _shape(label: str, share: float = 1.0, /, **values: str) -> Shape:
    model = apps.get_model(label)
    names = {field.name for field in model._meta.concrete_fields} | {
        field.column for field in model._meta.concrete_fields
    }
    given = {"merchant_id": MERCHANT} if "merchant_id" in names else {}
    primary = model._meta.pk
    assert primary is not None
    kind = primary.get_internal_type()
    given[primary.column] = key(0) if kind == "UUIDField" else "n"
    return Shape(model, share, **{**given, **values})


_CHECKOUT = {"checkout_id": "'store-' || n"}
GROUPS: dict[str, Sequence[Shape]] = {
    "payments": (
        _shape(
            "payments.PaymentEvent",
            **_CHECKOUT,
            payment_method="'card'",
            capture="'automatic'",
            multi_order_policy="'all_or_nothing'",
            risk_decision="'approve'",
        ),
        _shape(
            "payments.PaymentOrder",
            payment_order_id="'order-' || n",
            checkout_id=key(0),
            id=key(1),
            seller_id=SELLER,
            seller_account="'seller-' || n / 7 %% 5",
            buyer_account="'buyer-' || n %% 5000",
            amount="(100 + luck) / 100.0",
            amount_minor="100 + luck",
            amount_currency="CASE WHEN n %% 5 = 0 THEN 'EUR' ELSE 'USD' END",
            status=ORDER_STATUS,
            authorized_minor=f"CASE WHEN {ORDER_STATUS} = 'SUCCESS' THEN 100 + luck ELSE 0 END",
            captured_minor=f"CASE WHEN {ORDER_STATUS} = 'SUCCESS' THEN 100 + luck ELSE 0 END",
        ),
    ),
    "top-ups": (
        _shape(
            "wallet.Wallet",
            0.1,
            owner_type="'buyer'",
            owner_id=key(2),
            currency="'USD'",
            kind="'cash'",
            available_minor="luck",
        ),
        _shape(
            "payments.TopUp",
            0.1,
            wallet_id=key(0),
            buyer_account="'buyer-' || n",
            amount="1 + luck",
            amount_minor="100 + 100 * luck",
            amount_currency="'USD'",
            status="CASE WHEN luck < 9000 THEN 'SUCCESS' ELSE 'FAILED' END",
            credited_minor="CASE WHEN luck < 9000 THEN 100 + 100 * luck ELSE 0 END",
            payment_method="'card'",
        ),
        _shape(
            "wallet.Grant",
            0.1,
            wallet_id=key(0),
            kind="'bonus'",
            amount_minor="1 + luck",
            value_minor="1 + luck",
            currency="'USD'",
            reason="'sorry'",
            granted_by="%(person)s",
        ),
    ),
    "histories": (
        _shape(
            "core.StatusChange",
            id="1000000 + n",
            subject_type="'payment_order'",
            subject_id="pg_temp.key(n / 3, 1, to_timestamp(0))",
            from_state="'NOT_STARTED'",
            to_state="'EXECUTING'",
            reason="'accepted'",
            actor=USER,
        ),
        _shape(
            "core.AuditRecord",
            seq="1000000 + n",
            actor="%(person)s",
            action=rare("payout.approve", (500, "payout.reject"), (10, "user.add")),
            subject="'po_' || n",
        ),
    ),
    "decisions": (
        _shape(
            "risk.RiskDecision",
            subject_id=key(0),
            source=rare("rules", (100, "person"), (1, "policy")),
            decision=rare("approve", (300, "review"), (100, "decline")),
            by=USER,
        ),
    ),
    "webhooks in": (
        _shape(
            "events.WebhookInbox",
            channel_id=CHANNEL,
            provider="'stripe'",
            provider_event_id="'evt_' || n",
            type="'charge.succeeded'",
            about="'pi_' || n",
            status=rare("RECEIVED", (1, "QUARANTINED")),
            raw="convert_to(repeat('{\"id\": 1}', 30), 'UTF8')",
        ),
        _shape(
            "events.InboxWork",
            inbox_id=key(0),
            id=key(1),
            subscriber="'payments'",
            status=WORK_STATUS,
            due_at=f"CASE WHEN {WORK_STATUS} = 'PARKED' THEN at END",
        ),
    ),
    "webhooks out": (
        _shape(
            "core.OutboxEvent",
            type="'payment_order.success'",
            subject="'pay_' || n",
            sequence="1",
            published_seq="n",
        ),
        _shape(
            "events.WebhookDelivery",
            event_id=key(0),
            endpoint_id=ENDPOINT,
            status=DELIVERY_STATUS,
            due_at=f"CASE WHEN {DELIVERY_STATUS} = 'PENDING' THEN at END",
            finished_at=f"CASE WHEN {DELIVERY_STATUS} <> 'PENDING' THEN at END",
        ),
    ),
    "books": (
        _shape(
            "ledger.Account",
            0.1,
            id="100 + n",
            role=rare("seller_available", (3000, "seller_pending"), (1000, "wallet_available")),
            owner=key(2),
            currency="'USD'",
            guarded="true",
        ),
        _shape(
            "ledger.JournalEntry",
            kind="'capture'",
            source="'payments'",
            source_ref="'charge-' || n",
            leg="'main'",
            line_count="2",
        ),
        _shape(
            "ledger.JournalLine",
            2.0,
            id="((n + 1) / 2) * 1024 + 1 + (n + 1) %% 2",
            merchant_id=MERCHANT.replace("n ", "((n + 1) / 2) "),
            entry_id="(n + 1) / 2",
            line_no="1 + (n + 1) %% 2",
            # Accounts whose merchant is the entry's: the pattern of merchants comes again every thirty rows.
            account_id="101 + ((n - 1) / 2) %% (%(rows)s / 20 - %(rows)s / 20 %% 30)",
            amount_minor="CASE WHEN n %% 2 = 1 THEN 100 ELSE -100 END",
            currency="'USD'",
        ),
    ),
    "pay-out": (
        _shape("wallet.Wallet", 0.1, owner_type="'seller'", owner_id=key(2), currency="'EUR'", kind="'cash'"),
        _shape(
            "payouts.Destination",
            0.1,
            seller_id=SELLER,
            kind="'iban'",
            country="'DE'",
            currency="CASE WHEN n %% 5 = 0 THEN 'USD' ELSE 'EUR' END",
            last4="lpad((n %% 10000)::text, 4, '0')",
            fingerprint="sha256(n::text::bytea)",
            status=rare("UNVERIFIED", (2000, "REMOVED"), (10, "REJECTED")),
            name_match="'exact'",
            added_by="'system'",
        ),
        _shape(
            "payouts.Payout",
            0.1,
            id=key(1),
            seller_id=SELLER,
            destination_id=key(0),
            wallet_id=key(0),
            channel_id=CHANNEL,
            amount="1 + luck",
            amount_minor="100 + 100 * luck",
            amount_currency="CASE WHEN n %% 5 = 0 THEN 'USD' ELSE 'EUR' END",
            origin="'api'",
            status=PAYOUT_STATUS,
            requested_by="'system'",
            auto_approved_by_policy="true",
            instruction_digest="sha256('x')",
            sent_at="at",
        ),
        _shape(
            "payouts.PayoutBatch",
            0.01,
            channel_id=CHANNEL,
            currency="'EUR'",
            reference="'B' || n",
            status=rare("CLOSED", (100, "SUBMITTED"), (10, "UNKNOWN")),
            payouts_count="10",
            total_minor="luck",
        ),
        _shape(
            "payouts.PayoutBlock",
            0.01,
            seller_id=SELLER,
            source="'person'",
            source_ref="n::text",
            reason="'looks odd'",
            placed_by=USER,
            lifted_at="CASE WHEN luck > 100 THEN at END",
            lifted_by="CASE WHEN luck > 100 THEN 'user:b' ELSE '' END",
        ),
    ),
    "what waits": (
        _shape(
            "core.Approval",
            0.01,
            subject="'po_' || n",
            action="'payout.approve'",
            status=rare("APPROVED", (300, "REJECTED"), (10, "PENDING")),
            maker="'user:a'",
            checker="'user:b'",
            decided_at="at",
        ),
        _shape(
            "core.Case",
            0.01,
            kind="'late_money'",
            subject="'pay_' || n",
            summary="'money came late'",
            value_minor="luck",
            currency="'EUR'",
            status=rare("CLOSED", (50, "OPEN"), (20, "ASSIGNED")),
            owner=USER,
        ),
        _shape(
            "core.DeadLetter",
            0.01,
            queue="'deliveries'",
            subject="'evt_' || n",
            error="'410 Gone'",
            status=rare("REPLAYED", (50, "OPEN"), (100, "DROPPED")),
        ),
        _shape(
            "core.JobRun", 0.01, job="'settle'", scope="'s' || n", business_date="at::date", finished_at="at"
        ),
        _shape("core.Setting", 0.001, name="'limit'", scope="n::text", version="1", value="'1'", actor=USER),
        _shape("core.AuditRun", 0.01, is_clean="luck > 10"),
    ),
}
