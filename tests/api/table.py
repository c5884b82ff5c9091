"""Every route of the system that a stranger can reach, with what each answers to its own caller.

A new route stands here, or the matrix fails. For a route below /v1 give, per method, the scope that it
needs and the status of a good call; `{chk}` in a pattern is replaced by ids of that kind.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from core.api.serializers import StrictSerializer
from events.api.serializers import (
    EndpointChanges,
    EndpointInput,
    EventRedeliveryInput,
    RangeInput,
    RotationInput,
)
from merchants.api.serializers import SellerChanges, SellerInput
from payments.api.attempt_serializers import AttemptInput, CancellationInput, CaptureInput
from payments.api.dispute_serializers import EvidenceInput
from payments.api.fulfillment import FulfillmentInput
from payments.api.refund_serializers import RefundInput
from payments.api.serializers import CheckoutInput
from payments.api.top_up_serializers import TopUpInput
from payouts.api.destination_serializers import DestinationInput
from payouts.api.serializers import PayoutCancellationInput, PayoutInput
from tests.api.world import World
from wallet.api.serializers import WalletInput

__all__ = ["BAD_PATHS", "OPERATING", "PUBLIC", "ROUTES", "Call", "Route"]

Body = Callable[[World], dict[str, Any]]


@dataclass(frozen=True)
class Call:
    """One method of a route: what it needs, what a good call is, and what that answers."""

    scope: str
    status: int = 200
    body: Body | None = None
    reads: type[StrictSerializer] | None = None
    query: dict[str, str] = field(default_factory=dict)
    # What a reference to nothing of the caller's answers: 404, or an empty list where it is only a filter.
    unknown: int = 404


@dataclass(frozen=True)
class Route:
    """One address; `ids` name the kinds of ids in its pattern, in order."""

    pattern: str
    calls: dict[str, Call]
    ids: tuple[str, ...] = ()

    def path(self, *references: str) -> str:
        """Return the address with these references in the places of its ids."""
        path = self.pattern
        for kind, reference in zip(self.ids, references, strict=True):
            path = path.replace(f"<{kind}>", reference, 1)
        return path


def _checkout(world: World) -> dict[str, Any]:
    return world.shop.body(
        world.shop.order(),
        buyer_info={"buyer_account": "ben", "email": "ben@example.com"},
        metadata={"cart": "7"},
        return_url="https://shop.example/back",
    )


def _seller(world: World) -> dict[str, Any]:
    return {
        "seller_account": "eve",
        "name": "Eve",
        "country": "DE",
        "commission_fixed": {"amount": "0.30", "currency": "EUR"},
        "rolling_reserve": {"bps": 1000, "days": 90},
        "payout_schedule": {"interval": "weekly", "weekday": 5},
    }


def _account(world: World) -> dict[str, Any]:
    return {
        "kind": "iban",
        "country": "DE",
        "currency": "EUR",
        "holder_name": "Ann",
        "iban": "DE75512108001245126199",
        "bic": "COBADEFFXXX",
        "make_default": True,
    }


def _changes(world: World) -> dict[str, Any]:
    changes = _seller(world)
    del changes["seller_account"]
    return changes


def _nothing(world: World) -> dict[str, Any]:
    return {}


def _fulfilled(world: World) -> dict[str, Any]:
    return {"fulfilled_at": "2026-01-01T00:00:00Z"}


def _again(world: World) -> dict[str, Any]:
    return {"credit_card_info": {"token": "pm_card_visa"}}


def _top_up(world: World) -> dict[str, Any]:
    return {
        "amount": "30.00",
        "currency": "USD",
        "credit_card_info": {"token": "pm_card_visa"},
        "return_url": "https://shop.example/wallet",
    }


def _dollars(world: World) -> dict[str, Any]:
    return {"buyer_account": "ben", "currency": "USD"}


def _endpoint(world: World) -> dict[str, Any]:
    return {"url": "https://shop.example/hooks", "event_types": ["payment.succeeded", "payment.failed"]}


def _paused(world: World) -> dict[str, Any]:
    return _endpoint(world) | {"status": "paused"}


def _rotation(world: World) -> dict[str, Any]:
    return {"overlap_seconds": 3600}


def _range(world: World) -> dict[str, Any]:
    return {
        "created_gte": "2026-01-01T00:00:00Z",
        "created_lt": "2026-01-31T00:00:00Z",
        "status": "failed",
    }


def _to_endpoint(world: World) -> dict[str, Any]:
    return {"webhook_endpoint": world.ids["whe"]}


def _refund(world: World) -> dict[str, Any]:
    return {
        "payment_order_id": world.ids["pay"],
        "amount": "1.00",
        "currency": "USD",
        "destination": "instrument",
        "reason": "one came back",
        "metadata": {"rma": "7"},
    }


def _payout(world: World) -> dict[str, Any]:
    return {
        "seller_account": "ann",
        "amount": "5.00",
        "currency": "USD",
        "destination": world.ids["dst"],
        "metadata": {"week": "7"},
    }


def _evidence(world: World) -> dict[str, Any]:
    return {
        "texts": dict.fromkeys(
            (
                "access_activity_log",
                "billing_address",
                "cancellation_policy_disclosure",
                "cancellation_rebuttal",
                "customer_email_address",
                "customer_name",
                "customer_purchase_ip",
                "duplicate_charge_explanation",
                "explanation",
                "product_description",
                "refund_policy_disclosure",
                "refund_refusal_explanation",
                "service_date",
                "shipping_address",
                "shipping_carrier",
                "shipping_date",
                "shipping_tracking_number",
            ),
            "He signed for it.",
        ),
        "files": [{"field": "receipt", "filename": "signed.pdf", "content": "JVBERi0xLjcgc2lnbmVk"}],
        "submit": False,
    }


def _part(world: World) -> dict[str, Any]:
    return {"amount": "1.00", "currency": "USD"}


_PERIOD = {"created_gte": "2026-01-01T00:00:00Z", "created_lt": "2027-01-01T00:00:00Z"}

ROUTES = (
    Route(
        "/v1/payments",
        {
            "GET": Call("payments:read"),
            "POST": Call("payments:write", 201, _checkout, CheckoutInput),
        },
    ),
    Route("/v1/payments/<pay>", {"GET": Call("payments:read")}, ("pay",)),
    Route(
        "/v1/payments/<pay>/cancellations",
        {"POST": Call("payments:write", 201, _nothing, CancellationInput)},
        ("pay",),
    ),
    # 409: nothing of it is paid, and only who owns it is told so.
    Route(
        "/v1/payments/<pay>/fulfillment",
        {"POST": Call("payments:write", 409, _fulfilled, FulfillmentInput)},
        ("pay",),
    ),
    # 409: nothing is authorized yet, and only who owns it is told so.
    Route(
        "/v1/payments/<pay>/captures",
        {"POST": Call("payments:write", 409, _part, CaptureInput)},
        ("pay",),
    ),
    Route("/v1/checkouts/<chk>", {"GET": Call("payments:read")}, ("chk",)),
    # 409: the first attempt is still open, and only who owns it is told so.
    Route(
        "/v1/checkouts/<chk>/attempts",
        {"POST": Call("payments:write", 409, _again, AttemptInput)},
        ("chk",),
    ),
    Route(
        "/v1/checkouts/<chk>/cancellations",
        {"POST": Call("payments:write", 201, _nothing, CancellationInput)},
        ("chk",),
    ),
    # 422: the order is not paid yet, and only who owns it is told so.
    Route(
        "/v1/refunds",
        {"GET": Call("refunds:read"), "POST": Call("refunds:write", 422, _refund, RefundInput)},
    ),
    Route("/v1/refunds/<re>", {"GET": Call("refunds:read")}, ("re",)),
    Route("/v1/disputes", {"GET": Call("disputes:read")}),
    Route("/v1/disputes/<dp>", {"GET": Call("disputes:read")}, ("dp",)),
    Route(
        "/v1/disputes/<dp>/evidence",
        {"POST": Call("disputes:write", 201, _evidence, EvidenceInput)},
        ("dp",),
    ),
    # 409: the destination is not verified yet, and only who owns it is told so.
    Route(
        "/v1/payouts",
        {"GET": Call("payouts:read"), "POST": Call("payouts:write", 409, _payout, PayoutInput)},
    ),
    Route("/v1/payouts/<po>", {"GET": Call("payouts:read")}, ("po",)),
    Route(
        "/v1/payouts/<po>/cancellation",
        {"POST": Call("payouts:write", 201, _nothing, PayoutCancellationInput)},
        ("po",),
    ),
    Route("/v1/payment_methods", {"GET": Call("payments:read")}),
    Route("/v1/buyers/<buy>/payment_methods", {"GET": Call("buyers:read", unknown=200)}, ("buy",)),
    Route(
        "/v1/buyers/<buy>/payment_methods/<saved>",
        {"DELETE": Call("buyers:write", 204)},
        ("buy", "saved"),
    ),
    Route("/v1/buyers/<buy>/wallets", {"GET": Call("wallets:read", unknown=200)}, ("buy",)),
    Route("/v1/wallets", {"POST": Call("wallets:write", 201, _dollars, WalletInput)}),
    Route(
        "/v1/sellers",
        {"GET": Call("sellers:read"), "POST": Call("sellers:write", 201, _seller, SellerInput)},
    ),
    Route(
        "/v1/sellers/<sel>",
        {
            "GET": Call("sellers:read"),
            "PATCH": Call("sellers:write", 200, _changes, SellerChanges),
        },
        ("sel",),
    ),
    Route(
        "/v1/sellers/<sel>/destinations",
        {
            "GET": Call("payouts:read"),
            "POST": Call("payouts:write", 201, _account, DestinationInput),
        },
        ("sel",),
    ),
    Route(
        "/v1/sellers/<sel>/destinations/<dst>",
        {"GET": Call("payouts:read"), "DELETE": Call("payouts:write")},
        ("sel", "dst"),
    ),
    Route("/v1/sellers/<sel>/wallets", {"GET": Call("wallets:read")}, ("sel",)),
    Route("/v1/wallets/<wal>", {"GET": Call("wallets:read")}, ("wal",)),
    Route("/v1/wallets/<wal>/operations", {"GET": Call("wallets:read")}, ("wal",)),
    Route("/v1/wallets/<wal>/statement", {"GET": Call("wallets:read", query=_PERIOD)}, ("wal",)),
    Route(
        "/v1/wallets/<wal>/top_ups",
        {
            "GET": Call("wallets:read"),
            "POST": Call("wallets:write", 201, _top_up, TopUpInput),
        },
        ("wal",),
    ),
    Route("/v1/top_ups/<top>", {"GET": Call("wallets:read")}, ("top",)),
    Route("/v1/events", {"GET": Call("events:read")}),
    Route("/v1/events/<evt>", {"GET": Call("events:read")}, ("evt",)),
    Route(
        "/v1/events/<evt>/redeliveries",
        {"POST": Call("events:write", 201, _to_endpoint, EventRedeliveryInput)},
        ("evt",),
    ),
    Route(
        "/v1/webhook_endpoints",
        {"GET": Call("webhooks:read"), "POST": Call("webhooks:write", 201, _endpoint, EndpointInput)},
    ),
    Route(
        "/v1/webhook_endpoints/<whe>",
        {
            "GET": Call("webhooks:read"),
            "PATCH": Call("webhooks:write", 200, _paused, EndpointChanges),
            "DELETE": Call("webhooks:write"),
        },
        ("whe",),
    ),
    Route(
        "/v1/webhook_endpoints/<whe>/secret_rotations",
        {"POST": Call("webhooks:write", 201, _rotation, RotationInput)},
        ("whe",),
    ),
    Route("/v1/webhook_endpoints/<whe>/deliveries", {"GET": Call("webhooks:read")}, ("whe",)),
    Route(
        "/v1/webhook_endpoints/<whe>/redeliveries",
        {"POST": Call("webhooks:write", 201, _range, RangeInput)},
        ("whe",),
    ),
)

# Reached without a key: by a name or id that opens it, by a signature, or by everybody.
PUBLIC = (
    Route("/psp/<channel>/webhooks", {}, ("channel",)),
    Route("/pay/<chk>", {}, ("chk",)),
    Route("/pay/<chk>/state", {}, ("chk",)),
    Route("/pay/<chk>/return", {}, ("chk",)),
    Route("/healthz", {}),
    Route("/readyz", {}),
    Route("/docs", {}),
    Route("/docs/redoc", {}),
    Route("/docs/errors", {}),
    Route("/v1/schema", {}),
)

# Open to whoever runs the system: by token, or from this machine alone. Their own tests ask them.
OPERATING = (Route("/metrics", {}),)

# In the place of any id. None of them may be told from an id that nothing has.
BAD_PATHS = ("x", "%00", "a%20b", "%f0%28", "é", "...", "z" * 2000, "{prefix}_", "{prefix}_zzz", "-1", "null")
