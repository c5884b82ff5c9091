"""Random histories of holds, releases and debts, through the services, step by step beside their model."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.stateful.calls import Answer, ReadWallet, perform
from tests.stateful.cast import CURRENCIES
from tests.stateful.evidence import audits_are_clean, begin, nothing_changes
from tests.stateful.hold_model import Cancel, Confirm, Expire, Fund, HoldCall, HoldModel, Owe, Release, Try
from tests.stateful.holds import KINDS, open_purse, stored

__all__ = ["SUBJECTS", "HoldMachine", "purposes"]

# Few, so that a cancel meets its try, and a try another one's subject.
SUBJECTS = ("a", "b", "c")
amounts = st.one_of(st.integers(1, 100), st.just(10**12))


def purposes(owner: str) -> tuple[str, ...]:
    """What is held in the owner's wallet."""
    return ("payout", "dispute", "reserve") if KINDS[owner] == "seller" else ("payment",)


class HoldMachine(RuleBasedStateMachine):
    """Two sellers and three buyers, with cash, bonus and points."""

    def __init__(self) -> None:
        super().__init__()
        self.cast, self.model = begin(), HoldModel()
        self.done: list[HoldCall] = []
        self.debts = 0

    def perform(self, call: HoldCall) -> Answer:
        """The product's side."""
        return perform(self.cast, call)  # type: ignore[arg-type]

    def ask(self, call: HoldCall) -> Answer:
        """Do the call on both sides; the answers agree, and what is refused changes nothing."""
        outcome, after = self.model.after(call)
        if outcome.refusals:
            with nothing_changes(self.cast):
                answer = self.perform(call)
        else:
            answer = self.perform(call)
        assert outcome.allows(answer), (call, outcome, answer)
        self.model = after
        # A debt is made of what is there when it is made, so it is not the same call twice.
        if not isinstance(call, Owe):
            self.done.append(call)
        return answer

    def key(self) -> str:
        """A key that no entry has."""
        return f"k{len(self.model.posted)}-{len(self.done)}"

    def draw_purse(self, data: Any, *, sellers: bool = False) -> tuple[str, str]:
        """A wallet that is open."""
        found = [purse for purse in sorted(self.model.wallets) if not sellers or KINDS[purse[0]] == "seller"]
        return data.draw(st.sampled_from(found))

    @initialize(currency=st.sampled_from(CURRENCIES))
    def one_seller(self, currency: str) -> None:
        """Something to begin with."""
        self.open("ann", currency)

    @rule(owner=st.sampled_from(sorted(KINDS)), currency=st.sampled_from(CURRENCIES))
    def open(self, owner: str, currency: str) -> None:
        """The first time and again."""
        currency = "PTS" if KINDS[owner] == "points" else currency
        open_purse(self.cast, owner, currency)
        self.model.open(owner, currency)

    @rule(data=st.data(), minor=amounts, bucket=st.sampled_from(["pending", "available", "available"]))
    def fund(self, data: Any, minor: int, bucket: str) -> None:
        """S3: what comes in pays the debt first."""
        owner, currency = self.draw_purse(data)
        bucket = "available" if KINDS[owner] in ("bonus", "points") else bucket
        assert self.ask(Fund(owner, currency, bucket, minor, self.key())).new == (True,)

    @rule(data=st.data(), minor=amounts)
    def owe(self, data: Any, minor: int) -> None:
        """R4: from what is there, the rest is owed."""
        owner, currency = self.draw_purse(data, sellers=True)
        self.debts += 1
        self.ask(Owe(owner, currency, minor, f"debt {self.debts}"))

    @rule(data=st.data(), subject=st.sampled_from(SUBJECTS), part=st.integers(1, 101), due=st.booleans())
    def hold(self, data: Any, subject: str, part: int, due: bool) -> None:
        """W1, W5: a part of what is available; with 101 %, one unit too many."""
        owner, currency = self.draw_purse(data)
        there = self.model.wallets[owner, currency]["available"]
        minor = there + 1 if part > 100 else max(1, there * part // 100)
        self.ask(Try(owner, currency, data.draw(st.sampled_from(purposes(owner))), subject, minor, due))

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data(), part=st.integers(1, 120))
    def confirm(self, data: Any, part: int) -> None:
        """W2: all of it, or a part, never more; never after it was given back."""
        key = data.draw(st.sampled_from(sorted(self.model.holds)))
        kept = self.model.holds[key]
        self.ask(Confirm(kept.purse[1], *key, max(1, kept.minor * part // 100)))

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def confirm_whole(self, data: Any) -> None:
        """W2."""
        key = data.draw(st.sampled_from(sorted(self.model.holds)))
        kept = self.model.holds[key]
        self.ask(Confirm(kept.purse[1], *key, max(1, kept.minor)))

    @rule(subject=st.sampled_from(SUBJECTS))
    def confirm_what_may_not_be_there(self, subject: str) -> None:
        """W4."""
        if ("payout", subject) not in self.model.holds:
            assert self.ask(Confirm("EUR", "payout", subject, 1)).refused == "hold_unknown"

    @rule(data=st.data(), subject=st.sampled_from(SUBJECTS))
    def cancel(self, data: Any, subject: str) -> None:
        """W4: before its try it leaves a tombstone; after a confirm it is refused."""
        owner, currency = self.draw_purse(data)
        self.ask(Cancel(owner, currency, data.draw(st.sampled_from(purposes(owner))), subject))

    @rule(data=st.data(), part=st.integers(1, 101), bps=st.sampled_from([0, 1000, 3333]), due=st.booleans())
    def release(self, data: Any, part: int, bps: int, due: bool) -> None:
        """P7: pending becomes available, less a tranche; with 101 %, one unit too many."""
        owner, currency = self.draw_purse(data, sellers=True)
        there = self.model.wallets[owner, currency]["pending"]
        minor = there + 1 if part > 100 else max(1, there * part // 100)
        self.ask(Release(owner, currency, f"release-{self.key()}", minor, bps, due))

    @rule()
    def expire(self) -> None:
        """W3: everything that is due comes back."""
        self.ask(Expire())

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        """Ask again what was asked before."""
        self.ask(data.draw(st.sampled_from(self.done)))

    @rule(data=st.data())
    def read(self, data: Any) -> None:
        """The four buckets."""
        self.ask(ReadWallet(*self.draw_purse(data)))

    @invariant()
    def everything_is_the_models(self) -> None:
        """Wallets and holds, all of them."""
        assert stored(self.cast) == self.model.stored()

    @invariant()
    def no_audit_finds_anything(self) -> None:
        """L1 to L5, W1 to W5, and that a debt is netted."""
        audits_are_clean(by_hand=False)
