"""From the last checkout to the signed day: sellers are paid, files come, two people decide."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from ops.demo_day.money import minor_of, text_of
from ops.demo_day.people import Person
from ops.demo_day.plan import PATIENT, Plan
from ops.demo_day.world import World
from ops.messages import Interrupted, Progress, Stop

PATIENCE = 900.0
LOOK_EVERY = 1.0
# Until everything has come to the bank and its files were read: the money of a day is three nights at the
# provider and one on the way; what comes back of refunds a day later follows a night after.
NIGHTS = 6
# What is over by itself a moment later; all else takes people.
PASSING = ("file_missing", "file_unread", "file_provisional", "run_unfinished")
# Sellers who ask for money on the day itself, and how much of what they have, per mille.
ASKING = (("birch-wood", 400), ("dune-shoes", 300), ("fjord-knits", 300))
# What the files of the day will say wrongly: the kind of lie, of which lines, and by how many cents. Lines of
# disputes are in dollars only, so the same lie is told whatever came first on the day.
LIES = (
    ("amount_wrong", "charge_failure", 1),
    ("amount_wrong", "dispute", 1234),
    ("unknown_category", "dispute_reversal", 0),
)
STRANGER = ("7.00", "MR UNKNOWN REF 4711")
FETCH_AGAIN = 600
BEFORE_CUT_OFF = 23
# In cents, as the demo data has it.
PAYOUT_FEE = 25


class Night:
    """The night of a day, and the mornings after it."""

    def __init__(self, world: World, plan: Plan, progress: Progress) -> None:
        self.world, self.plan, self.progress = world, plan, progress
        self.maker: Person = world.person("maker")
        self.checker: Person = world.person("checker")

    def pay_sellers(self) -> int:
        """What sellers ask for on the day; one takes it back, much takes a second yes."""
        self._wait(lambda: self._is_released(0), "what may be paid out to be released")
        asked = 0
        for seller, part in ASKING:
            minor = self._available(seller) * part // 1000
            if minor < 400:
                continue
            for number, amount in enumerate((minor // 4, minor - minor // 4)):
                body = {"seller_account": seller, "amount": text_of(amount, "USD"), "currency": "USD"}
                self.world.api.post("/v1/payouts", body, key=f"payout/{seller}/{number}")
                asked += 1
        wallet = self._available("birch-wood")
        if wallet > 500:
            body = {"seller_account": "birch-wood", "amount": text_of(wallet - 100, "USD"), "currency": "USD"}
            made = self.world.api.post("/v1/payouts", body, key="payout/regretted")
            self.world.api.post(f"/v1/payouts/{made['id']}/cancellation", {}, key="payout/regret")
        self._approve_and_wait()
        return asked

    def lie(self) -> None:
        """Let the day's report lie, and let the bank show money that nobody expects."""
        account, day = self.world.facts["psp_key"], self.world.now.date().isoformat()
        for kind, category, by in LIES:
            wish = {"kind": kind, "account": account, "day": day, "seed": "1", "category": category}
            self.world.control("settlement_faults", {**wish, **({"by": by} if by else {})})
        amount, text = STRANGER
        entry = {"owner": self.world.facts["bank_key"], "amount": amount, "text": text}
        self.world.control("bank/accounts/PAYABLES-USD/entries", entry)

    def write_off(self) -> None:
        """A debt that will not be paid is given up by two people."""
        wallets = self.world.api.get(f"/v1/sellers/{PATIENT}/wallets")["data"]
        for wallet in wallets:
            if wallet["currency"] == "USD" and wallet["receivable"].strip("0."):
                page = f"/admin/desks/sellers/{wallet['id']}/"
                self.maker.must(page, "A second person was asked", action="write_off", reason="he is gone")
                approval = self.checker.get(page).value("approval")
                self.checker.must(page, "written off", action="approve", approval=approval, reason="yes")

    def run(self) -> date:
        """Let the nights pass; return the day that is to be closed."""
        for number in range(1, NIGHTS + 1):
            with self.progress.step(f"night {number}"):
                self._to_cut_off(number)
                self.world.pass_until(1)
                self._morning()
        return self.world.now.date() - timedelta(days=1)

    def close(self, day: date) -> None:
        """Look into what nobody knows, propose and approve what fits, then sign. Raises NotDone."""
        page = f"/admin/desks/days/{self.world.merchant}/{day}/"
        for each in self.state(day)["breaks"]:
            if each["status"] != "RESOLVED":
                self._deal_with(each)
        self.maker.must(page, "The figures stand", action="prepare", reason="all that is open is known")
        digest = self.checker.get(page).value("digest")
        self.checker.must(page, "The day is closed", action="sign", digest=digest, reason="looked at it")

    def state(self, day: date) -> Any:
        """What stands in the way of a day, and every break."""
        return self.world.office("day", day=day.isoformat())

    def _deal_with(self, each: dict[str, Any]) -> None:
        page = f"/admin/desks/breaks/{each['id']}/"
        if each["status"] == "OPEN" and each["category"] == "C":
            self.maker.must(page, "It is yours", action="take", reason="I ask the provider")
            return
        asked = self.maker.press(page, action="propose", template="A5", reason="within what we absorb")
        if "Proposed" not in asked.text:
            self.maker.must(page, "It is yours", action="take", reason="I ask the provider")
            return
        approval = self.checker.get(page).value("approval")
        self.checker.must(page, "Approved", action="approve", approval=approval, reason="I agree")

    def _to_cut_off(self, number: int) -> None:
        """A moment after the cut-off of payouts, still on the same day: schedules ask, people say yes.

        What a day frees is freed an hour before, so that no schedule asks while some of it is on its way.
        """
        self.world.pass_until(BEFORE_CUT_OFF)
        self.world.nudge("payments.watch_releases")
        self._wait(lambda: self._is_released(number - 1), "what was earned to be released")
        if number > 1:
            self._wait(self._refunds_ended, "refunds to succeed or to come back")
        now = self.world.now
        cut = now.replace(hour=23, minute=59, second=5, microsecond=0)
        if cut > now:
            self.world.pass_seconds(int((cut - now).total_seconds()) + 1)
        self.world.nudge("payouts.run_schedules")
        self._wait(self._is_asked_for, "schedules to ask for payouts")
        self._approve_and_wait()

    def _approve_and_wait(self) -> None:
        """Say yes to what waits for a second person, and wait until nothing is on its way to the bank."""
        self._wait(lambda: not self._payouts("REQUESTED"), "payouts to be looked at")
        for payout in self._payouts("IN_REVIEW"):
            page = f"/admin/desks/payouts/{payout['id']}/"
            digest = self.checker.get(page).value("digest")
            self.checker.must(page, "Approved", action="approve", digest=digest, reason="as usual")
        self.world.nudge("payouts.reconsider")
        self._wait(lambda: not self._payouts("APPROVED", "EXECUTING", "UNKNOWN"), "payouts to be sent")

    def _morning(self) -> None:
        """Files are fetched and worked on; what contradicts the provider is fetched a second time."""
        yesterday = self.world.now.date() - timedelta(days=1)
        self.world.nudge("reconciliation.fetch")
        self._wait(lambda: self._has_files(yesterday, [], ["file_provisional"]), "files to be read")
        if self._waits(yesterday):
            self.world.pass_seconds(FETCH_AGAIN)
            self.world.nudge("reconciliation.fetch")
            self._wait(lambda: self._has_files(yesterday, []), "files to be final")
        self.world.nudge(
            "reconciliation.clear_expected", "reconciliation.watch_bank", "reconciliation.watch_breaks",
            "payments.watch_releases", "reconciliation.age_clearing", "ledger.daily_root",
        )  # fmt: skip

    def _wait(self, check: Callable[[], bool], what: str) -> None:
        """Ask until it is so. Raises Stop when it takes too long."""
        deadline = time.monotonic() + PATIENCE
        while not check():
            if time.monotonic() > deadline:
                raise Stop(f"waited {PATIENCE:.0f} s in vain for {what}.")
            if self.world.stop.wait(LOOK_EVERY):
                raise Interrupted

    def _has_files(self, day: date, *enough: list[str]) -> bool:
        """Whether no more than that is waited for; a report that is being written is asked for again."""
        waits = self._waits(day)
        if "file_missing" in waits:
            self.world.nudge("reconciliation.fetch")
        return waits in enough

    def _waits(self, day: date) -> list[str]:
        found = self.state(day)["obstacles"]
        return sorted({code for code, _, _ in found if code in PASSING})

    def _payouts(self, *states: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for state in states:
            found += everything(self.world, f"/v1/payouts?status={state}")
        return found

    def _available(self, seller: str) -> int:
        wallets = self.world.api.get(f"/v1/sellers/{seller}/wallets")["data"]
        return sum(minor_of(each["available"], "USD") for each in wallets if each["currency"] == "USD")

    def _refunds_ended(self) -> bool:
        """Whether each refund has its end: those that come back a day after they succeeded, too."""
        coming_back = sum(buy.course in ("refund_fails", "refund_refused") for buy in self.plan.buys)
        states = [each["status"] for each in everything(self.world, "/v1/refunds")]
        return states.count("FAILED") >= coming_back and not {"PENDING", "EXECUTING"} & set(states)

    def _is_asked_for(self) -> bool:
        """Whether sellers with a daily schedule have no more than what a payout costs."""
        daily = [each.account for each in self.plan.sellers if each.schedule == "daily"]
        return all(self._available(account) <= PAYOUT_FEE for account in daily)

    def _is_released(self, days: int) -> bool:
        """Whether sellers who wait so many days at most have nothing pending."""
        quick = [each.account for each in self.plan.sellers if each.delay_days <= days]
        wallets = [
            wallet
            for seller in quick
            for wallet in self.world.api.get(f"/v1/sellers/{seller}/wallets")["data"]
        ]
        return all(not wallet["pending"].strip("0.") for wallet in wallets)


def everything(world: World, path: str) -> list[dict[str, Any]]:
    """Read a list of the API to its end."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        glue = "&" if "?" in path else "?"
        page = world.api.get(f"{path}{glue}limit=100{f'&cursor={cursor}' if cursor else ''}")
        found += page["data"]
        if not page["has_more"]:
            return found
        cursor = page["next_cursor"]
