"""The state of a checkout in the buyer's words. No word of the trade, and always whether money moved."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core import clock
from core.admin_display import digits
from payments.pages.facts import PageFacts, PageOrder

__all__ = ["Says", "amount", "order_state", "receiver", "says", "total"]

# A payment that is still open after this long is slower than nearly all others.
_SLOW = timedelta(minutes=2)


@dataclass(frozen=True)
class Says:
    """`look` names icon and colour; `headline` is the state in a sentence, `text` what happens next."""

    look: str
    headline: str
    text: str


def amount(minor: int, currency: str) -> str:
    """Return an amount with exactly its currency's decimals."""
    return f"{digits(minor, currency)} {currency}"


def total(orders: tuple[PageOrder, ...]) -> str:
    """Return the sum of the orders, currency by currency."""
    sums: dict[str, int] = {}
    for order in orders:
        sums[order.currency] = sums.get(order.currency, 0) + order.amount_minor
    return " + ".join(amount(minor, currency) for currency, minor in sums.items())


def receiver(order: PageOrder) -> str:
    """Return who gets the money of an order: its seller, or the buyer's own balance."""
    return order.seller_name or _("your balance")


def _total_of(facts: PageFacts, *statuses: str) -> str:
    return total(tuple(order for order in facts.orders if order.status in statuses))


def order_state(order: PageOrder) -> tuple[str, str]:
    """Return the look and the word of one order."""
    if order.is_disputed:
        return "disputed", _("Disputed")
    if order.status == "SUCCESS" and order.refunded_minor >= order.amount_minor:
        return "over", _("Refunded")
    if order.status == "SUCCESS" and order.refunded_minor:
        return "done", _("Partly refunded")
    return {
        "NOT_STARTED": ("neutral", _("Not started")),
        "IN_REVIEW": ("waiting", _("Being checked")),
        "EXECUTING": ("progress", _("In progress")),
        "REQUIRES_ACTION": ("waiting", _("Waits for you")),
        "AUTHORIZED": ("progress", _("Reserved")),
        "SUCCESS": ("done", _("Paid")),
        "FAILED": ("failed", _("Not paid")),
        "CANCELED": ("over", _("Cancelled")),
        "EXPIRED": ("over", _("Expired")),
    }[order.status]


def says(facts: PageFacts) -> Says:
    """Return what the page says first."""
    if facts.has_late_money and facts.is_final and facts.status in _CLOSED:
        return Says(
            "over",
            _("Your payment came too late and goes back to you."),
            _(
                "This order was already closed when the money arrived. All of it is returned;"
                " it usually takes 5 to 10 days to reach your account."
            ),
        )
    if facts.is_closing and not facts.is_final:
        return Says(
            "progress",
            _("Being cancelled."),
            _(
                "We are making sure that nothing can be charged any more. This usually takes a few seconds;"
                " there is nothing for you to do."
            ),
        )
    return _BY_STATUS[facts.status](facts)


def _open(facts: PageFacts) -> Says:
    text = _("This usually takes a few seconds. Paying again is not needed.")
    headline = _("Your payment of %(amount)s is being prepared.")
    return Says("neutral", headline % {"amount": total(facts.orders)}, text)


def _in_review(facts: PageFacts) -> Says:
    text = _(
        "No money has moved. The check usually takes less than a day, and the store tells you when it is"
        " done. Paying again is not needed."
    )
    headline = _("Your payment of %(amount)s is being checked.")
    return Says("waiting", headline % {"amount": total(facts.orders)}, text)


def _requires_action(facts: PageFacts) -> Says:
    shown = {"amount": _total_of(facts, "REQUIRES_ACTION")}
    if facts.payment_method == "hosted_page":
        text = _("Nothing is charged until you finish the payment page.")
        return Says("waiting", _("One step is left: pay %(amount)s on the payment page.") % shown, text)
    text = _("Your bank wants to see that it is you. Nothing is charged until you confirm.")
    return Says("waiting", _("One step is left: confirm %(amount)s with your bank.") % shown, text)


def _processing(facts: PageFacts) -> Says:
    open_amount = _total_of(facts, "EXECUTING", "NOT_STARTED")
    headline = _("Your payment of %(amount)s is being confirmed.") % {"amount": open_amount}
    text = _("This usually takes a few seconds. Paying again is not needed.")
    if clock.now() - facts.changed_at > _SLOW:
        text = _(
            "This takes longer than usual: the bank has not answered yet. It can take some hours."
            " Please do not pay again: you are never charged twice for this order, and the store is told"
            " as soon as we know."
        )
    return Says("progress", headline, text)


def _authorized(facts: PageFacts) -> Says:
    text = _("The store takes the money when it confirms your order, or lets it go.")
    headline = _("Reserved. %(amount)s is set aside for your order.")
    return Says("progress", headline % {"amount": _total_of(facts, "AUTHORIZED")}, text)


def _succeeded(facts: PageFacts) -> Says:
    shown = {"amount": total(facts.orders), "sellers": _sellers(facts.orders)}
    if all(order.refunded_minor >= order.amount_minor for order in facts.orders):
        text = _("It usually takes 5 to 10 days to reach your account.")
        return Says("over", _("Refunded. %(amount)s goes back to you.") % shown, text)
    text = _("There is nothing more for you to do. The store knows and goes on with your order.")
    return Says("done", _("Paid. %(amount)s to %(sellers)s.") % shown, text)


def _partially_succeeded(facts: PageFacts) -> Says:
    shown = {"paid": _total_of(facts, "SUCCESS"), "amount": total(facts.orders)}
    text = _(
        "Only what is marked as paid below was charged. Go back to the store to pay for the rest or to"
        " leave it."
    )
    return Says("waiting", _("Partly paid. %(paid)s of %(amount)s.") % shown, text)


def _canceled(facts: PageFacts) -> Says:
    text = _("No money was taken. If you still want to buy, start again in the store.")
    return Says("over", _("Cancelled. Nothing was charged."), text)


def _expired(facts: PageFacts) -> Says:
    text = _("The time to pay is over. If you still want to buy, start again in the store.")
    return Says("over", _("Expired. Nothing was charged."), text)


def _failed(facts: PageFacts) -> Says:
    codes = [order.failure_code for order in facts.orders if order.failure_code]
    reason = _reason(codes[0] if codes else "")
    text = _(
        "No money was taken. Go back to the store to try again or to pay in another way. If your bank shows"
        " a reserved amount, it disappears by itself within a few days."
    )
    return Says("failed", _("Not paid. Nothing was charged."), f"{reason} {text}")


def _reason(code: str) -> str:
    """Why, as far as whoever holds the address of the page may know: nothing of the state of an account."""
    if code == "authentication_failed":
        return _("The payment was not confirmed with the bank.")
    if code in ("issuer_unavailable", "psp_unavailable", "processing_error"):
        return _("The bank could not be reached in time.")
    if code in ("expired_card", "card_not_supported") or code.startswith("incorrect_"):
        return _("The card could not be used, or its details were not right.")
    if code == "balance_too_low":
        return _("The balance does not cover it.")
    if code in ("risk_declined", "payment_canceled", ""):
        return _("The payment was stopped before it was charged.")
    return _("The bank did not approve the payment.")


def _sellers(orders: tuple[PageOrder, ...]) -> str:
    names = {receiver(order) for order in orders}
    if len(names) == 1:
        return names.pop()
    words = {
        2: pgettext("number of sellers", "two"),
        3: pgettext("number of sellers", "three"),
        4: pgettext("number of sellers", "four"),
        5: pgettext("number of sellers", "five"),
        6: pgettext("number of sellers", "six"),
    }
    number = words.get(len(names), str(len(names)))
    return ngettext("%(number)s seller", "%(number)s sellers", len(names)) % {"number": number}


_CLOSED = ("failed", "canceled", "expired")
_BY_STATUS: dict[str, Callable[[PageFacts], Says]] = {
    "open": _open,
    "in_review": _in_review,
    "requires_action": _requires_action,
    "processing": _processing,
    "authorized": _authorized,
    "succeeded": _succeeded,
    "partially_succeeded": _partially_succeeded,
    "canceled": _canceled,
    "expired": _expired,
    "failed": _failed,
}
