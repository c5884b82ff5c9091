"""Random histories of pay-in beside the model of it: requests, faults, crashes, events in any order, time."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.sandbox.conftest import Sandbox
from tests.stateful.pay_in_draws import AMOUNT, BREAKS, CARD, CARDS, CRASHES, FAULTS, PICK
from tests.stateful.pay_in_judge import compare_effects, judge
from tests.stateful.pay_in_model import DAY, OPEN, CheckoutModel, OrderModel, RefundModel, text
from tests.stateful.pay_in_world import World, answer_code

__all__ = ["PayInMachine"]


class PayInMachine(RuleBasedStateMachine):
    """One checkout, from its first request until nothing is left to do."""

    def __init__(self, provider: Sandbox) -> None:
        super().__init__()
        self.world = World.begin(provider)
        self.is_sound = False

    @initialize(
        card=CARD,
        amounts=st.lists(AMOUNT, min_size=1, max_size=3),
        policy=st.sampled_from(["all_or_nothing", "best_effort"]),
        capture=st.sampled_from(["automatic", "manual"]),
        currency=st.sampled_from(["USD", "USD", "JPY"]),
        is_deaf=st.booleans(),
        is_quick=st.booleans(),
        crash=BREAKS,
    )
    def accept(
        self,
        *,
        card: str,
        amounts: list[int],
        policy: str,
        capture: str,
        currency: str,
        is_deaf: bool,
        is_quick: bool,
        crash: str,
    ) -> None:
        """POST /v1/payments; `is_deaf`: webhooks will never come, everything has to be asked for.

        `is_quick`: the worker does at once what is due, so that something is paid to begin with.
        """
        if capture == "manual" and policy == "all_or_nothing":
            amounts = amounts[:1]
        self.is_deaf, self.cards = is_deaf, [card]
        orders = [
            OrderModel(f"o-{number}", "bob" if number else "ann", currency, amount)
            for number, amount in enumerate(amounts)
        ]
        self.model = CheckoutModel(policy, capture, {each.name: each for each in orders})
        self.model.reasons = set(self._consequences(card))
        body = {
            "checkout_id": "c-1",
            "credit_card_info": {"token": self._card(card)},
            "multi_order_policy": policy,
            "capture": capture,
            "payment_orders": [
                {
                    "payment_order_id": each.name,
                    "seller_account": each.seller,
                    "amount": text(each.amount, currency),
                    "currency": currency,
                }
                for each in orders
            ],
        }
        assert answer_code(self.world.post("/v1/payments", body, crash=crash)) == "201"
        again = self.world.shop.store.post("/v1/payments", body, key="another")
        assert answer_code(again) == "checkout_exists"
        if is_quick:
            self.world.work()

    # What the store does.

    @rule(pick=PICK, card=CARD, crash=BREAKS)
    def attempt(self, pick: int, card: str, crash: str) -> None:
        """Pay again what failed."""
        self.is_sound = False
        expected = self.model.answer_to_attempt()
        if len(self.cards) >= 4 and expected == "201":
            return self._sound()  # Cards are not tried without end.
        body = {"credit_card_info": {"token": self._card(card)}}
        self._ask("checkouts/c-1/attempts", body, expected, crash)
        if expected == "201":
            self.cards.append(card)
            self.model.note_attempt(self._consequences(card))
        return self._sound()

    @rule(crash=BREAKS)
    def cancel(self, crash: str) -> None:
        """Take the whole checkout back."""
        self.is_sound, taking = False, self._taking()
        expected = self.model.answer_to_cancel(taking)
        self._ask("checkouts/c-1/cancellations", None, expected, crash)
        if expected == "201":
            self.model.note_cancel(taking)
        return self._sound()

    @rule(pick=PICK, crash=BREAKS)
    def cancel_one(self, pick: int, crash: str) -> None:
        """Take one order back."""
        self.is_sound, taking, order = False, self._taking(), self._order(pick)
        expected = self.model.answer_to_cancel(taking, order)
        self._ask(f"payments/{order.name}/cancellations", None, expected, crash)
        if expected == "201":
            self.model.note_cancel(taking, order)
        return self._sound()

    @precondition(lambda self: self.model.capture == "manual")
    @rule(pick=PICK, part=st.integers(1, 101), crash=BREAKS)
    def take(self, pick: int, part: int, crash: str) -> None:
        """Capture all or a part; with 101 %, one unit too many."""
        self.is_sound, order = False, self._order(pick)
        if order.authorized_at is not None and 5 * DAY < self.model.now - order.authorized_at < 8 * DAY:
            return self._sound()  # Only the provider knows to the second until when it is reserved.
        amount = order.amount + 1 if part > 100 else max(1, order.amount * part // 100)
        expected = self.model.answer_to_capture(
            order, amount, self._taking(), is_late=self.model.is_late(order)
        )
        body = None if part == 100 else {"amount": text(amount, order.currency)}
        self._ask(f"payments/{order.name}/captures", body, expected, crash)
        if expected == "201":
            order.ordered.add(amount)
        return self._sound()

    @precondition(lambda self: not OPEN.issuperset(self._states()))
    @rule(pick=PICK, part=st.integers(1, 101), whole=st.booleans(), crash=BREAKS)
    def refund(self, pick: int, part: int, whole: bool, crash: str) -> None:
        """Give back a part of what is left, all of it, or one unit too many."""
        self.is_sound, order = False, self._paid_or_any(pick)
        left = self.model.left(order)
        amount = left if whole else left + 1 if part > 100 else max(1, left * part // 100)
        body = {"payment_order_id": order.name}
        if not whole:
            body["amount"] = text(amount, order.currency)
        answer = self._ask("refunds", body, self.model.answer_to_refund(order, amount), crash)
        if answer:
            self.model.refunds[answer["id"]] = RefundModel(order.name, amount)
        return self._sound()

    @rule(pick=PICK)
    def repeat(self, pick: int) -> None:
        """Send again what was accepted before, whatever became of it."""
        self.is_sound = False
        self.world.repeat(self.world.sent[pick % len(self.world.sent)])
        return self._sound()

    # What the worker does, and what goes wrong.

    @rule(fault=FAULTS, crash=CRASHES)
    def work(self, fault: dict[str, Any] | None, crash: tuple[str, str] | None) -> None:
        """The worker does what is due."""
        self.is_sound = False
        if fault or crash:
            self.model.reasons.add("trouble")
        with self.world.trouble(fault, crash):
            self.world.work()
        return self._sound()

    @rule()
    def work_well(self) -> None:
        """The worker does what is due, and nothing goes wrong."""
        self.work(None, None)

    @rule(seconds=st.sampled_from([2, 20, 1000]), fault=FAULTS, crash=CRASHES)
    def wait(self, seconds: int, fault: dict[str, Any] | None, crash: tuple[str, str] | None) -> None:
        """A while later."""
        self.is_sound = False
        if fault or crash:
            self.model.reasons.add("trouble")
        with self.world.trouble(fault, crash):
            self._later(seconds)
        return self._sound()

    @rule(days=st.sampled_from([1, 1, 8]))
    def days_go_by(self, days: int) -> None:
        """The checkout's time is over; after a week so is every reservation."""
        self.is_sound = False
        self._later(days * DAY + 3600)
        return self._sound()

    # What the provider, the buyer and the banks do.

    @precondition(lambda self: not self.is_deaf)
    @rule(pick=PICK, seed=PICK, many=st.booleans(), again=st.booleans(), crash=st.booleans())
    def tell(self, pick: int, seed: int, many: bool, again: bool, crash: bool) -> None:
        """Events arrive: one or all, in any order, once or three times; the worker may break on one."""
        self.is_sound, told = False, self.world.told()
        if told:
            chosen = told if many else [told[pick % len(told)]]
            self.world.tell(chosen, seed=seed, again=again)
            how = "die" if pick % 2 else "raise"
            with self.world.trouble(None, ("inbox.applied", how) if crash else None):
                self.world.work("inbox")
        return self._sound()

    @precondition(lambda self: "challenge" in self.model.reasons)
    @rule(pick=PICK, passed=st.booleans())
    def authenticate(self, pick: int, passed: bool) -> None:
        """The buyer confirms with the bank, or fails to."""
        self.is_sound = False
        for intent in self._one(self.world.intents("requires_action"), pick):
            if self.world.control(
                f"payment_intents/{intent}/authentication", result="complete" if passed else "fail"
            ):
                self.model.reasons |= set() if passed else {"decline"}
        return self._sound()

    @precondition(lambda self: "slow" in self.model.reasons)
    @rule(pick=PICK, passed=st.booleans())
    def settle_payment(self, pick: int, passed: bool) -> None:
        """What is processing comes to its end."""
        self.is_sound = False
        for intent in self._one(self.world.intents("processing"), pick):
            if self.world.control(
                f"payment_intents/{intent}/settlement", result="succeed" if passed else "fail"
            ):
                self.model.reasons |= set() if passed else {"decline"}
        return self._sound()

    @precondition(lambda self: self.model.refunds)
    @rule(pick=PICK, passed=st.booleans())
    def settle_refund(self, pick: int, passed: bool) -> None:
        """A refund reaches the buyer's bank, or comes back."""
        self.is_sound = False
        ends = ("pending",) if passed or self.is_deaf else ("pending", "succeeded")
        found = [name for name, state in self.world.refunds_there().items() if state in ends]
        for name in self._one(found, pick):
            self.world.control(f"refunds/{name}/{'succeed' if passed else 'fail'}")
        return self._sound()

    # What must be true.

    @invariant()
    def everything_is_as_the_model_allows(self) -> None:
        """The API shows what may be, and nothing moved that nobody asked for."""
        self.is_sound = False
        self._look()
        return self._sound()

    def teardown(self) -> None:
        """Unless a step failed: let everything come to its end, and compare exactly."""
        if self.is_sound:
            self._settle()
            judge(self.model, self.world)

    def _look(self) -> None:
        refunds = self.world.refunds() if self.model.refunds else []
        self.model.see(self.world.checkout("c-1"), refunds)
        compare_effects(self.model, self.world)

    # The end.

    def _settle(self) -> None:
        for _ in range(2):
            self._quiet()
            self._later(DAY + 3600)
        self._quiet()
        self._later(8 * DAY)
        self._quiet()

    def _quiet(self) -> None:
        """Everybody answers, every event comes that may, and the buyer is gone."""
        self.model.reasons.add("decline")
        for turn in range(60):
            for intent in self.world.intents("requires_action"):
                self.world.control(f"payment_intents/{intent}/authentication", result="fail")
            for intent in self.world.intents("processing"):
                self.world.control(f"payment_intents/{intent}/settlement", result="succeed")
            if not self.is_deaf:
                self.world.tell(self.world.told(), seed=turn, again=False)
            self.world.work()
            if len(self.world.due()) == len(self.model.never_known):
                break
            self._later(600)
        self._look()

    # Small things.

    def _ask(self, path: str, body: Any, expected: str, crash: str) -> dict[str, Any] | None:
        answer = self.world.post(f"/v1/{path}", body, crash=crash)
        assert answer_code(answer) == expected, (path, body, answer.content)
        return answer.json() if expected == "201" else None

    def _later(self, seconds: int) -> None:
        self.model.now += seconds
        if seconds >= DAY:
            self.model.note_a_day()
        if self.model.now >= DAY and self.model.closed_at is None:
            self.model.closed_at = self.model.now
        self.world.later(seconds)

    def _card(self, card: str) -> str:
        """Whoever hears nothing is never told that a refund came back after it was seen to succeed."""
        comes_back = card in ("pm_card_refundFail", "pm_card_sandboxRefundPendingFails")
        return "pm_card_visa" if self.is_deaf and comes_back else card

    def _consequences(self, card: str) -> set[str]:
        return CARDS[self._card(card)]

    def _taking(self) -> set[str]:
        return {
            each.name
            for each in self.model.orders.values()
            if each.status == "AUTHORIZED" and each.ordered and self.world.is_taking(each.name)
        }

    def _states(self) -> set[str]:
        return {each.status for each in self.model.orders.values()}

    def _order(self, pick: int) -> OrderModel:
        return list(self.model.orders.values())[pick % len(self.model.orders)]

    def _paid_or_any(self, pick: int) -> OrderModel:
        """Mostly one that is paid, so that there is something to give back."""
        paid = [each for each in self.model.orders.values() if each.is_paid]
        return paid[pick % len(paid)] if paid and pick % 8 else self._order(pick)

    @staticmethod
    def _one(found: list[str], pick: int) -> list[str]:
        return [found[pick % len(found)]] if found else []

    def _sound(self) -> None:
        self.is_sound = True
