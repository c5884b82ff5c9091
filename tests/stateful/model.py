"""What books and wallets must do, as dictionaries: no database, no SQL, nothing of the product."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from tests.stateful.calls import (
    Advance,
    Answer,
    Call,
    Close,
    Correct,
    Entry,
    Line,
    Post,
    ReadBooks,
    ReadWallet,
)
from tests.stateful.cast import BUCKETS, Account

__all__ = ["Model", "Outcome"]

CHECK, FOREIGN_KEY = "23514", "23503"


@dataclass(frozen=True)
class Outcome:
    """What the model answers: one of these refusals, or newness of entries, or what is read."""

    refusals: frozenset[str] = frozenset()
    new: tuple[bool, ...] = ()
    value: Any = None

    def allows(self, answer: Answer) -> bool:
        """May the product have answered so."""
        if self.refusals:
            return answer.refused in self.refusals
        return (answer.refused, answer.new, answer.value) == ("", self.new, self.value)


class Model:
    """The state after some calls; `after` leaves it alone and makes the next one.

    `closed` is the last closed day, and `days` says on which day an entry stands.
    """

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.days: dict[str, int] = {}
        self.balances: Counter[Account] = Counter()
        self.closed = -1

    def after(self, call: Call) -> tuple[Outcome, "Model"]:
        """The answer to a call, and the state after it."""
        match call:
            case Post():
                return self._post(call)
            case Correct():
                return self._correct(call)
            case Close():
                return self._close(call)
            case ReadWallet():
                return Outcome(value=self.wallet(call.owner, call.currency)), self
            case ReadBooks():
                return Outcome(value=self.books(until=call.until)), self
            case Advance():
                return Outcome(), self
        raise AssertionError(call)

    def books(self, *, until: int | None = None, keys: Collection[str] | None = None) -> dict[Account, int]:
        """The balances that are not zero, debits less credits; up to a day, or of some entries only."""
        found = self.balances
        if until is not None or keys is not None:
            found = Counter()
            for key, entry in self.entries.items():
                if (until is None or self.days[key] <= until) and (keys is None or key in keys):
                    for line in entry.lines:
                        found[line.account] += line.minor
        return {account: minor for account, minor in found.items() if minor}

    def wallet(self, owner: str, currency: str) -> tuple[int, int, int, int]:
        """Pending, available, held and owed."""
        buckets: Counter[str] = Counter()
        for account, minor in self.balances.items():
            if account.guarded and (account.owner, account.currency) == (owner, currency):
                buckets[BUCKETS[account.role]] += account.sign * minor
        return buckets["pending"], buckets["available"], buckets["held"], buckets["receivable"]

    def state(self) -> object:
        """Equal for equal states, so that a search need not visit one twice."""
        return frozenset(self.entries.items()), frozenset(self.days.items()), self.closed

    def _copy(self) -> "Model":
        copy = Model()
        copy.entries, copy.days = dict(self.entries), dict(self.days)
        copy.balances, copy.closed = Counter(self.balances), self.closed
        return copy

    def _post(self, call: Post) -> tuple[Outcome, "Model"]:
        refusals = set()
        lines = [line for entry in call.entries for line in entry.lines]
        if call.door == "ledger" and any(line.account.guarded for line in lines):
            refusals.add("account_guarded")
        if call.spoilt:
            refusals.add("entry_unbalanced")
        if any(
            entry.group and entry.key not in self.entries and entry.group in self._groups()
            for entry in call.entries
        ):
            refusals.add("group_not_whole")
        after = self._copy()
        new = [after._add(entry, refusals, land=call.land) for entry in call.entries]
        return self._result(refusals, new, after)

    def _groups(self) -> set[str]:
        return {entry.group for entry in self.entries.values()}

    def _correct(self, call: Correct) -> tuple[Outcome, "Model"]:
        original = self.entries[call.key]
        if original.corrects:
            return Outcome(refusals=frozenset({"correction_refused"})), self
        refusals = set()
        if call.door == "ledger" and any(line.account.guarded for line in original.lines):
            refusals.add("account_guarded")
        lines = tuple(Line(line.account, -line.minor) for line in original.lines)
        entry = Entry(f"correction of {call.key}", lines, day=call.day, corrects=call.key, reason=call.reason)
        after = self._copy()
        new = [after._add(entry, refusals, land=True)]
        if "entry_conflict" in refusals:
            refusals.add("entry_already_corrected")
        elif new[0] and after.days[entry.key] < self.days[call.key]:
            refusals.add("correction_refused")
        return self._result(refusals, new, after)

    def _close(self, call: Close) -> tuple[Outcome, "Model"]:
        if call.day <= self.closed:
            return Outcome(refusals=frozenset({"period_closed"})), self
        after = self._copy()
        after.closed = call.day
        return Outcome(), after

    def _result(self, refusals: set[str], new: list[bool], after: "Model") -> tuple[Outcome, "Model"]:
        if refusals:
            return Outcome(refusals=frozenset(refusals)), self
        return Outcome(new=tuple(new)), after

    def _add(self, entry: Entry, refusals: set[str], *, land: bool) -> bool:
        """Enter one entry and collect what speaks against it; False when it is there already."""
        if entry.key in self.entries:
            if self.entries[entry.key] != entry:
                refusals.add("entry_conflict")
            return False
        self.entries[entry.key] = entry
        self.days[entry.key] = max(entry.day, self.closed + 1) if land else entry.day
        if self.days[entry.key] <= self.closed:
            refusals.add("period_closed")
        sums: Counter[str] = Counter()
        for line in entry.lines:
            sums[line.unit] += line.minor
            if line.unit != line.account.currency:
                refusals.add(FOREIGN_KEY)
        units = Counter(line.unit for line in entry.lines)
        if any(sums.values()) or min(units.values(), default=0) < 2 or not all(x.minor for x in entry.lines):
            refusals.add(CHECK)
        for line in entry.lines:
            self.balances[line.account] += line.minor
            if line.account.guarded and min(self.wallet(line.account.owner, line.account.currency)) < 0:
                refusals.add("insufficient_funds")
        return True
