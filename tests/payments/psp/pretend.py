"""A provider in memory: honest about what it did, forgetful about saying so when a test wants it to be."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from channels.types import ChannelData
from core.transactions import forbids_transaction
from payments.psp.contract import (
    AttachRequest,
    CancelRequest,
    CaptureRequest,
    ConfirmRequest,
    CustomerRequest,
    DetachRequest,
    Outcome,
    OutcomeKind,
    PspObject,
    PspStatus,
    RefundRequest,
    RegisterRequest,
)
from payments.psp.declines import decline
from payments.psp.stripe_outcomes import of_captured, of_closed, of_confirmed, of_created, of_state
from payments.psp.stripe_refunds import of_refund

__all__ = ["PretendProvider"]

S = PspStatus
# What a token does when it is confirmed.
TOKENS = {"visa": S.CAPTURED, "bad": S.DECLINED, "three_ds": S.REQUIRES_ACTION, "slow": S.PROCESSING}
_OPEN = (S.REGISTERED, S.DECLINED, S.REQUIRES_ACTION)


@dataclass
class PretendProvider:
    """One mood per call: ok, lost (done, no answer), dropped (not done, no answer), refused (not sent)."""

    provider: str = "stripe"
    resolves_by: str = "reference"
    key_retention: timedelta = timedelta(hours=24)
    moods: list[str] = field(default_factory=list)
    payments: dict[str, PspObject] = field(default_factory=dict)
    refunds: dict[str, tuple[str, PspObject]] = field(default_factory=dict)
    told: list[PspObject] = field(default_factory=list)
    # References of payments that are authorised first and captured later.
    later: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._lock, self._names = threading.RLock(), count(1)
        self._answers: dict[str, Outcome] = {}

    def taken(self, references: Iterable[str]) -> int:
        """What the provider took and did not give back, in minor units."""
        wanted = set(references)
        took = sum(each.captured_minor for each in self.payments.values() if each.reference in wanted)
        return took - sum(seen.amount_minor for of, seen in self.refunds.values() if of in wanted)

    def pay(self, reference: str) -> None:
        """The bank says yes."""
        self.move(reference, S.AUTHORIZED if reference in self.later else S.CAPTURED)

    def move(self, reference: str, status: PspStatus, *, taken: int | None = None) -> None:
        """The buyer, the bank or time moves a payment; `taken` is what is captured if not everything."""
        with self._lock:
            seen = self.payments[reference]
            taken = (seen.amount_minor if taken is None else taken) if status is S.CAPTURED else 0
            refusal = decline("card_declined") if status is S.DECLINED else None
            url = "https://bank.example/" if status is S.REQUIRES_ACTION else None
            seen = replace(
                seen,
                status=status,
                captured_minor=taken,
                authorized_minor=seen.amount_minor if status is S.AUTHORIZED else taken,
                decline=refusal,
                redirect_url=url,
            )
            self.payments[reference] = seen
            self.told.append(seen)

    @forbids_transaction
    def register(self, *, channel: ChannelData, request: RegisterRequest) -> Outcome:
        def effect() -> Outcome:
            reference = f"pi_{next(self._names)}_{request.nonce}"
            seen = _object(reference, request.amount_minor, request.currency, request.our_reference)
            self.payments[reference] = seen
            if request.capture == "manual":
                self.later.add(reference)
            return of_created(seen)

        return self._do(request.nonce, effect)

    @forbids_transaction
    def confirm(self, *, channel: ChannelData, request: ConfirmRequest) -> Outcome:
        def effect() -> Outcome:
            if self.payments[request.reference].status in (S.REGISTERED, S.DECLINED):
                wanted = TOKENS[request.token.split(":")[0]]
                if wanted is S.CAPTURED:
                    self.pay(request.reference)
                else:
                    self.move(request.reference, wanted)
            return of_confirmed(self.payments[request.reference])

        return self._do(request.nonce, effect)

    @forbids_transaction
    def capture(self, *, channel: ChannelData, request: CaptureRequest) -> Outcome:
        def effect() -> Outcome:
            if self.payments[request.reference].status is S.AUTHORIZED:
                self.move(request.reference, S.CAPTURED, taken=request.amount_minor)
            return of_captured(self.payments[request.reference])

        return self._do(request.nonce, effect)

    @forbids_transaction
    def query(self, *, channel: ChannelData, reference: str) -> Outcome:
        return self._do("", lambda: of_state(self.payments[reference]))

    @forbids_transaction
    def cancel(self, *, channel: ChannelData, request: CancelRequest) -> Outcome:
        def effect() -> Outcome:
            if self.payments[request.reference].status in (*_OPEN, S.AUTHORIZED):
                self.move(request.reference, S.CANCELED)
            return of_closed(self.payments[request.reference])

        return self._do(request.nonce, effect)

    @forbids_transaction
    def refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        def effect() -> Outcome:
            if self.taken([request.reference]) < request.amount_minor:
                return Outcome(OutcomeKind.DECLINED, error="nothing left to give back")
            seen = _object(
                f"re_{request.nonce}", request.amount_minor, request.currency, request.our_reference
            )
            seen = replace(seen, status=S.REFUNDED)
            self.refunds[request.our_reference] = request.reference, seen
            return of_refund(seen)

        return self._do(request.nonce, effect)

    @forbids_transaction
    def find_refund(self, *, channel: ChannelData, request: RefundRequest) -> Outcome:
        def look() -> Outcome:
            found = self.refunds.get(request.our_reference)
            return of_refund(found[1]) if found else Outcome(OutcomeKind.UNKNOWN, error="not found")

        return self._do("", look)

    @forbids_transaction
    def create_customer(self, *, channel: ChannelData, request: CustomerRequest) -> Outcome:
        return self._do(request.nonce, lambda: of_created(_object(f"cus_{request.nonce}", 0, "", "")))

    @forbids_transaction
    def attach(self, *, channel: ChannelData, request: AttachRequest) -> Outcome:
        kept = f"{request.token}:{request.customer_reference}"
        return self._do(request.nonce, lambda: of_created(_object(kept, 0, "", "")))

    @forbids_transaction
    def detach(self, *, channel: ChannelData, request: DetachRequest) -> Outcome:
        raise NotImplementedError("nobody keeps a method here")

    def read_event(self, *, payload: Mapping[str, Any]) -> PspObject | None:
        seen: PspObject = payload["seen"]
        return seen

    def _do(self, nonce: str, effect: Callable[[], Outcome]) -> Outcome:
        """One call in the mood that is next; the same nonce has one effect and one answer."""
        with self._lock:
            mood = self.moods.pop(0) if self.moods else "ok"
            if mood == "refused":
                return Outcome(OutcomeKind.NOT_SENT, error="refused")
            if mood == "dropped":
                return Outcome(OutcomeKind.UNKNOWN, error="silence")
            answer = self._answers.get(nonce) or effect()
            if nonce:
                self._answers[nonce] = answer
            return Outcome(OutcomeKind.UNKNOWN, error="silence") if mood == "lost" else answer


def _object(reference: str, amount_minor: int, currency: str, our_reference: str) -> PspObject:
    return PspObject(
        reference=reference,
        status=S.REGISTERED,
        amount_minor=amount_minor,
        currency=currency,
        our_reference=our_reference,
        authorized_minor=0,
        captured_minor=0,
        redirect_url=None,
        decline=None,
        charge_reference="",
    )
