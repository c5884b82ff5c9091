"""Payouts out and back: which sending a line, or a detail of a collective booking, is."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from payouts.selectors import references_in
from reconciliation.banking.findings import bank_finding
from reconciliation.banking.types import BankEntry, Known, Part, Read, Sending
from reconciliation.breaks import BreakClass

__all__ = ["Sendings"]


class Sendings:
    """Takes lines that are payouts, and says what is wrong with those that cannot be."""

    def __init__(self, known: Known, out: Read) -> None:
        self._known, self._out = known, out
        self._details: dict[int, list[int]] = {}
        # Each sending leaves once and comes back once, also within one statement.
        self._paid, self._returned = dict(known.paid), dict(known.returned)

    def take(self, top: BankEntry, details: Sequence[BankEntry]) -> bool:
        """Take a booking if anything of it is, or looks like, a payout of ours; say whether it was taken."""
        together = self._together(top, details)
        if together is not None:
            self._all_of(top, together)
            return True
        parts = [each for each in details if each.amount_minor] or [top]
        if not any(self._is_ours(each) for each in (top, *parts)):
            return False
        is_sent = top.batch_reference.lower() in self._known.sent_together
        self._details[top.id] = [each.id for each in parts]
        for each in parts:
            self._one(each, top, is_sent=is_sent)
        return True

    def details_of(self, top: BankEntry) -> list[int]:
        """Return the ids of the lines that a booking was taken by."""
        return self._details.get(top.id, [])

    def forget(self, top: BankEntry) -> None:
        """The bank took this booking back: what was in it may be booked again."""
        for done in (self._paid, self._returned):
            for sending_id in [key for key, line_id in done.items() if line_id == top.id]:
                del done[sending_id]

    def _together(self, top: BankEntry, details: Sequence[BankEntry]) -> list[Sending] | None:
        """What was sent together and is booked as one, where the bank does not tell of what is in it."""
        told = [each for each in details if each.amount_minor and self._find(each)]
        if told or self._find(top) or top.amount_minor > 0:
            return None
        for name in (top.batch_reference, *references_in(top.text)):
            sent = self._known.sent_together.get(name.lower())
            if sent:
                return list(sent)
        return None

    def _find(self, entry: BankEntry) -> Sending | None:
        for name in (entry.end_to_end, *references_in(f"{entry.end_to_end} {entry.text}")):
            found = self._known.sendings.get(name.lower())
            if found is not None:
                return found
        return None

    def _is_ours(self, entry: BankEntry) -> bool:
        said = f"{entry.end_to_end} {entry.batch_reference} {entry.text}"
        return self._find(entry) is not None or bool(references_in(said))

    def _one(self, entry: BankEntry, top: BankEntry, *, is_sent: bool) -> None:
        sending = self._find(entry)
        if sending is None:
            self._nobody(entry, is_sent=is_sent)
        elif entry.amount_minor < 0:
            self._out_of(entry, top, sending)
        else:
            self._back(entry, top, sending)

    def _nobody(self, entry: BankEntry, *, is_sent: bool) -> None:
        """It has the form of our references, or is in a batch of ours, and we never sent it (F-F11)."""
        said = references_in(f"{entry.end_to_end} {entry.batch_reference} {entry.text}")
        step = {"step": "reference", "looked_for": entry.end_to_end or ", ".join(said[:3]), "found": 0}
        if entry.amount_minor > 0 or not (said or is_sent):
            kind = "bank_credit" if entry.amount_minor > 0 else "bank_debit"
            finding = bank_finding(BreakClass.MISSING_INTERNAL, entry, kind, [step])
        else:
            finding = bank_finding(
                BreakClass.MISSING_INTERNAL,
                entry,
                "unknown_payout",
                [step, {"step": "unknown_payout", "says": "We never sent it."}],
                extra=": a payout that we never sent",
            )
            self._out.strangers.append(finding)
        self._out.findings.append(finding)

    def _out_of(self, entry: BankEntry, top: BankEntry, sending: Sending) -> None:
        if self._contradicts(entry, sending, "bank_payout", self._paid):
            return
        self._paid[sending.id] = top.id
        more = -entry.amount_minor - sending.amount_minor
        rule = self._rule(entry, sending, "bank_payout", off=more, is_fee=0 < more <= self._known.tolerance)
        self._add(entry.id, "sending", sending, str(sending.payout_id), -sending.amount_minor, -more, rule)

    def _back(self, entry: BankEntry, top: BankEntry, sending: Sending) -> None:
        """It comes back, even weeks later (F-F3): under the reference that it had."""
        if self._contradicts(entry, sending, "bank_return", self._returned):
            return
        self._returned[sending.id] = top.id
        less = sending.amount_minor - entry.amount_minor
        rule = self._rule(entry, sending, "bank_return", off=less, is_fee=0 < less <= self._known.tolerance)
        self._add(entry.id, "sending_return", sending, sending.reference, sending.amount_minor, -less, rule)

    def _contradicts(self, entry: BankEntry, sending: Sending, kind: str, done: Mapping[UUID, int]) -> bool:
        it_is = None
        if sending.currency != entry.currency:
            it_is = BreakClass.CURRENCY_MISMATCH
        elif sending.state == "none":
            it_is = BreakClass.STATUS_MISMATCH
        elif sending.id in done:
            it_is = BreakClass.DUPLICATE_EXTERNAL
        if it_is is None:
            return False
        finding = bank_finding(it_is, entry, kind, [_against(sending)], sending=sending)
        self._out.findings.append(finding)
        if it_is is BreakClass.STATUS_MISMATCH and entry.amount_minor < 0:
            self._out.contradicted[finding.key] = sending.payout_id
        return True

    def _rule(self, entry: BankEntry, sending: Sending, kind: str, *, off: int, is_fee: bool) -> str:
        if not off:
            return "reference"
        if is_fee:
            return "reference_fee"
        step = _against(sending)
        self._out.findings.append(
            bank_finding(
                BreakClass.AMOUNT_MISMATCH, entry, kind, [step], sending=sending, amount_minor=abs(off)
            )
        )
        return "reference_despite_amount"

    def _add(
        self,
        line_id: int,
        subject: str,
        sending: Sending,
        key: str,
        minor: int,
        difference: int,
        rule: str,
        *,
        group: str = "",
        number: int = 0,
    ) -> None:
        self._out.parts.append(
            Part(line_id, subject, sending.id, key, minor, difference, rule, group, line_part=number)
        )

    def _all_of(self, top: BankEntry, sent: Sequence[Sending]) -> None:
        """One booking for what was sent together: the total must be that of what may have been paid."""
        due = sorted(
            (
                each
                for each in sent
                if each.state != "none" and each.id not in self._paid and each.currency == top.currency
            ),
            key=lambda each: each.reference,
        )
        total = sum(each.amount_minor for each in due)
        more = -top.amount_minor - total
        if not due or not (more == 0 or 0 < more <= self._known.tolerance):
            step = {"step": "together", "due_minor": str(total), "payouts": len(due), "sent": len(sent)}
            duplicate = not due and all(each.id in self._paid for each in sent)
            it_is = BreakClass.DUPLICATE_EXTERNAL if duplicate else BreakClass.BATCH_TOTAL_MISMATCH
            self._out.findings.append(bank_finding(it_is, top, "bank_payout", [step], amount_minor=abs(more)))
            return
        group = f"payouts:{top.batch_reference or top.id}"[:80]
        for number, each in enumerate(due):
            self._paid[each.id] = top.id
            fee = more if number == 0 else 0
            rule = "together_fee" if fee else "together"
            self._add(
                top.id, "sending", each, str(each.payout_id), -each.amount_minor, -fee, rule,
                group=group, number=number,
            )  # fmt: skip


def _against(sending: Sending) -> dict[str, str]:
    return {
        "step": "payout",
        "reference": sending.reference,
        "amount_minor": str(sending.amount_minor),
        "currency": sending.currency,
        "state": sending.state,
    }
