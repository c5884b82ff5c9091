"""What books and wallets must do, as dictionaries: no database, no SQL, nothing of the product."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.stateful.calls import Advance, Answer, Call, Entry, Post, ReadBooks, ReadWallet
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
    """The state after some calls; `after` leaves it alone and makes the next one."""

    def __init__(
        self, entries: dict[str, Entry] | None = None, balances: Counter[Account] | None = None
    ) -> None:
        self.entries = entries or {}
        self.balances = balances or Counter()

    def after(self, call: Call) -> tuple[Outcome, "Model"]:
        """The answer to a call, and the state after it."""
        match call:
            case Post():
                return self._post(call)
            case ReadWallet():
                return Outcome(value=self.wallet(call.owner, call.currency)), self
            case ReadBooks():
                return Outcome(value=self.books()), self
            case Advance():
                return Outcome(), self
        raise AssertionError(call)

    def books(self) -> dict[Account, int]:
        """The balances that are not zero: debits less credits."""
        return {account: minor for account, minor in self.balances.items() if minor}

    def wallet(self, owner: str, currency: str) -> tuple[int, int, int, int]:
        """Pending, available, held and owed."""
        buckets: Counter[str] = Counter()
        for account, minor in self.balances.items():
            if account.guarded and (account.owner, account.currency) == (owner, currency):
                buckets[BUCKETS[account.role]] += account.sign * minor
        return buckets["pending"], buckets["available"], buckets["held"], buckets["receivable"]

    def state(self) -> object:
        """Equal for equal states, so that a search need not visit one twice."""
        return frozenset(self.entries.items()), frozenset(self.books().items())

    def _post(self, call: Post) -> tuple[Outcome, "Model"]:
        refusals = set()
        lines = [line for entry in call.entries for line in entry.lines]
        if call.door == "ledger" and any(line.account.guarded for line in lines):
            refusals.add("account_guarded")
        if call.spoilt:
            refusals.add("entry_unbalanced")
        next_model = Model(dict(self.entries), Counter(self.balances))
        new = [next_model._add(entry, refusals) for entry in call.entries]
        if refusals:
            return Outcome(refusals=frozenset(refusals)), self
        return Outcome(new=tuple(new)), next_model

    def _add(self, entry: Entry, refusals: set[str]) -> bool:
        """Enter one entry and collect what speaks against it; False when it is there already."""
        if entry.key in self.entries:
            if self.entries[entry.key] != entry:
                refusals.add("entry_conflict")
            return False
        self.entries[entry.key] = entry
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
