"""A provider on paper: it answers as it was told to, in this process, and keeps what it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from channels.types import ChannelData
from payments.psp.contract import (
    ConfirmRequest,
    Decline,
    Outcome,
    OutcomeKind,
    PageRequest,
    PspObject,
    PspStatus,
    RefundRequest,
    RegisterRequest,
    ToldRefunds,
)
from payments.psp.disputes import PspDispute
from payments.psp.stripe_adapter import StripeAdapter

__all__ = ["ANSWERS", "PaperProvider"]

# How the provider answers a refund: in time, later, not at all though it was made, never arrived, refused.
ANSWERS = ("done", "later", "silent", "not_sent", "refused")
_REFUSAL = Decline(code="card_declined", message="No.", decline_code="expired_card", retryable=False)


@dataclass
class _Book:
    """What the provider has: payments, pages with whether they are paid, and refunds by our name of them."""

    paid_pages: set[str] = field(default_factory=set)
    pages: dict[str, PageRequest] = field(default_factory=dict)
    payments: dict[str, RegisterRequest] = field(default_factory=dict)
    refunds: dict[str, tuple[RefundRequest, PspStatus]] = field(default_factory=dict)
    # What it has told of refunds, last: done or failed.
    told: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)


class PaperProvider(StripeAdapter):
    """Its events carry the objects themselves; `book` is one for all, made anew for each history."""

    book: ClassVar[_Book] = _Book()

    @classmethod
    def open(cls) -> None:
        """Forget everything."""
        cls.book = _Book()

    def register(self, *, channel: ChannelData, request: RegisterRequest) -> Outcome:
        """There is something to ask about."""
        reference = f"pi_{request.our_reference}"
        self.book.payments[reference] = request
        seen = _payment(request, PspStatus.REGISTERED, reference=reference)
        return Outcome(OutcomeKind.SUCCEEDED, object=seen)

    def confirm(self, *, channel: ChannelData, request: ConfirmRequest) -> Outcome:
        """Every card is refused."""
        seen = _payment(
            self.book.payments[request.reference], PspStatus.DECLINED, reference=request.reference
        )
        return Outcome(OutcomeKind.DECLINED, object=seen, decline=_REFUSAL, error="the card was refused")

    def open_page(self, *, channel: ChannelData, request: PageRequest) -> Outcome:
        """The buyer can pay there."""
        page = f"cs_{request.our_reference}"
        self.book.pages[page] = request
        return self.query(channel=channel, reference=page)

    def query(self, *, channel: ChannelData, reference: str) -> Outcome:
        """How a page stands."""
        seen = self.page(reference)
        is_paid = seen.status is PspStatus.CAPTURED
        return Outcome(OutcomeKind.SUCCEEDED if is_paid else OutcomeKind.PENDING, object=seen)

    def page(self, reference: str) -> PspObject:
        """A page as it stands."""
        request = self.book.pages[reference]
        if reference in self.book.paid_pages:
            payment = f"pi_{request.our_reference}"
            return _payment(request, PspStatus.CAPTURED, reference=payment, session_reference=reference)
        return _payment(request, PspStatus.REQUIRES_ACTION, reference="", session_reference=reference)

    def paid_late(self, reference: str) -> PspObject:
        """A payment that was refused and is paid after all."""
        return _payment(self.book.payments[reference], PspStatus.CAPTURED, reference=reference)

    def refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        """As it was told to answer; the same name again is the same refund."""
        answer = self.book.answers.pop(0) if self.book.answers else "done"
        if answer == "not_sent":
            return Outcome(OutcomeKind.NOT_SENT, error="it never arrived")
        status = {"later": PspStatus.PROCESSING, "refused": PspStatus.DECLINED}.get(
            answer, PspStatus.REFUNDED
        )
        self.book.refunds.setdefault(request.our_reference, (request, status))
        if answer == "silent":
            return Outcome(OutcomeKind.UNKNOWN, error="no answer")
        return self.find_refund(channel=channel, request=request)

    def find_refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        """How it stands."""
        if request.our_reference not in self.book.refunds:
            return Outcome(OutcomeKind.UNKNOWN, error="not found")
        made, status = self.book.refunds[request.our_reference]
        kinds = {
            PspStatus.REFUNDED: OutcomeKind.SUCCEEDED,
            PspStatus.DECLINED: OutcomeKind.DECLINED,
            PspStatus.PROCESSING: OutcomeKind.PENDING,
        }
        seen = self._told(made, status)
        return Outcome(kinds[status], object=seen, decline=seen.decline)

    def end_refund(self, name: str, *, is_done: bool) -> PspObject:
        """The money arrived, or it came back; return what an event tells of it."""
        request, _ = self.book.refunds[name]
        status = PspStatus.REFUNDED if is_done else PspStatus.DECLINED
        self.book.refunds[name] = (request, status)
        return self._told(request, status)

    def _told(self, request: RefundRequest, status: PspStatus) -> PspObject:
        if status is not PspStatus.PROCESSING:
            self.book.told[request.our_reference] = "done" if status is PspStatus.REFUNDED else "failed"
        return _refund(request, status)

    def read_event(self, *, payload: Mapping[str, Any]) -> PspObject | None:
        """What an event tells of a payment."""
        return payload.get("payment")

    def read_refund_event(self, *, payload: Mapping[str, Any]) -> ToldRefunds | None:
        """What an event tells of a refund."""
        seen = payload.get("refund")
        return ToldRefunds(refunds=(seen,), payment_reference=seen.payment_reference) if seen else None

    def read_dispute_event(self, *, payload: Mapping[str, Any]) -> PspDispute | None:
        """What an event tells of a dispute."""
        return payload.get("dispute")


def _payment(request: RegisterRequest | PageRequest, status: PspStatus, **names: str) -> PspObject:
    taken = request.amount_minor if status is PspStatus.CAPTURED else 0
    return PspObject(
        status=status,
        amount_minor=request.amount_minor,
        currency=request.currency,
        our_reference=request.our_reference,
        authorized_minor=taken,
        captured_minor=taken,
        redirect_url="https://pay.example/page" if status is PspStatus.REQUIRES_ACTION else None,
        decline=_REFUSAL if status is PspStatus.DECLINED else None,
        charge_reference="",
        **names,  # type: ignore[arg-type]
    )


def _refund(request: RefundRequest, status: PspStatus) -> PspObject:
    """The refund as the provider tells of it."""
    return PspObject(
        reference=f"re_{request.our_reference}",
        status=status,
        amount_minor=request.amount_minor,
        currency=request.currency,
        our_reference=request.our_reference,
        authorized_minor=0,
        captured_minor=0,
        redirect_url=None,
        decline=_REFUSAL if status is PspStatus.DECLINED else None,
        charge_reference="",
        payment_reference=request.reference,
        is_booked=True,
    )
