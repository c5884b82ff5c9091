"""Random histories of the books, step by step beside a model that is a dictionary."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.money import InexactAmount
from ledger.selectors import account_lines, balance_minor, current_place, trial_balance
from ledger.services import advance_checkpoints, advance_fence
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
    day,
    perform,
    post_inside,
)
from tests.stateful.cast import CURRENCIES, PLAIN_ROLES, Account, Cast, plain
from tests.stateful.evidence import audits_are_clean, begin, nothing_changes, rederived, replayed
from tests.stateful.model import Model

__all__ = ["BooksMachine", "LedgerMachine", "amounts"]

# Small ones meet each other; the largest order and one minor unit are always worth a try.
amounts = st.one_of(st.integers(1, 100), st.sampled_from([1, 10**12]))


class BooksMachine(RuleBasedStateMachine):
    """What both machines do: ask product and model the same, and compare everything after every step."""

    def __init__(self) -> None:
        super().__init__()
        self.cast: Cast = begin()
        self.model = Model()
        self.done: list[Call] = []
        self.ids = self.cast.entries
        self.past: dict[tuple[int, int], dict[Account, int]] = {}

    def ask(self, call: Call) -> Answer:
        """Do the call on both sides; the answers agree, the same key has the same id for ever (L8)."""
        outcome, after = self.model.after(call)
        if outcome.refusals:
            with nothing_changes(self.cast):
                answer = self.perform(call)
        else:
            answer = self.perform(call)
        assert outcome.allows(answer), (call, outcome, answer)
        self.model = after
        if isinstance(call, Post):
            self.done.append(call)
            self.remember([entry.key for entry in call.entries], answer)
        if isinstance(call, Correct):
            self.remember([f"correction of {call.key}"], answer)
        return answer

    def remember(self, keys: list[str], answer: Answer) -> None:
        """The ids of posted entries; one key has one id."""
        for key, entry_id in zip(keys, answer.ids, strict=not answer.refused):
            assert self.ids.setdefault(key, entry_id) == entry_id

    def perform(self, call: Call) -> Answer:
        """The product's side."""
        return perform(self.cast, call)

    def key(self) -> str:
        """A key that no entry has."""
        return f"e{len(self.done)}-{len(self.ids)}"

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        """Ask again what was asked before: what was posted stays posted, once."""
        self.ask(data.draw(st.sampled_from(self.done)))

    def posted(self) -> list[Entry]:
        """What is in the books and no correction: those have keys of their own making."""
        return [entry for entry in self.model.entries.values() if not entry.corrects]

    @precondition(lambda self: self.model.entries)
    @rule(data=st.data(), more=st.integers(1, 3))
    def same_key_other_content(self, data: Any, more: int) -> None:
        """L8: the key is taken."""
        entry = data.draw(st.sampled_from(self.posted()))
        lines = tuple(replace(line, minor=line.minor * (more + 1)) for line in entry.lines)
        answer = self.ask(Post((Entry(entry.key, lines),)))
        assert answer.refused == "entry_conflict"

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), reason=st.sampled_from(["typed twice", "wrong seller"]), times=st.integers(1, 2))
    def correct(self, data: Any, reason: str, times: int) -> None:
        """L9: taken back once, exactly; never a correction, never for another reason as well."""
        key = data.draw(st.sampled_from(list(self.model.entries)))
        door = data.draw(st.sampled_from(["ledger", "wallet"]))
        for _ in range(times):
            self.ask(Correct(key, self.model.days[key], reason, door))

    @rule(day=st.integers(0, 4))
    def close(self, day: int) -> None:
        """Days up to one are closed, once."""
        self.ask(Close(day))

    @rule(until=st.integers(-1, 6))
    def read_a_day(self, until: int) -> None:
        """Balances at the end of a day (L13)."""
        self.ask(ReadBooks(until))

    @rule(until=st.integers(-1, 6))
    def read_the_past(self, until: int) -> None:
        """L12: what the books knew at a place of the fence, at the end of a day; asked again at the end."""
        place = current_place()
        self.past[until, place] = self.known(until, place)

    def known(self, until: int, place: int) -> dict[Account, int]:
        """Balances of a day at a place; they are those of the entries that stand up to there."""
        found = trial_balance(
            merchant_id=self.cast.merchant_id, effective_until=day(until), recorded_until=place
        )
        balances = {self.cast.name_of(x.account_id): x.balance_minor for x in found if x.balance_minor}
        keys = [key for key, entry_id in self.ids.items() if entry_id <= place]
        assert balances == self.model.books(until=until, keys=keys)
        return balances

    @rule()
    def advance(self) -> None:
        """Fence and checkpoints together: no balance changes."""
        self.ask(Advance())

    @rule()
    def step_the_fence(self) -> None:
        """Alone; it never goes back."""
        before = advance_fence()
        assert advance_fence() >= before

    @rule()
    def fold(self) -> None:
        """The checkpoints alone, to where the fence was left; again, there is nothing to do."""
        advance_checkpoints()
        assert advance_checkpoints() == 0

    @invariant()
    def balances_are_the_models(self) -> None:
        """Every account, and every bucket of every wallet (L1 to L5 as the services show them)."""
        self.ask(ReadBooks())
        for owner, currency in self.cast.wallets:
            self.ask(ReadWallet(owner, currency))

    @invariant()
    def no_audit_finds_anything(self) -> None:
        """L1 to L9 and W1 to W5, as the registered queries state them."""
        audits_are_clean()

    def teardown(self) -> None:
        """L3, L14: everything stored follows from the lines, and the lines alone make it again."""
        for (until, place), balances in self.past.items():
            assert self.known(until, place) == balances
        said, stored = rederived(self.cast)
        assert said == stored
        assert said.accounts == self.model.books()
        copy = replayed(self.cast)
        again, stored_again = rederived(copy)
        assert (again, again.operations) == (stored_again, stored.operations)
        assert (again.accounts, again.buckets) == (said.accounts, said.buckets)
        audits_are_clean(everything=True)


class LedgerMachine(BooksMachine):
    """Accounts of the marketplace in four currencies; one seller's wallet is there to be refused."""

    @initialize()
    def open_a_wallet(self) -> None:
        """Its accounts are guarded."""
        self.cast.open_wallet("ann", "seller", "EUR")
        self.open("commission", "EUR")
        self.open("tax_payable", "EUR")

    def open(self, role: str, currency: str) -> None:
        """Open and find."""
        account = plain(role, currency)
        known = self.cast.ids.get(account)
        found = self.cast.open_plain(role, currency)
        assert known in (None, found)

    def accounts(self, currency: str) -> list[Account]:
        """The marketplace's accounts that are open."""
        return [each for each in self.cast.ids if not each.guarded and each.currency == currency]

    def draw_entry(self, data: Any, key: str) -> Entry:
        """A balanced entry over two to five lines, sometimes in two currencies."""
        open_in = [currency for currency in CURRENCIES if len(self.accounts(currency)) >= 2]
        lines: list[Line] = []
        for currency in data.draw(st.lists(st.sampled_from(open_in), min_size=1, max_size=2, unique=True)):
            parts = data.draw(
                st.lists(
                    st.tuples(st.sampled_from(self.accounts(currency)), amounts, st.sampled_from([1, -1])),
                    min_size=1,
                    max_size=4,
                )
            )
            own = [Line(account, minor * side) for account, minor, side in parts]
            rest = -sum(line.minor for line in own)
            if rest:
                own.append(Line(data.draw(st.sampled_from(self.accounts(currency))), rest))
            lines += own
        return Entry(key, tuple(lines), day=data.draw(self.open_days()))

    def open_days(self) -> st.SearchStrategy[int]:
        """A day that is not closed."""
        return st.integers(self.model.closed + 1, self.model.closed + 3)

    @rule(role=st.sampled_from(PLAIN_ROLES), currency=st.sampled_from(CURRENCIES))
    def open_account(self, role: str, currency: str) -> None:
        """The first time and again."""
        self.open(role, currency)

    @rule(
        data=st.data(),
        size=st.integers(1, 4),
        twice=st.booleans(),
        door=st.sampled_from(["ledger", "wallet"]),
    )
    def post(self, data: Any, size: int, twice: bool, door: str) -> None:
        """A batch; sometimes one of its entries stands in it twice."""
        entries = [self.draw_entry(data, f"{self.key()}-{number}") for number in range(size)]
        if twice:
            entries.append(data.draw(st.sampled_from(entries)))
        answer = self.ask(Post(tuple(entries), door=door))
        assert sum(answer.new) == size

    @precondition(lambda self: self.model.closed >= 0)
    @rule(data=st.data(), before=st.integers(0, 2), lands=st.booleans())
    def post_into_a_closed_day(self, data: Any, before: int, lands: bool) -> None:
        """Refused, or on the next open day and with its own date; nothing that is closed changes."""
        entry = replace(self.draw_entry(data, self.key()), day=self.model.closed - before)
        answer = self.ask(Post((entry,), door="ledger", land=lands))
        assert answer.refused == ("" if lands else "period_closed")

    @rule(data=st.data(), size=st.integers(1, 3), more=st.booleans())
    def post_a_group(self, data: Any, size: int, more: bool) -> None:
        """L11: whole, and none joins later; a part of it again is what is there."""
        group = self.key()
        *entries, late = [
            replace(self.draw_entry(data, f"{group}-{number}"), group=group) for number in range(size + 1)
        ]
        assert self.ask(Post(tuple(entries), door="ledger")).new == (True,) * size
        assert self.ask(Post(tuple(entries[:1]), door="ledger")).new == (False,)
        beside = tuple(entries) if more else ()
        assert self.ask(Post((*beside, late), door="ledger")).refused == "group_not_whole"

    @precondition(lambda self: self.model.entries)
    @rule(data=st.data())
    def post_beside_an_old_one(self, data: Any) -> None:
        """Only what is new is entered."""
        old = data.draw(st.sampled_from(self.posted()))
        entries = data.draw(st.permutations([old, self.draw_entry(data, self.key())]))
        assert self.ask(Post(tuple(entries), door="ledger")).new.count(True) == 1

    @rule(data=st.data())
    def one_key_two_contents_in_a_batch(self, data: Any) -> None:
        """L8 inside one batch."""
        entry = self.draw_entry(data, self.key())
        other = Entry(entry.key, tuple(replace(line, minor=-line.minor) for line in entry.lines))
        assert self.ask(Post((entry, other), door="ledger")).refused == "entry_conflict"

    @rule(data=st.data(), by=st.sampled_from([1, -1, 10**12]), good=st.booleans())
    def unbalanced(self, data: Any, by: int, good: bool) -> None:
        """L1; a good entry beside it is not posted either (L10)."""
        entry = self.draw_entry(data, self.key())
        first = entry.lines[0]
        wrong = replace(entry, lines=(replace(first, minor=first.minor + by), *entry.lines[1:]))
        beside = (self.draw_entry(data, f"{self.key()}-good"),) if good else ()
        assert self.ask(Post((*beside, wrong), door="ledger")).refused

    @rule(data=st.data(), currency=st.sampled_from(["USD", *CURRENCIES]))
    def wrong_currency(self, data: Any, currency: str) -> None:
        """L5: balanced, but not in the currency of its accounts."""
        entry = self.draw_entry(data, self.key())
        first = entry.lines[0].account.currency
        if currency == first:
            return
        lines = tuple(
            replace(line, currency=currency) if line.unit == first else line for line in entry.lines
        )
        assert self.ask(Post((replace(entry, lines=lines),), door="ledger")).refused

    @rule(data=st.data(), kind=st.sampled_from([float, Decimal, str, bool]))
    def not_a_whole_number(self, data: Any, kind: type) -> None:
        """L5: minor units are whole; whatever is not an integer is refused, also when its value is whole."""
        entry = self.draw_entry(data, self.key())
        lines = tuple(replace(line, minor=kind(line.minor)) for line in entry.lines)
        with nothing_changes(self.cast), pytest.raises(InexactAmount):
            perform(self.cast, Post((replace(entry, lines=lines),), door="ledger"))

    @rule(minor=amounts, role=st.sampled_from(["seller_available", "seller_pending", "seller_receivable"]))
    def guarded(self, minor: int, role: str) -> None:
        """The ledger's own door does not move a wallet."""
        lines = (Line(Account("ann", role, "EUR"), -minor), Line(plain("commission", "EUR"), minor))
        assert self.ask(Post((Entry(self.key(), lines),), door="ledger")).refused == "account_guarded"

    @rule(data=st.data())
    def lose(self, data: Any) -> None:
        """A transaction that posts and then fails leaves nothing, and its key stays free."""
        entry = self.draw_entry(data, self.key())
        with nothing_changes(self.cast):
            try:
                with transaction.atomic():
                    post_inside(self.cast, Post((entry,), door="ledger"))
                    raise ZeroDivisionError
            except ZeroDivisionError:
                pass
        if data.draw(st.booleans()):
            assert self.ask(Post((entry,), door="ledger")).new == (True,)

    @rule(data=st.data())
    def read_a_statement(self, data: Any) -> None:
        """The lines of an account, page by page, add up to its balance."""
        account = data.draw(st.sampled_from(sorted(self.cast.ids)))
        page, seen, total = data.draw(st.integers(1, 5)), 0, 0
        while lines := account_lines(account_id=self.cast.ids[account], after_line=seen, limit=page):
            total += sum(line.amount_minor for line in lines)
            seen = lines[-1].id
        assert total == self.model.balances[account] == balance_minor(account_id=self.cast.ids[account])
