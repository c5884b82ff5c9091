"""Random histories of one hosted charge over three sellers; each step is judged, and all closes."""

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from payments.errors import RefundExceedsCaptured
from tests.database import truncate_everything
from tests.stateful.cast import rows
from tests.stateful.parts_judge import Judge, no_audit_finds_anything
from tests.stateful.parts_model import Disputed, Facts, Paid, Sale, Terms, pro_rata
from tests.stateful.parts_provider import ANSWERS
from tests.stateful.parts_world import World

__all__ = ["PartsMachine"]

_TOO_MANY_LINES = 600
sellers = st.integers(0, 2)
minors = st.one_of(st.integers(1, 30), st.integers(1, 20_000))
terms = st.builds(
    Terms,
    commission_bps=st.sampled_from([0, 1, 333, 1000, 2500, 10_000]),
    commission_fixed=st.sampled_from([0, 0, 7]),
    tax_bps=st.sampled_from([0, 700, 2000]),
    delay_days=st.integers(0, 2),
    reserve_bps=st.sampled_from([0, 0, 1000, 10_000]),
)
# Whether something that is asked for is all there is, or how much of it at most.
portions = st.one_of(st.just(1.0), st.floats(0.01, 0.99))


def some(portion: float, whole: int) -> int:
    """At least one of a whole, at most all."""
    return max(1, min(whole, int(whole * portion)))


class PartsMachine(RuleBasedStateMachine):
    """Refunds, disputes, late money, releases, payouts and debts of three sellers, in any order."""

    world: World
    facts: Facts

    def __init__(self) -> None:
        super().__init__()
        self.is_begun = self.has_failed = False

    @initialize(
        made=st.tuples(terms, terms, terms),
        amounts=st.tuples(minors, minors, minors),
        fails_first=st.booleans(),
        overlaps=st.booleans(),
        ends=st.lists(st.booleans(), min_size=4, max_size=4),
    )
    def begin(
        self,
        made: tuple[Terms, ...],
        amounts: tuple[int, ...],
        fails_first: bool,
        overlaps: bool,
        ends: list[bool],
    ) -> None:
        """Accept the checkout, fail with a card if that is to be, and pay on the page."""
        ((lines,),) = rows("SELECT count(*) FROM ledger_journalline", [])
        if int(str(lines)) > _TOO_MANY_LINES:
            truncate_everything()
        self.overlaps, self.ends = overlaps, ends
        self.facts = Facts([Sale(amount, each) for amount, each in zip(amounts, made, strict=True)])
        self.world = World(made, amounts, fails_first=fails_first)
        self.judge = Judge(self.world, self.facts)
        self.world.pay()
        self.is_begun = True

    @rule(order=sellers, portion=portions, answer=st.sampled_from(ANSWERS), to_card=st.booleans())
    def refund(self, order: int, portion: float, answer: str, to_card: bool) -> None:
        """A part of what is left, or all of it; the provider answers in every way there is."""
        left = self.facts.left(order)
        if not left:
            with pytest.raises(RefundExceedsCaptured):
                self.world.refund(order, 1, answer, to_card=to_card)
            return
        amount = some(portion, left)
        made = self.world.refund(order, amount, answer, to_card=to_card)
        ended = {"done": "done", "refused": "failed"}.get(answer, "open") if to_card else "done"
        self.facts.refunds[made] = Paid(order, amount, to_card, ended)

    def card_refunds(self, state: str) -> list[str]:
        """Refunds to the card in a state."""
        return [name for name, each in self.facts.refunds.items() if each.to_card and each.state == state]

    @precondition(lambda self: self.card_refunds("open"))
    @rule(data=st.data(), is_done=st.booleans(), times=st.integers(1, 2))
    def a_refund_ends(self, data: Any, is_done: bool, times: int) -> None:
        """The provider tells of one that waits for its end; what never arrived is sent again."""
        name = data.draw(st.sampled_from(self.card_refunds("open")))
        self.end_refund(name, is_done=is_done, times=times)

    def end_refund(self, name: str, *, is_done: bool, times: int = 1) -> None:
        """By an event, or after some time."""
        if self.world.has_arrived(name):
            self.world.end_refund(name, is_done=is_done, times=times)
        else:
            self.world.pass_time(3600)

    @precondition(lambda self: self.card_refunds("done"))
    @rule(data=st.data(), times=st.integers(1, 2))
    def a_refund_comes_back(self, data: Any, times: int) -> None:
        """It had succeeded, and fails days later."""
        name = data.draw(st.sampled_from(self.card_refunds("done")))
        self.world.end_refund(name, is_done=False, times=times)

    @precondition(lambda self: len(self.facts.disputes) < 2)
    @rule(portion=portions, fee=st.sampled_from([0, 1500, 1501]))
    def dispute(self, portion: float, fee: int) -> None:
        """The bank takes back a part of the charge, or all of it: pro rata over the three orders."""
        amount = some(portion, self.facts.amount)
        parts = pro_rata(amount, [sale.amount for sale in self.facts.sales])
        fits = all(part <= self.facts.left(order) for order, part in enumerate(parts))
        if not fits and not self.overlaps:
            return
        name = f"du_{self.world.charge.id.hex}_{len(self.facts.disputes)}"
        self.facts.disputes[name] = made = Disputed(amount, parts)
        made.withdraw(fee)
        self.tell_dispute(name, "needs_response")

    def tell_dispute(self, name: str, stage: str) -> None:
        """The provider's word about it, twice."""
        made = self.facts.disputes[name]
        self.world.dispute(name, made.amount, stage, made.moves, times=2)

    @precondition(lambda self: self.facts.disputes)
    @rule(data=st.data(), fee=st.sampled_from([0, 1500]))
    def decide_dispute(self, data: Any, fee: int) -> None:
        """Lost or won; then, on arbitration, the other way round."""
        name = data.draw(st.sampled_from(sorted(self.facts.disputes)))
        self.decide(name, is_won=data.draw(st.booleans()), fee=fee)

    def decide(self, name: str, *, is_won: bool, fee: int = 0) -> None:
        """The bank's verdict, unless that is what it said last, or this would be beyond what was captured."""
        made = self.facts.disputes[name]
        if made.state == ("won" if is_won else "lost"):
            return
        if is_won:
            made.win()
        else:
            fits = all(part <= self.facts.left(order) for order, part in enumerate(made.parts))
            if made.state == "won":
                if not fits and not self.overlaps:
                    return
                made.withdraw(fee)
            made.lose()
        self.tell_dispute(name, made.state)

    @precondition(lambda self: self.world.old is not None and not self.facts.late_state)
    @rule(answer=st.sampled_from([each for each in ANSWERS if each != "refused"]))
    def late_money(self, answer: str) -> None:
        """The charge that failed brings its money after all: it goes back, and the orders do not move."""
        self.facts.late_back, self.facts.late_state = self.world.pay_late(answer), "open"

    @precondition(lambda self: self.facts.late_state == "open")
    @rule()
    def late_money_is_back(self) -> None:
        """The provider tells so."""
        self.end_refund(self.facts.late_back, is_done=True)

    @rule(days=st.integers(0, 3))
    def release(self, days: int) -> None:
        """The delay passes."""
        self.world.release(days)

    @rule()
    def release_the_reserve(self) -> None:
        """A month passes."""
        self.world.release(31)

    @rule(seller=sellers, portion=portions)
    def ask_for_a_payout(self, seller: int, portion: float) -> None:
        """What the seller may spend is set aside, all or some."""
        available = self.world.available(seller)
        if available:
            amount = some(portion, available)
            self.facts.payouts[self.world.try_payout(seller, amount)] = (seller, amount, "open")

    def open_payouts(self) -> list[str]:
        """Those that are neither sent nor canceled."""
        return [name for name, (_, _, state) in self.facts.payouts.items() if state == "open"]

    @precondition(lambda self: self.open_payouts())
    @rule(data=st.data(), is_sent=st.booleans())
    def a_payout_ends(self, data: Any, is_sent: bool) -> None:
        """It leaves, or comes back to the seller."""
        self.end_payout(data.draw(st.sampled_from(self.open_payouts())), is_sent=is_sent)

    def end_payout(self, name: str, *, is_sent: bool) -> None:
        """Sent or canceled."""
        seller, amount, _ = self.facts.payouts[name]
        self.world.end_payout(seller, name, amount, is_sent=is_sent)
        self.facts.payouts[name] = seller, amount, "sent" if is_sent else "canceled"

    @precondition(lambda self: len(self.facts.others) < 3)
    @rule(seller=sellers, amount=minors)
    def another_sale(self, seller: int, amount: int) -> None:
        """Another buyer pays the seller: what pays a debt later."""
        name = self.world.sell(seller, amount)
        self.facts.others[name] = seller, Sale(amount, self.facts.sales[seller].terms)

    def note_what_was_told(self) -> None:
        """Refunds are as far as the provider said that they are."""
        for name in (*self.card_refunds("open"), *self.card_refunds("done")):
            self.facts.refunds[name].state = self.world.told_of(name)
        if self.facts.late_state:
            self.facts.late_state = self.world.told_of(self.facts.late_back)

    @invariant()
    def everything_is_explained(self) -> None:
        """Books, wallets, rows and flags are what happened."""
        self.has_failed = True
        self.note_what_was_told()
        self.judge.look()
        self.has_failed = False

    def teardown(self) -> None:
        """Everything ends, the rest is refunded, and every part is at exactly zero."""
        if self.is_begun and not self.has_failed:
            self.end_everything()
            self.judge.is_closed()
            no_audit_finds_anything()

    def end_everything(self) -> None:
        """Refunds, disputes and payouts end; then what is left of each order goes back, and time passes."""
        how = list(self.ends)
        while waiting := self.card_refunds("open"):
            self.end_refund(waiting[0], is_done=how[0])
            self.everything_is_explained()
        for name, made in self.facts.disputes.items():
            if made.state == "open":
                self.decide(name, is_won=how[1])
                self.everything_is_explained()
        if self.facts.late_state == "open":
            self.end_refund(self.facts.late_back, is_done=True)
        for name in self.open_payouts():
            self.end_payout(name, is_sent=how[2])
        for order in range(3):
            if self.facts.left(order):
                made = self.world.refund(order, None, "done", to_card=how[3])
                self.facts.refunds[made] = Paid(order, self.facts.left(order), how[3], "done")
        self.world.release(100)
        self.world.release(100)  # What was kept of it as a reserve, too.
        self.everything_is_explained()
