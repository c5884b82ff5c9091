"""A provider of payouts on paper: in this process, with a journal of who was paid, faulty on demand."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from channels.types import ChannelData
from payouts.providers.contract import (
    BatchKind,
    BatchOrder,
    BatchOutcome,
    Instruction,
    Message,
    News,
    NewsKind,
    PayoutFailure,
)

__all__ = ["NAME", "Paper"]

NAME = "paper"
BROKEN = PayoutFailure("account_closed", "The account is closed.", "AC04", is_of_destination=True)


class Paper:
    """Pays each reference once. `script` says how the next calls end: one word for each."""

    name, rail, max_batch = NAME, "paper", 4
    kinds = frozenset(["iban"])
    currencies: frozenset[str] | None = None
    proves_absence = True

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.script: list[str] = []
        self.payments: dict[str, Instruction] = {}
        self.paid: Counter[str] = Counter()
        self.refused: dict[str, PayoutFailure] = {}
        self.states: dict[str, NewsKind] = {}
        self.orders: list[BatchOrder] = []
        self.asked = 0
        self.during: Callable[[], None] | None = None
        # What it says of amounts, where it lies.
        self.says: dict[str, Any] = {}

    def message(self, channel: ChannelData, order: BatchOrder) -> Message | None:
        """One line for each payout."""
        lines = [f"{each.reference} {each.amount_minor} {each.currency}" for each in order.instructions]
        text = "\n".join([order.reference, str(order.created_at), *lines])
        return Message(f"{order.reference}.txt", text.encode())

    def submit(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Pay everybody in it, unless the script says otherwise."""
        if self.during:
            during, self.during = self.during, None
            during()
        how = self.script.pop(0) if self.script else "pay"
        if how == "not_sent":
            return BatchOutcome(BatchKind.NOT_SENT, error="no line")
        if how == "lost":
            return BatchOutcome(BatchKind.UNKNOWN, error="timed out before it arrived")
        if how == "refuse":
            return BatchOutcome(BatchKind.REFUSED, failure=PayoutFailure("payout_refused", "No.", "FF01"))
        if how == "raise":
            raise RuntimeError("a mistake of ours")
        with self.lock:
            self.orders.append(order)
            for each in order.instructions:
                self._pay(each)
        if how == "timeout":
            return BatchOutcome(BatchKind.UNKNOWN, error="timed out")
        return BatchOutcome(BatchKind.TAKEN, self._news(order))

    def ask(self, channel: ChannelData, order: BatchOrder) -> BatchOutcome:
        """Say what is known of it."""
        self.asked += 1
        how = self.script.pop(0) if self.script else "tell"
        if how == "silent":
            return BatchOutcome(BatchKind.NOT_SENT, error="nobody answers")
        known = [each for each in order.instructions if each.reference in self.states]
        if not known:
            return BatchOutcome(BatchKind.ABSENT)
        return BatchOutcome(BatchKind.TAKEN, self._news(order))

    def read(self, channel: ChannelData, payload: Mapping[str, Any]) -> tuple[News, ...]:
        """A callback is a piece of news as it is."""
        return (News(payload["reference"], NewsKind(payload["kind"]), amount_minor=payload.get("amount")),)

    def settle(self, kind: NewsKind = NewsKind.PAID) -> None:
        """Let time pass at the bank: what was accepted is paid, or what was paid comes back."""
        for reference, state in self.states.items():
            if state is not NewsKind.REFUSED:
                self.states[reference] = kind

    def _pay(self, instruction: Instruction) -> None:
        reference = instruction.reference
        if reference in self.states:
            return  # The same reference pays nobody twice.
        if instruction.payout_id in self.refused or reference in self.refused:
            self.states[reference] = NewsKind.REFUSED
            return
        self.payments[reference] = instruction
        self.paid[instruction.payout_id] += 1
        self.states[reference] = NewsKind.ACCEPTED

    def _news(self, order: BatchOrder) -> tuple[News, ...]:
        return tuple(
            News(
                reference=each.reference,
                kind=self.states[each.reference],
                provider_reference=f"ref-{each.reference}",
                amount_minor=self.says.get("amount_minor", each.amount_minor),
                currency=self.says.get("currency", each.currency),
                failure=BROKEN if self.states[each.reference] is not NewsKind.ACCEPTED else None,
            )
            for each in order.instructions
            if each.reference in self.states
        )
