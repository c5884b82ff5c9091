"""What a month leaves in the books: worked out from its lines and bookings, by the rules of the books alone.

Debits are positive, amounts minor units. What is here is what files and statements post, and what rules close
by themselves: P4 and F4 for lines, P6 for reserves, R6 for late money, A1 and A10, and P5, O4, O6, B1, B3, A8
and A9 for the bank. Captures, refunds and disputes are booked by their own events; `still_open` takes those
in too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date

from tests.months.bank import Bank, Booking
from tests.months.events import (
    Capture,
    Chargeback,
    ChargebackReversal,
    Decline,
    Event,
    Payout,
    Refund,
    RefundFailure,
)
from tests.months.lines import Line
from tests.months.plants import Plant

__all__ = ["NOT_OURS", "Books", "Open"]

# Planted lines that are of no movement of ours, or of none for certain: they wait under a key of their own.
NOT_OURS = frozenset(
    [
        "missing_internal", "currency", "duplicate", "duplicate_next_file", "reference_collision",
        "damaged_reference", "unknown_chargeback", "unknown_type",
    ]
)  # fmt: skip
_PROVIDERS_OWN = ("fee", "network_cost")
_RESERVES = ("reserve_hold", "reserve_release")
_DISPUTES = ("dispute", "second_dispute", "dispute_reversal")

_Moved = Capture | Refund | RefundFailure | Chargeback | ChargebackReversal
# What psp_clearing holds: by currency, and the payment, or the line that is of no payment of ours.
Open = dict[tuple[str, str], int]


class Books:
    """The books of a month, from one pass over its lines and one over its bank.

    `balances` is by role and currency, `clearing` is psp_clearing in its parts; what is zero stays in them.
    """

    def __init__(self, currency: str, plants: list[Plant], lines: Iterable[Line]) -> None:
        self._currency, self._plants = currency, plants
        self.balances: dict[tuple[str, str], int] = defaultdict(int)
        self.clearing: Open = defaultdict(int)
        self._captured: set[str] = set()
        for line in lines:
            self._line(line)
        for (kept_in, _), minor in self.clearing.items():
            self._move("psp_clearing", minor, kept_in)

    def add_bank(self, bank: Bank, days: Iterable[int]) -> None:
        """Add what the bank's statements of these days post."""
        opening = next(bank.statements()).opening_minor
        self._move("bank", opening)
        self._move("opening", -opening)
        for day in days:
            deposits, again = bank.credits.get(day, ()), bank.again.get(day, ())
            for booking in deposits:
                self._banked("psp_settlement_in_transit", booking.amount_minor)
            for booking in again:
                self._suspended(booking.amount_minor)
            known = {each.reference for each in (*deposits, *again)}
            for booking in bank.bookings(day):
                if booking.reference not in known:
                    self._booking(booking, bank)

    def still_open(self, events: Iterable[Event], first_batch: date) -> Open:
        """Return what psp_clearing holds once our own bookings are in it too: only what differs, or is due.

        What was in a file of an earlier month is left out; a late capture of then may be in this one's.
        """
        found: Open = defaultdict(int, self.clearing)
        for key, minor, event in _booked(events, self._currency):
            is_late = isinstance(event, Capture) and key[1] in self._captured
            if event.expected_on >= first_batch or is_late:
                found[key] += minor
        return {key: minor for key, minor in found.items() if minor}

    def _move(self, role: str, minor: int, currency: str = "") -> None:
        self.balances[role, currency or self._currency] += minor

    def _line(self, line: Line) -> None:
        """P4: what the provider pays is in transit; its fee is a cost; what it is for is cleared."""
        kind = self._plants[line.plant].kind.name if line.plant >= 0 else ""
        payment = line.refs.intent or line.refs.charge
        self._move("psp_settlement_in_transit", line.net_minor)
        if line.kind in _PROVIDERS_OWN:
            self._move("psp_fee", -line.net_minor)
        elif line.kind in _RESERVES:
            self._move("psp_reserve_held", -line.net_minor)
        elif kind in NOT_OURS:
            self._unknown(line, kind)
        elif kind == "status":
            self._late_money(line, payment)
        elif line.facing_currency != self._currency:
            self._foreign(line, payment)
        elif line.kind in _DISPUTES:
            # What was booked for it has its fee in it (C1).
            self.clearing[self._currency, payment] -= line.net_minor
        else:
            self._move("psp_fee", line.fee.total)
            self.clearing[self._currency, payment] -= line.gross_minor
        if line.kind == "charge" and kind not in NOT_OURS:
            self._captured.add(payment)
        if kind == "amount_one_unit":
            self._rounded(1 if self._plants[line.plant].chance < 0.5 else -1, payment)

    def _unknown(self, line: Line, kind: str) -> None:
        self._move("psp_fee", line.fee.total)
        # Of a reference that is destroyed nothing is left but ours.
        name = line.merchant_reference if kind == "damaged_reference" else line.refs.reference
        key = self._currency, name or line.refs.transaction
        self.clearing[key] -= line.gross_minor
        if kind == "missing_internal":
            # A1: a rule parks it.
            self.clearing[key] += line.gross_minor
            self._move("suspense_receipts", -line.gross_minor)

    def _late_money(self, line: Line, payment: str) -> None:
        """R6: the file is the first to say that it was captured; nobody waits for it, and it goes back."""
        self._move("psp_fee", line.fee.total)
        self._move("refunds_in_transit", -line.gross_minor)
        self.clearing[self._currency, payment] += 0

    def _foreign(self, line: Line, payment: str) -> None:
        """F4: cleared in the currency of the buyer; the fee is one of the settlement's currency."""
        self._move("psp_fee", line.fee.total)
        self._move("fx_position", line.facing_minor, line.facing_currency)
        self._move("fx_position", -line.gross_minor)
        self.clearing[line.facing_currency, payment] -= line.facing_minor

    def _rounded(self, more: int, payment: str) -> None:
        """A10: what the provider reports too much, or too little, by one minor unit."""
        self.clearing[self._currency, payment] += more
        self._move("rounding", -more)

    def _banked(self, role: str, minor: int) -> None:
        """The bank's balance moves, and this role is what it is for."""
        self._move("bank", minor)
        self._move(role, -minor)

    def _suspended(self, minor: int) -> None:
        """A8, A9: nobody knows it."""
        self._banked("suspense_receipts" if minor > 0 else "suspense_payments", minor)

    def _booking(self, booking: Booking, bank: Bank) -> None:
        plant = self._plants[booking.plant] if booking.plant >= 0 else None
        sub_family, minor = booking.code[2], booking.amount_minor
        if sub_family == "CHRG":
            self._banked("bank_fee", minor)
        elif sub_family == "RRTN":
            self._banked("payout_returns", minor)
        elif plant is not None and (plant.kind.on == "bank" or booking.reference.startswith("D2")):
            self._suspended(minor)
        else:
            # O4: no more than was sent; what the bank took beyond that is nobody's.
            more = max(0, -minor - bank.payout(plant).amount_minor) if plant is not None else 0
            self._banked("payouts_in_transit", minor + more)
            if more:
                self._suspended(-more)


def _booked(events: Iterable[Event], currency: str) -> Iterator[tuple[tuple[str, str], int, _Moved]]:
    """Yield what our events book in psp_clearing: a dispute with its fee, where both are in one currency."""
    for event in events:
        if isinstance(event, Decline | Payout):
            continue
        comes_in = isinstance(event, Capture | RefundFailure | ChargebackReversal)
        minor = event.amount_minor if comes_in else -event.amount_minor
        if isinstance(event, Chargeback) and event.currency == currency:
            minor -= event.fee_minor
        payment = event.reference if isinstance(event, Capture) else event.payment
        yield (event.currency, payment.replace("ch_", "pi_")), minor, event
