"""What each line of a statement is: pure rules, no database.

In order: what the bank takes back, payouts out and back by their references, deposits that name their batch,
what the bank takes for itself, deposits by amount; everything else is unknown and waits in suspense. Lines
are looked at in the order of the statement, and the same lines give the same answer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from reconciliation.banking.deposits import settle
from reconciliation.banking.findings import bank_finding
from reconciliation.banking.sendings import Sendings
from reconciliation.banking.types import BankEntry, Known, Named, Part, Read, line_subject
from reconciliation.breaks import BreakClass

__all__ = ["by_booking", "recognise"]


def recognise(entries: Iterable[BankEntry], known: Known) -> Read:
    """Say of every line what it is. Raises nothing: what cannot be said is a finding."""
    return _Reading(known).run(by_booking(entries))


def by_booking(entries: Iterable[BankEntry]) -> list[tuple[BankEntry, list[BankEntry]]]:
    """Return what moved the balance, in its order, each with the details that the bank tells of it."""
    lines = sorted(entries, key=lambda each: each.line_no)
    inside: dict[int, list[BankEntry]] = defaultdict(list)
    for each in lines:
        if each.parent is not None:
            inside[each.parent].append(each)
    return [(each, inside[each.line_no]) for each in lines if each.parent is None]


class _Reading:
    def __init__(self, known: Known) -> None:
        self._known, self._out = known, Read()
        self._sendings = Sendings(known, self._out)
        self._named: list[Named] = []
        self._rest: list[BankEntry] = []
        self._before: list[BankEntry] = list(known.earlier)

    def run(self, bookings: Sequence[tuple[BankEntry, list[BankEntry]]]) -> Read:
        for top, details in bookings:
            self._one(top, details)
            self._before.append(top)
        self._by_amount()
        settle(self._named, self._known, self._out)
        for top in self._rest:
            kind = "bank_credit" if top.amount_minor > 0 else "bank_debit"
            steps = [{"step": "references", "found": 0}, {"step": "batches", "found": 0}]
            self._out.findings.append(bank_finding(BreakClass.MISSING_INTERNAL, top, kind, steps))
        return self._out

    def _one(self, top: BankEntry, details: list[BankEntry]) -> None:
        if top.quarantine:
            kind = "bank_credit" if top.amount_minor > 0 else "bank_debit"
            step = {"step": "quarantine", "why": top.quarantine}
            says = f" ({top.quarantine})"
            self._out.findings.append(bank_finding(BreakClass.UNKNOWN, top, kind, [step], extra=says))
        elif not top.amount_minor or self._is_taken_back(top) or self._sendings.take(top, details):
            return
        elif batches := self._known.batches.get(top.id):
            self._named.append(Named(top, batches))
        elif _is_charge(top, self._known.charges):
            subject = line_subject(top.id)
            self._out.parts.append(Part(top.id, "bank_fee", subject, "", top.amount_minor, 0, "charge"))
        else:
            self._rest.append(top)

    def _is_taken_back(self, top: BankEntry) -> bool:
        """Whether it takes an earlier line back (F-H18): both are linked, and come to zero together."""
        if not top.is_reversal or top.return_reason:
            return False
        original = self._original(top)
        if original is None:
            return False
        self._forget(original)
        self._out.reversed[original.id] = top.id
        subject, key = line_subject(original.id), f"line:{original.id}"
        for number, (line_id, amount) in enumerate(
            ((original.id, original.amount_minor), (top.id, top.amount_minor))
        ):
            self._out.parts.append(
                Part(
                    line_id, "bank_reversal", subject, key, amount, 0, "reversal", f"reversal:{original.id}",
                    movement_part=number,
                )
            )  # fmt: skip
        return True

    def _original(self, top: BankEntry) -> BankEntry | None:
        """The newest earlier line of the opposite amount that the same name stands for."""
        for name in ("bank_reference", "end_to_end", "batch_reference", "text"):
            said = getattr(top, name)
            for each in reversed(self._before):
                if (
                    said
                    and getattr(each, name) == said
                    and each.amount_minor == -top.amount_minor
                    and each.id not in self._out.reversed
                    and not each.is_reversal
                ):
                    return each
        return None

    def _forget(self, original: BankEntry) -> None:
        """What this statement's line was taken for does not hold: it was taken back."""
        ids = {original.id, *self._sendings.details_of(original)}
        self._sendings.forget(original)
        gone = {each.key for each in self._out.findings if each.line_id in ids}
        self._out.contradicted = {
            key: payout for key, payout in self._out.contradicted.items() if key not in gone
        }
        self._out.parts = [each for each in self._out.parts if each.line_id not in ids]
        self._out.findings = [each for each in self._out.findings if each.line_id not in ids]
        self._out.strangers = [each for each in self._out.strangers if each.line_id not in ids]
        self._named = [each for each in self._named if each.entry.id not in ids]
        self._rest = [each for each in self._rest if each.id not in ids]

    def _by_amount(self) -> None:
        """Deposits that name no batch: by their amount and their payer, where nothing else can be meant."""
        wanted = Counter(top.amount_minor for top in self._rest)
        taken = {batch.key for each in self._named for batch in each.batches}
        left = []
        for top in self._rest:
            fitting = [
                batch
                for batch in self._known.by_amount.get(top.amount_minor, ())
                if batch.key not in taken
                and batch.provider.lower() in f"{top.counterparty} {top.text}".lower()
            ]
            if len(fitting) == 1 and wanted[top.amount_minor] == 1:
                self._named.append(Named(top, (fitting[0],)))
            else:
                left.append(top)
        self._rest = left


def _is_charge(top: BankEntry, codes: frozenset[str]) -> bool:
    """Say whether the bank's code says that it takes something for itself: by the code's last part."""
    return bool(top.code) and top.code.replace("-", "/").split("/")[-1].strip()[-4:].upper() in codes
