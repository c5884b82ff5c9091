"""The examples of the description in the order in which a store would send them."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse

from core.drain import get_drain
from tests.openapi.contract import operations
from tests.payments.conftest import Shop
from tests.payments.disputing import disputed_newest
from tests.payouts.ready import make_payable

__all__ = ["STORY", "Teller"]


class Teller:
    """Sends the example of an operation and remembers that it was told."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.told: set[str] = set()

    def tell(self, operation_id: str, *, body: dict[str, Any] | None = None, **path: str) -> HttpResponse:
        """Send the example, with `body` over its body and `path` over its path; it must succeed."""
        operation = operations()[operation_id]
        names = {each["name"]: each for each in operation["parameters"]}
        url = operation["path"].format(
            **{name: path.get(name) or _example(each) for name, each in names.items() if each["in"] == "path"}
        )
        sent = None
        if "requestBody" in operation:
            sent = operation["requestBody"]["content"]["application/json"]["example"] | (body or {})
        answer = self.shop.store.request(
            operation["method"],
            url,
            sent,
            key=uuid.uuid4().hex if "Idempotency-Key" in names else None,
            query={name: _example(each) for name, each in names.items() if _is_needed(each)},
        )
        wanted = int(next(iter(operation["responses"])))
        assert answer.status_code == wanted, f"{operation_id}: {answer.content!r}"
        self.told.add(operation_id)
        return answer


def _is_needed(parameter: dict[str, Any]) -> bool:
    return bool(parameter["in"] == "query" and parameter["required"])


def _example(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    return str(schema["examples"][0])


def _order(name: str) -> list[dict[str, str]]:
    return [{"payment_order_id": name, "seller_account": "ann", "amount": "90.00", "currency": "USD"}]


def _sellers(teller: Teller) -> None:
    teller.tell("create_seller", body={"seller_account": "cat"})
    for operation in ("list_sellers", "get_seller", "update_seller"):
        teller.tell(operation)


def _destinations(teller: Teller) -> None:
    made = teller.tell("add_destination").json()
    assert made["status"] == "UNVERIFIED" and "iban" not in made
    assert teller.tell("list_destinations").json()["data"][0] == made
    assert teller.tell("get_destination", destination=made["id"]).json() == made
    assert teller.tell("remove_destination", destination=made["id"]).json()["status"] == "REMOVED"


def _a_payment(teller: Teller) -> None:
    teller.tell("create_payment", body={"credit_card_info": {"token": "pm_card_visa", "save": True}})
    teller.shop.work()
    assert teller.tell("get_checkout").json()["status"] == "succeeded"
    teller.tell("fulfill_payment")
    assert teller.tell("get_payment").json()["timeline"][-1]["what"] == "fulfillment"
    assert teller.tell("list_payments").json()["data"]
    assert teller.tell("list_payment_method_offers").json()["data"]


def _a_refund(teller: Teller) -> None:
    made = teller.tell("create_refund").json()["id"]
    teller.shop.work()
    assert teller.tell("get_refund", reference=made).json()["status"] == "SUCCESS"
    assert teller.tell("list_refunds").json()["data"]


def _a_dispute(teller: Teller) -> None:
    body = {"checkout_id": "c-1010", "payment_orders": _order("o-10")}
    teller.tell("create_payment", body=body)
    teller.shop.work()
    case = disputed_newest(teller.shop)
    made = teller.tell("list_disputes").json()["data"][0]["id"]
    assert teller.tell("get_dispute", reference=made).json()["status"] == "OPEN"
    teller.tell("add_dispute_evidence", reference=made)
    teller.shop.work()
    assert case.dispute.status == "EVIDENCE_SENT"


def _wallets(teller: Teller) -> None:
    wallet = teller.tell("list_seller_wallets").json()["data"][0]["id"]
    assert teller.tell("list_wallet_operations", reference=wallet).json()["data"]
    teller.tell("get_wallet_statement", reference=wallet)
    teller.tell("get_wallet", reference=wallet)
    teller.tell("list_buyer_wallets")


def _top_ups(teller: Teller) -> None:
    wallet = teller.tell("open_wallet").json()["id"]
    made = teller.tell("create_top_up", reference=wallet).json()["id"]
    teller.shop.work()
    assert teller.tell("get_top_up", reference=made).json()["top_up_status"] == "SUCCESS"
    assert teller.tell("list_top_ups", reference=wallet).json()["data"]


def _saved_methods(teller: Teller) -> None:
    saved = teller.tell("list_payment_methods").json()["data"][0]["id"]
    teller.tell("delete_payment_method", reference=saved)


def _payouts(teller: Teller) -> None:
    make_payable(teller.shop.store, "ann", amount_minor=10_000)
    made = teller.tell("create_payout").json()
    assert (made["status"], made["amount"]) == ("IN_REVIEW", "50.00")
    assert teller.tell("list_payouts").json()["data"] == [made]
    assert teller.tell("get_payout", reference=made["id"]).json()["timeline"][-1]["to"] == "IN_REVIEW"
    assert teller.tell("cancel_payout", reference=made["id"]).json()["status"] == "CANCELED"


def _another_attempt(teller: Teller) -> None:
    declined = {"token": "pm_card_chargeDeclined"}
    body = {"checkout_id": "c-1002", "payment_orders": _order("o-2"), "credit_card_info": declined}
    teller.tell("create_payment", body=body)
    teller.shop.work()
    teller.tell("create_attempt", reference="c-1002")


def _a_capture(teller: Teller) -> None:
    body = {"checkout_id": "c-1005", "payment_orders": _order("o-5"), "capture": "manual"}
    teller.tell("create_payment", body=body)
    teller.shop.work()
    teller.tell("capture_payment", reference="o-5")
    teller.shop.work()
    assert teller.tell("get_checkout", reference="c-1005").json()["status"] == "succeeded"


def _cancellations(teller: Teller) -> None:
    for name in ("3", "4"):
        body = {"checkout_id": f"c-100{name}", "payment_orders": _order(f"o-{name}")}
        teller.tell("create_payment", body=body)
    teller.tell("cancel_checkout", reference="c-1003")
    teller.tell("cancel_payment", reference="o-4")


def _webhooks(teller: Teller) -> None:
    made = teller.tell("create_webhook_endpoint").json()
    assert made["secret"].startswith("whsec_")
    assert teller.tell("rotate_webhook_secret", reference=made["id"]).json()["secret"] != made["secret"]
    for operation in ("get_webhook_endpoint", "update_webhook_endpoint"):
        teller.tell(operation, reference=made["id"])
    teller.tell("list_webhook_endpoints")


def _events(teller: Teller) -> None:
    get_drain("relay").run()
    endpoint = teller.tell("list_webhook_endpoints").json()["data"][0]["id"]
    event = teller.tell("list_events").json()["data"][0]["id"]
    assert teller.tell("get_event", reference=event).json()["id"] == event
    teller.tell("redeliver_event", reference=event, body={"webhook_endpoint": endpoint})
    assert teller.tell("list_webhook_deliveries", reference=endpoint).json()["data"]
    teller.tell("redeliver_range", reference=endpoint)
    teller.tell("delete_webhook_endpoint", reference=endpoint)


def _about(teller: Teller) -> None:
    teller.tell("get_schema")


STORY: tuple[Callable[[Teller], None], ...] = (
    _sellers,
    _destinations,
    _a_payment,
    _a_refund,
    _a_dispute,
    _wallets,
    _top_ups,
    _payouts,
    _saved_methods,
    _another_attempt,
    _a_capture,
    _webhooks,
    _cancellations,
    _events,
    _about,
)
