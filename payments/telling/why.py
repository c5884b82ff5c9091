"""Why a payment did not do what was wanted of it: what happened, whether money moved, and the next step."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core.admin_display import digits, sentence
from payments.models import Charge, Dispute, PaymentOrder, PspOperation, Refund
from payments.telling.failures import failure_words

__all__ = ["Why", "why"]


@dataclass(frozen=True)
class Why:
    """One sentence in three parts. `look` is as of core.admin_display.state; codes are for the curious."""

    look: str
    happened: str
    money: str
    then: str
    code: str = ""
    decline_code: str = ""

    @property
    def shown(self) -> str:
        """What happened, with the icon and the colour of how it ended."""
        return sentence(self.happened, self.look)


def why(
    *,
    orders: Sequence[PaymentOrder],
    charges: Sequence[Charge],
    operations: Sequence[PspOperation],
    refunds: Sequence[Refund] = (),
    disputes: Sequence[Dispute] = (),
) -> list[Why]:
    """Return everything that did not go as wanted, what matters most first; none when all is well."""
    found = [
        *_unclear(charges, operations),
        *_late(orders, charges, operations),
        *_orders(orders),
        *_refunds(refunds),
        *_disputes(disputes),
    ]
    return list({(each.happened, each.money): each for each in found}.values())


def _unclear(charges: Iterable[Charge], operations: Iterable[PspOperation]) -> Iterator[Why]:
    """What nobody knows yet: never told as a failure."""
    for charge in charges:
        if charge.status == "CONFLICTED":
            yield Why(
                "failed",
                _("The provider's facts differ from ours."),
                _("Nothing was posted; whether the buyer was charged is at the provider."),
                _("Two people decide at the desk of unknown outcomes. Do not ask the buyer to pay again."),
            )
    for operation in operations:
        if operation.status in ("UNKNOWN", "SENT") and operation.error:
            yield Why(
                "waiting",
                _("The provider gave no trustworthy answer (%(error)s).") % {"error": operation.error},
                _("Whether money moved is not known yet."),
                _("It is being asked about; nothing is to be done. Paying again is not needed."),
            )


def _late(
    orders: Iterable[PaymentOrder], charges: Iterable[Charge], operations: Iterable[PspOperation]
) -> Iterator[Why]:
    """A capture that came when its orders were over: its whole amount goes back."""
    by_charge = {each.charge_id: each for each in operations if each.kind == "refund" and not each.refund_id}
    for charge in charges:
        back = by_charge.get(charge.id)
        if back is None:
            continue
        shown = {"amount": _amount(back.amount_minor, back.currency)}
        is_back = back.status == "SUCCEEDED"
        yield Why(
            "over" if is_back else "waiting",
            _("The money came when the payment was over already."),
            _("%(amount)s went back to the buyer.") % shown
            if is_back
            else _("%(amount)s was taken and goes back to the buyer.") % shown,
            _("Nothing is to be done.")
            if is_back
            else _("The refund is carried out by itself; its steps are below."),
        )


def _orders(orders: Sequence[PaymentOrder]) -> Iterator[Why]:
    for order in orders:
        failure: dict[str, Any] = order.failure or {}
        if order.status == "FAILED":
            happened, then = failure_words(failure.get("code", ""), message=failure.get("message", ""))
            yield Why("failed", happened, _money(orders, order), then, *_codes(failure))
        elif order.status == "EXPIRED" and order.authorized_minor:
            yield Why(
                "over",
                _("It was authorised and not captured in time."),
                _("The reserved money went back to the buyer; nothing was taken."),
                _("The buyer pays again if the order still stands; capture sooner next time."),
            )
        elif order.status == "EXPIRED":
            yield Why(
                "over",
                _("The buyer did not pay in time; it was closed and can no longer charge."),
                _money(orders, order),
                _("The buyer starts again in the store."),
            )
        elif order.status == "CANCELED":
            yield _canceled(orders, order)
        elif order.status == "AUTHORIZED" and failure:
            happened, then = failure_words(failure.get("code", ""), message=failure.get("message", ""))
            yield Why(
                "waiting",
                _("The capture was refused: %(why)s") % {"why": happened},
                _("%(amount)s is still reserved; nothing was taken.")
                % {"amount": _of(order, order.authorized_minor)},
                _("Capture again, or give the money back before its time is over."),
                *_codes(failure),
            )
        elif order.status == "IN_REVIEW":
            yield Why(
                "waiting",
                _("It waits for the risk review."),
                _("No money has moved."),
                _("A person at the review desk says yes or no."),
            )
        elif order.status == "REQUIRES_ACTION":
            yield Why(
                "waiting",
                _("The buyer has one step left: to pay on the provider's page, or to confirm with the bank."),
                _("No money has moved."),
                _("The buyer finishes it; the status page has the link. It is closed by itself in the end."),
            )


def _codes(failure: dict[str, Any]) -> tuple[str, str]:
    return failure.get("code") or "", failure.get("decline_code") or ""


def _canceled(orders: Sequence[PaymentOrder], order: PaymentOrder) -> Why:
    by_store = order.cancel_requested_at is not None
    return Why(
        "over",
        _("The store took it back.") if by_store else _("It was canceled at the provider, not by the store."),
        _money(orders, order),
        _("The buyer starts again in the store, if the order still stands."),
    )


def _refunds(refunds: Iterable[Refund]) -> Iterator[Why]:
    for refund in refunds:
        shown = {"amount": _amount(refund.amount_minor, str(refund.amount_currency))}
        if refund.status == "FAILED":
            happened, then = failure_words("refund_failed")
            yield Why(
                "failed",
                happened,
                _("%(amount)s did not reach the buyer.") % shown,
                then,
                *_codes(refund.failure or {}),
            )
        elif refund.status == "IN_REVIEW":
            yield Why(
                "waiting",
                _("A refund of %(amount)s waits for a second person.") % shown,
                _("Nothing of it was sent."),
                _("Somebody else approves it at the refund desk."),
            )


def _disputes(disputes: Iterable[Dispute]) -> Iterator[Why]:
    for dispute in disputes:
        shown = {"amount": _amount(dispute.amount_minor, dispute.currency)}
        if dispute.status in ("INQUIRY", "OPEN"):
            yield Why(
                "disputed",
                _("The buyer disputes %(amount)s at the bank.") % shown,
                _("The provider has taken the money until it is decided.")
                if dispute.status == "OPEN"
                else _("It is a question so far: no money has moved."),
                _("Answer it with evidence at the dispute desk before its day is over."),
            )
        elif dispute.status == "LOST":
            yield Why(
                "disputed",
                _("The dispute about %(amount)s was lost.") % shown,
                _("The buyer has the money back."),
                _("Do not refund it as well."),
            )


def _money(orders: Sequence[PaymentOrder], order: PaymentOrder) -> str:
    """Whether money moved for this order, and beside it for the others of its checkout."""
    if order.captured_minor:
        return _("%(amount)s was taken.") % {"amount": _of(order, order.captured_minor)}
    others = sum(each.captured_minor for each in orders if each.amount_currency == order.amount_currency)
    if others:
        return _("No money moved for this order; %(amount)s was taken for the others.") % {
            "amount": _of(order, others)
        }
    return _("No money moved.")


def _of(order: PaymentOrder, minor: int) -> str:
    return _amount(minor, str(order.amount_currency))


def _amount(minor: int, currency: str) -> str:
    return f"{digits(minor, currency)} {currency}"
