"""Random histories of wallets: money comes, is released, is held, goes; never more than there is."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from tests.stateful.calls import Entry, Line, Post
from tests.stateful.cast import CURRENCIES, Account, plain
from tests.stateful.ledger_machine import BooksMachine, amounts

__all__ = ["WalletMachine"]

OWNERS = {"ann": "seller", "bob": "seller", "cyd": "buyer"}
PREFIX = {"seller": "seller", "buyer": "wallet"}


class WalletMachine(BooksMachine):
    """Two sellers and a buyer, with wallets in up to four currencies."""

    @initialize(currency=st.sampled_from(CURRENCIES))
    def one_wallet(self, currency: str) -> None:
        """Something to begin with."""
        self.open_wallet("ann", currency)

    @rule(owner=st.sampled_from(sorted(OWNERS)), currency=st.sampled_from(CURRENCIES))
    def open_wallet(self, owner: str, currency: str) -> None:
        """The first time and again: the same wallet, and empty."""
        known = self.cast.wallets.get((owner, currency))
        assert known in (None, self.cast.open_wallet(owner, OWNERS[owner], currency))
        self.cast.open_plain("psp_clearing", currency)
        self.cast.open_plain("commission", currency)

    def account(self, owner: str, currency: str, bucket: str) -> Account:
        """The account of a wallet by its short name."""
        return Account(owner, f"{PREFIX[OWNERS[owner]]}_{bucket}", currency)

    def draw_wallet(self, data: Any) -> tuple[str, str]:
        """One that is open."""
        return data.draw(st.sampled_from(sorted(self.cast.wallets)))

    def move(self, debit: Account, credit: Account, minor: int) -> Entry:
        """One entry under a new key."""
        return Entry(self.key(), (Line(debit, minor), Line(credit, -minor)), day=self.model.closed + 1)

    @rule(data=st.data(), minor=amounts, commission=st.integers(0, 20))
    def earn(self, data: Any, minor: int, commission: int) -> None:
        """A payment was captured: pending grows, the marketplace keeps its part."""
        owner, currency = self.draw_wallet(data)
        lines = [
            Line(plain("psp_clearing", currency), minor + commission),
            Line(self.account(owner, currency, "pending"), -minor),
        ]
        if commission:
            lines.append(Line(plain("commission", currency), -commission))
        assert self.ask(Post((Entry(self.key(), tuple(lines), day=self.model.closed + 1),))).new == (True,)

    @rule(data=st.data(), part=st.integers(1, 100))
    def release(self, data: Any, part: int) -> None:
        """Pending becomes available, all of it or a part."""
        owner, currency = self.draw_wallet(data)
        pending = self.model.wallet(owner, currency)[0]
        if not pending:
            return
        accounts = [self.account(owner, currency, name) for name in ("pending", "available")]
        assert self.ask(Post((self.move(*accounts, max(1, pending * part // 100)),))).new == (True,)

    @rule(data=st.data(), part=st.integers(1, 100))
    def spend(self, data: Any, part: int) -> None:
        """What is available goes out, at most all of it."""
        owner, currency = self.draw_wallet(data)
        available = self.model.wallet(owner, currency)[1]
        if not available:
            return
        entry = self.move(
            self.account(owner, currency, "available"),
            plain("psp_clearing", currency),
            max(1, available * part // 100),
        )
        assert self.ask(Post((entry,))).new == (True,)

    @rule(
        data=st.data(), over=st.one_of(st.just(1), amounts), bucket=st.sampled_from(["pending", "available"])
    )
    def overspend(self, data: Any, over: int, bucket: str) -> None:
        """W5, L4: one minor unit more than there is is refused."""
        owner, currency = self.draw_wallet(data)
        there = self.model.wallet(owner, currency)[("pending", "available").index(bucket)]
        entry = self.move(
            self.account(owner, currency, bucket), plain("psp_clearing", currency), there + over
        )
        assert self.ask(Post((entry,))).refused == "insufficient_funds"

    @rule(data=st.data(), size=st.integers(1, 5))
    def batch(self, data: Any, size: int) -> None:
        """Any moves between any accounts: all of them or none, also when only the middle is below a floor."""
        entries = []
        for number in range(size):
            _, currency = self.draw_wallet(data)
            accounts = st.sampled_from(
                [
                    plain("psp_clearing", currency),
                    *(each for each in sorted(self.cast.ids) if each.guarded and each.currency == currency),
                ]
            )
            debit, credit = data.draw(st.lists(accounts, min_size=2, max_size=2, unique=True))
            entries.append(
                replace(self.move(debit, credit, data.draw(amounts)), key=f"{self.key()}-{number}")
            )
        self.ask(Post(tuple(entries)))

    @rule(data=st.data(), minor=amounts)
    def owe(self, data: Any, minor: int) -> None:
        """A seller's debt grows with a debit, and never below zero with a credit."""
        owner, currency = self.draw_wallet(data)
        if OWNERS[owner] != "seller":
            return
        receivable, clearing = (
            self.account(owner, currency, "receivable"),
            plain("psp_clearing", currency),
        )
        assert self.ask(Post((self.move(receivable, clearing, minor),))).new == (True,)
        owed = self.model.wallet(owner, currency)[3]
        entry = self.move(clearing, receivable, owed + 1)
        assert self.ask(Post((entry,))).refused == "insufficient_funds"

    @rule(data=st.data(), minor=amounts)
    def line_without_its_wallet(self, data: Any, minor: int) -> None:
        """A wallet moves by what the line says, to the unit."""
        owner, currency = self.draw_wallet(data)
        entry = self.move(plain("psp_clearing", currency), self.account(owner, currency, "available"), minor)
        assert self.ask(Post((entry,), spoilt=True)).refused == "entry_unbalanced"

    @precondition(
        lambda self: any(line.account.guarded for call in self.done for line in call.entries[0].lines)
    )
    @rule(data=st.data())
    def through_the_other_door(self, data: Any) -> None:
        """What moved a wallet once is not posted through the ledger's own door either."""
        calls = [call for call in self.done if any(x.account.guarded for x in call.entries[0].lines)]
        call = data.draw(st.sampled_from(calls))
        assert self.ask(replace(call, door="ledger", spoilt=False)).refused
