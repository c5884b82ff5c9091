"""Deposits of providers: lines held against the batches that they name; one for several, several for one."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from reconciliation.banking.findings import bank_finding
from reconciliation.banking.types import BankEntry, Batch, Known, Named, Part, Read, batch_subject
from reconciliation.breaks import BreakClass

__all__ = ["settle"]


def settle(named: Sequence[Named], known: Known, out: Read) -> None:
    """Say what each of these lines pays.

    Lines and batches that hang together are held against each other as a whole. What fits, also but for the
    bank's fee, is paid. A part of what is due waits for the rest, and a batch that no file has reported yet
    for its file: both have their time. More than what is due is a break at once.
    """
    for lines, batches in _together(named):
        if any(each.open_minor is None for each in batches):
            _not_reported(lines, batches, out)
        elif all(not each.open_minor for each in batches):
            _paid_before(lines, batches, out)
        else:
            _reported(lines, batches, known.tolerance, out)


def _together(named: Iterable[Named]) -> list[tuple[list[BankEntry], list[Batch]]]:
    """Lines and batches that are connected, in the order of their first line."""
    groups: list[tuple[list[BankEntry], dict[str, Batch]]] = []
    for entry, batches in named:
        mine = {each.key: each for each in batches}
        touching = [group for group in groups if mine.keys() & group[1].keys()]
        lines = [line for group in touching for line in group[0]]
        for group in touching:
            mine = {**group[1], **mine}
            groups.remove(group)
        groups.append(([*lines, entry], mine))
    found = [
        (sorted(lines, key=lambda each: each.line_no), [batches[key] for key in sorted(batches)])
        for lines, batches in groups
    ]
    return sorted(found, key=lambda each: each[0][0].line_no)


def _reported(lines: list[BankEntry], batches: list[Batch], tolerance: int, out: Read) -> None:
    due = sum(each.open_minor or 0 for each in batches)
    shown = sum(each.amount_minor for each in lines)
    rest = due - shown
    fee = rest if 0 < rest <= tolerance * len(lines) else 0
    is_too_much = not fee and rest * due < 0
    if due * shown < 0:
        # Money goes the wrong way for this: it is none of these batches.
        _suspend(lines, batches, out)
        return
    rule = "batch" if not rest else "batch_fee" if fee else "batch_over" if is_too_much else "batch_part"
    _allot(lines, batches, out, rule=rule, fee=fee)
    if is_too_much:
        _mismatch(lines[-1], batches, due, shown, out)


def _not_reported(lines: list[BankEntry], batches: list[Batch], out: Read) -> None:
    """The bank is faster than the provider's report: the key waits for it."""
    _allot(lines, batches, out, rule="batch_early", fee=0)


def _paid_before(lines: list[BankEntry], batches: list[Batch], out: Read) -> None:
    """The bank has shown all of it: the same again, or something else under its name."""
    names = ", ".join(each.name for each in batches)
    for entry in lines:
        again = any(entry.amount_minor in each.banked for each in batches)
        it_is = BreakClass.DUPLICATE_EXTERNAL if again else BreakClass.BATCH_TOTAL_MISMATCH
        step = {"step": "batch", "batches": names, "due_minor": "0", "shown_before": len(batches[0].banked)}
        out.findings.append(bank_finding(it_is, entry, "bank_deposit", [step]))


def _suspend(lines: Sequence[BankEntry], batches: list[Batch], out: Read) -> None:
    for entry in lines:
        step = {"step": "batch", "batches": ", ".join(each.name for each in batches)}
        out.findings.append(bank_finding(BreakClass.BATCH_TOTAL_MISMATCH, entry, "bank_deposit", [step]))


def _mismatch(entry: BankEntry, batches: list[Batch], due: int, shown: int, out: Read) -> None:
    step = {
        "step": "batch",
        "batches": ", ".join(each.name for each in batches),
        "due_minor": str(due),
        "shown_minor": str(shown),
    }
    key = batches[0].key
    out.findings.append(
        bank_finding(
            BreakClass.BATCH_TOTAL_MISMATCH,
            entry,
            "bank_deposit",
            [step],
            amount_minor=abs(due - shown),
            clearing_key=key,
        )
    )


def _allot(lines: list[BankEntry], batches: list[Batch], out: Read, *, rule: str, fee: int) -> None:
    """Give the lines' money to the batches in order; what is left over is the last one's."""
    numbers: dict[str, int] = defaultdict(int, {each.key: each.parts for each in batches})
    open_minor = {each.key: each.open_minor or 0 for each in batches}
    waiting = list(batches)
    for place, entry in enumerate(lines):
        is_last = place == len(lines) - 1
        left = entry.amount_minor + (fee if is_last else 0)
        number = 0
        while left:
            batch = waiting[0]
            is_whole = len(waiting) == 1 or abs(open_minor[batch.key]) > abs(left)
            minor = left if is_whole else open_minor[batch.key]
            if minor:
                first = is_last and number == 0
                out.parts.append(
                    Part(
                        entry.id, "batch", batch_subject(batch.key), batch.key, minor, -fee if first else 0,
                        rule if first or not fee else "batch", f"batch:{batch.key}",
                        line_part=number, movement_part=numbers[batch.key],
                    )
                )  # fmt: skip
                number, numbers[batch.key] = number + 1, numbers[batch.key] + 1
            left, open_minor[batch.key] = left - minor, open_minor[batch.key] - minor
            if not is_whole:
                waiting.pop(0)
