"""How each checkout of the plan goes, from the order to the last thing that becomes of it on the day.

Each is played by one thread of its own, as a store would: it calls, and is told by the feed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ops.demo_day.feed import Shape
from ops.demo_day.money import text_of
from ops.demo_day.plan import INSTANT, Buy
from ops.demo_day.world import World

GOOD = "pm_card_visa"
SECURED, SECURED_DECLINED = "pm_card_threeDSecure2Required", "pm_card_threeDSecureRequiredChargeDeclined"
# Cards that bring their own fate.
FATES = {
    "instant": INSTANT,
    "secured": SECURED,
    "secured_failed": SECURED_DECLINED,
    "refund_fails": "pm_card_refundFail",
    "refund_pends": "pm_card_pendingRefund",
    "refund_refused": "pm_card_sandboxRefundRefused",
    "dispute_won": "pm_card_createDispute",
    "dispute_lost": "pm_card_createDisputeProductNotReceived",
    "inquiry": "pm_card_createDisputeInquiry",
    "charged_in_silence": "pm_card_sandboxChargedButTimeout",
    "silence": "pm_card_sandboxNotChargedTimeout",
    "reset": "pm_card_sandboxConnectionReset",
    "late": "pm_card_chargeDeclined",
}
MANUAL = ("captured", "captured_part", "voided", "reserved")
ON_PAGE = ("hosted", "hosted_again", "left", "canceled")
ENDED = ("SUCCESS", "FAILED", "CANCELED", "EXPIRED", "AUTHORIZED")


class Course:
    """One checkout on its way."""

    def __init__(self, world: World, buy: Buy) -> None:
        self.world, self.buy, self.api = world, buy, world.api

    def play(self) -> None:
        """Play it to its end. Raises what went otherwise than planned."""
        course = COURSES.get(self.buy.course, _buy_only)
        course(self)

    # What a store does

    def order(self, **more: Any) -> Shape:
        """Send the order; the card is that of the plan, or the one that has the course's fate."""
        buy = self.buy
        body: dict[str, Any] = {
            "checkout_id": buy.checkout,
            "buyer_info": {"buyer_account": buy.buyer},
            "payment_orders": [
                {
                    "payment_order_id": each.reference,
                    "seller_account": each.seller,
                    "amount": text_of(each.minor, each.currency),
                    "currency": each.currency,
                }
                for each in buy.orders
            ],
            **more,
        }
        if buy.course in ON_PAGE:
            body["return_url"] = "https://store.example/thanks"
        elif "payment_method" not in body:
            body.setdefault("credit_card_info", {"token": FATES.get(buy.course, buy.card)})
        if buy.course in MANUAL:
            body["capture"] = "manual"
        return self.post("/v1/payments", body, "order")

    def post(self, path: str, body: Mapping[str, Any], what: str) -> Shape:
        """A call with a key of its own, the same in every try."""
        answer: Shape = self.api.post(path, body, key=f"{self.buy.checkout}/{what}")
        return answer

    def ends(self, *states: str) -> list[Shape]:
        """Wait until every order has one of these states; a 3-D Secure step is passed on the way."""
        return [self._ends(each.reference, states or ENDED) for each in self.buy.orders]

    def _ends(self, reference: str, states: tuple[str, ...]) -> Shape:
        path = f"/v1/payments/{reference}"
        waited = (*states, "REQUIRES_ACTION")
        order = self._wait(reference, lambda seen: seen["payment_order_status"] in waited, path)
        if order["payment_order_status"] == "REQUIRES_ACTION" and "REQUIRES_ACTION" not in states:
            self._authenticate(order)
            order = self._wait(reference, lambda seen: seen["payment_order_status"] in states, path)
        return order

    def _authenticate(self, order: Shape) -> None:
        # The same charge for several orders is authenticated once; a page is paid by whoever waits for it.
        if self.buy.course in ("secured", "secured_failed"):
            intent = order["psp"]["reference"]
            if intent and self.buy.orders[0].reference == order["payment_order_id"]:
                self.world.control(f"payment_intents/{intent}/authentication", {"result": "complete"})

    def _wait(self, reference: str, check: Callable[[Shape], bool], path: str) -> Shape:
        return self.world.feed.wait("payment_order", reference, check, path)

    def paid(self) -> None:
        """Wait until all of it is paid. Raises Surprise when it ends otherwise."""
        for order in self.ends():
            if order["payment_order_status"] != "SUCCESS":
                raise Surprise(self.buy, order)

    def session(self) -> str:
        """The provider's page of this checkout."""
        first = self.buy.orders[0].reference
        self._wait(first, lambda seen: seen["payment_order_status"] == "REQUIRES_ACTION", "")
        action = self.api.get(f"/v1/checkouts/{self.buy.checkout}")["next_action"]
        return str(action["url"]).rpartition("/")[2].partition("?")[0]

    def pay_on_page(self, session: str, card: str) -> None:
        """What the buyer does there."""
        self.world.control(f"checkout_sessions/{session}/payment", {"token": card})

    def refund(self, reference: str, minor: int | None, **more: Any) -> Shape:
        """Give an order's money back, or a part of it, and wait until it went off."""
        currency = self.buy.currency
        body = {"payment_order_id": reference, "reason": "it came back", **more}
        if minor is not None:
            body["amount"] = text_of(minor, currency)
        made = self.post("/v1/refunds", body, f"refund/{reference}")
        return self.world.feed.wait(
            "refund",
            str(made["id"]),
            lambda seen: seen["status"] in ("SUCCESS", "PENDING", "FAILED"),
            f"/v1/refunds/{made['id']}",
        )

    def reference(self) -> str:
        """The provider's name of the payment."""
        order = self.api.get(f"/v1/payments/{self.buy.orders[0].reference}")
        return str(order["psp"]["reference"])

    def part(self) -> int:
        """A part of the first order, at least one coin of it and never all."""
        minor = self.buy.orders[0].minor * self.buy.part // 1000
        return max(10, minor // 10 * 10)


class Surprise(Exception):
    """A checkout ended otherwise than the plan says."""

    def __init__(self, buy: Buy, order: Shape) -> None:
        super().__init__(f"{buy.course} {buy.checkout}: {order['payment_order_status']} {order['failure']}")


def _buy_only(course: Course) -> None:
    course.order()
    course.paid()


def _fails(course: Course) -> None:
    course.order()
    course.ends("FAILED")


def _somehow(course: Course) -> None:
    """The provider's answer will not come, or make no sense. It ends as the provider has it, never twice, and
    that may take until the files of the night; nobody waits for it here."""
    course.order()


def _second_try(course: Course) -> None:
    _fails(course)
    body = {"credit_card_info": {"token": GOOD}}
    course.post(f"/v1/checkouts/{course.buy.checkout}/attempts", body, "again")
    course.ends("SUCCESS")


def _hosted(course: Course) -> None:
    course.order()
    course.pay_on_page(course.session(), GOOD)
    course.ends("SUCCESS")


def _hosted_again(course: Course) -> None:
    course.order()
    session = course.session()
    course.pay_on_page(session, "pm_card_visa_chargeDeclined")
    course.pay_on_page(session, GOOD)
    course.ends("SUCCESS")


def _left(course: Course) -> None:
    course.order()
    course.session()


def _canceled(course: Course) -> None:
    course.order()
    course.session()
    course.post(f"/v1/checkouts/{course.buy.checkout}/cancellations", {}, "cancel")
    course.ends("CANCELED")


def _balance(course: Course) -> None:
    course.order(payment_method="balance")
    course.ends("SUCCESS")


def _balance_refunded(course: Course) -> None:
    _balance(course)
    course.refund(course.buy.orders[0].reference, course.part())


def _granted(course: Course) -> None:
    course.order(payment_method="balance", wallet_kinds=[course.buy.course, "cash"])
    course.ends("SUCCESS")
    course.refund(course.buy.orders[0].reference, course.part())


def _reserved(course: Course) -> None:
    course.order()
    course.ends("AUTHORIZED")


def _captured(course: Course) -> None:
    _reserved(course)
    course.post(f"/v1/payments/{course.buy.orders[0].reference}/captures", {}, "capture")
    course.ends("SUCCESS")


def _captured_part(course: Course) -> None:
    _reserved(course)
    amount = text_of(course.part(), course.buy.currency)
    course.post(f"/v1/payments/{course.buy.orders[0].reference}/captures", {"amount": amount}, "capture")
    course.ends("SUCCESS")


def _voided(course: Course) -> None:
    _reserved(course)
    course.post(f"/v1/payments/{course.buy.orders[0].reference}/cancellations", {}, "void")
    course.ends("CANCELED")


def _refunded(course: Course) -> None:
    _buy_only(course)
    for order in course.buy.orders:
        course.refund(order.reference, None)


def _refunded_part(course: Course) -> None:
    _buy_only(course)
    course.refund(course.buy.orders[0].reference, course.part())


def _refunded_to_wallet(course: Course) -> None:
    _buy_only(course)
    course.refund(course.buy.orders[0].reference, course.part(), destination="wallet")
    course.world.buyers.add(course.buy.buyer)
    course.world.to_wallets.append((course.buy.currency, course.part()))


def _disputed(course: Course) -> Shape:
    _buy_only(course)
    first = course.buy.orders[0].reference
    return course.world.feed.wait("dispute", first, lambda seen: True)


def _dispute_ends(course: Course, dispute: Shape, status: str) -> None:
    name = str(dispute["id"])
    course.world.feed.wait("dispute", name, lambda seen: seen["status"] == status, f"/v1/disputes/{name}")


def _dispute_won(course: Course) -> None:
    dispute = _disputed(course)
    evidence = {"texts": {"explanation": "The parcel was signed for."}, "submit": True}
    course.post(f"/v1/disputes/{dispute['id']}/evidence", evidence, "evidence")
    _dispute_ends(course, dispute, "EVIDENCE_SENT")
    course.world.control(f"disputes/{dispute['psp_reference']}/win", {})
    _dispute_ends(course, dispute, "WON")


def _dispute_lost(course: Course) -> None:
    dispute = _disputed(course)
    course.world.control(f"disputes/{dispute['psp_reference']}/lose", {})
    _dispute_ends(course, dispute, "LOST")


def _inquiry(course: Course) -> None:
    dispute = _disputed(course)
    course.world.control(f"disputes/{dispute['psp_reference']}/rest", {})
    _dispute_ends(course, dispute, "CLOSED")


def _saved(course: Course) -> None:
    """The buyer keeps the card, pays with it a second time, and takes it away."""
    buy = course.buy
    course.order(credit_card_info={"token": buy.card, "save": True})
    course.paid()
    place = f"/v1/buyers/{buy.buyer}/payment_methods"
    method = str(course.api.get(place)["data"][0]["id"])
    again = Course(course.world, again_of(buy))
    again.order(credit_card_info={"payment_method_id": method})
    again.paid()
    course.api.call("DELETE", f"{place}/{method}", key=f"{buy.checkout}/forget")


def again_of(buy: Buy) -> Buy:
    """The same basket once more, as the buyer's second checkout."""
    orders = tuple(replace(each, reference=f"{each.reference}-again") for each in buy.orders)
    return replace(buy, number=1_000_000 + buy.number, course="paid", orders=orders)


def _reversed(course: Course) -> None:
    _buy_only(course)
    course.world.control(f"payment_intents/{course.reference()}/reversal", {})
    first = course.buy.orders[0].reference
    course.world.feed.wait(
        "payment_order", first, lambda seen: bool(seen["reversed"].strip("0.")), f"/v1/payments/{first}"
    )


def _late(course: Course) -> None:
    """Declined, then paid after all in another tab, when the order has been given up: it goes back."""
    _fails(course)
    course.world.pay_late(course.reference())


def _delivered(course: Course) -> None:
    _buy_only(course)
    course.post(f"/v1/payments/{course.buy.orders[0].reference}/fulfillment", {}, "delivered")


def _mixed(course: Course) -> None:
    course.order(multi_order_policy="best_effort")
    course.paid()


def _top_up_reversed(course: Course) -> None:
    """Not a checkout: a buyer brings money, and the rail takes it back."""
    buy = course.buy
    wallet = course.post("/v1/wallets", {"buyer_account": buy.buyer, "currency": "USD"}, "wallet")
    body = {"amount": text_of(buy.minor, "USD"), "currency": "USD", "credit_card_info": {"token": GOOD}}
    made = course.post(f"/v1/wallets/{wallet['id']}/top_ups", body, "top-up")
    path = f"/v1/top_ups/{made['id']}"
    course.world.buyers.add(buy.buyer)
    course.world.top_up_ids.append(str(made["id"]))
    course.world.feed.wait("top_up", str(made["id"]), lambda seen: seen["top_up_status"] == "SUCCESS", path)
    course.world.control(f"payment_intents/{course.api.get(path)['psp']['reference']}/reversal", {})


COURSES: Mapping[str, Callable[[Course], None]] = {
    "declined": _fails,
    "charged_in_silence": _somehow,
    "silence": _somehow,
    "reset": _somehow,
    "error_500": _somehow,
    "broken_answer": _somehow,
    "secured_failed": _fails,
    "second_try": _second_try,
    "hosted": _hosted,
    "hosted_again": _hosted_again,
    "left": _left,
    "canceled": _canceled,
    "balance": _balance,
    "balance_refunded": _balance_refunded,
    "bonus": _granted,
    "points": _granted,
    "reserved": _reserved,
    "captured": _captured,
    "captured_part": _captured_part,
    "voided": _voided,
    "refunded": _refunded,
    "refunded_part": _refunded_part,
    "refunded_to_wallet": _refunded_to_wallet,
    "refund_fails": _refunded_part,
    "refund_pends": _refunded_part,
    "refund_refused": _refunded_part,
    "dispute_won": _dispute_won,
    "dispute_lost": _dispute_lost,
    "inquiry": _inquiry,
    "saved": _saved,
    "reversed": _reversed,
    "late": _late,
    "delivered": _delivered,
    "mixed": _mixed,
    "top_up_reversed": _top_up_reversed,
}
