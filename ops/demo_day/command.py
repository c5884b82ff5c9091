"""`python3 -m ops demo-day`: start a world, let the day happen, print the proof."""

from __future__ import annotations

import json
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

from ops.credentials import write_private
from ops.demo import connect_sandbox
from ops.demo_day.courses import Course
from ops.demo_day.night import Night
from ops.demo_day.plan import PATIENT, OrderPlan, Plan, make_plan
from ops.demo_day.proof import Proof, Witnesses, prove
from ops.demo_day.shopping import fill_wallets, open_shop, shop
from ops.demo_day.world import World
from ops.layout import Layout
from ops.messages import Interrupted, Stop
from ops.ports import private_port
from ops.run import prepare, start_processes, write_dev_file
from ops.session import Session, opened

KEPT = ("launcher.lock", "secrets.json", "ports.json", "log")
# The user's own servers are not for this: the world of a demo day is wiped at every start.
FOREIGN = (
    "DATABASE_URL", "DATABASE_OWNER_URL", "READONLY_URL", "PROVISION_URL", "REDIS_URL", "SECRET_KEY",
    "FIELD_KEYS", "PUBLIC_URL", "HOOKS_DIR", "DEBUG", "EVENT_STREAM", "EVENT_STREAM_REDIS_URL",
)  # fmt: skip
# What production waits half a minute for is over in seconds, so that silence costs the day little.
HURRY = {
    "TEST_HOOKS": "True",
    "LOG_LEVEL": "WARNING",
    "OPERATION_LEASE_SECONDS": "6",
    "INBOX_LEASE_SECONDS": "6",
    "DELIVERY_LEASE_SECONDS": "6",
    "PSP_CONNECT_TIMEOUT": "1",
    "PSP_READ_TIMEOUT": "4",
    "PSP_DEADLINE": "5",
    "STATEMENT_TIMEOUT_MS": "30000",
}
OPENS_AT = 6


def demo_day(*, layout: Layout, payments: int, seed: int, keep: bool) -> int:
    """Run a day of so many checkouts. Returns 0 when the proof holds and every audit is clean."""
    own = Layout(root=layout.root, var=layout.var / "demo-day")
    with opened(layout=own, what="the demo day") as session:
        _wipe(session)
        port, sandbox_port = private_port(), private_port()
        venv = session.virtual_environment(development=False)
        for name in FOREIGN:
            session.user_env.pop(name, None)
        env = prepare(session, venv=venv, port=port, sandbox_port=sandbox_port, more=HURRY)
        start_processes(session, venv=venv, env=env, port=port, sandbox_port=sandbox_port)
        facts = write_dev_file(layout=own, port=port, sandbox_port=sandbox_port)
        connect_sandbox(facts=facts)
        world = World(facts, python=Path(venv.python), root=own.root, env=env.app, log_dir=own.log_dir)
        day = Day(session, world, make_plan(payments=payments, seed=seed))
        try:
            good = _looked_after(session, day)
        finally:
            world.close_office()
        if keep:
            session.progress.say("the console stays open; Ctrl-C stops it")
            session.supervisor.watch()
        with session.progress.step("stopping"):
            session.supervisor.stop_all()
    return 0 if good else 1


class Day:
    """One day from the first seller to the proof."""

    def __init__(self, session: Session, world: World, plan: Plan) -> None:
        self.session, self.world, self.plan = session, world, plan
        self.progress = session.progress
        self.rate = 0.0

    def run(self) -> bool:
        """Let it happen; say whether the proof holds."""
        begun = time.monotonic()
        self._open()
        self.rate = shop(self.world, self.plan.buys, self.session.supervisor.children, self.progress)
        night = Night(self.world, self.plan, self.progress)
        with self.progress.step("paying sellers"):
            night.pay_sellers()
        night.lie()
        day = night.run()
        night.write_off()
        with self.progress.step(f"closing {day}, signed by two"):
            night.close(day)
        self._leave_a_page_open()
        proof = self._prove()
        clean = self._audit()
        self._say(proof, seconds=time.monotonic() - begun)
        return proof.holds and clean

    def _open(self) -> None:
        self.world.control("webhooks", {"signature_clock": "sandbox"})
        # Never over midnight, and at the same hour whenever it is started.
        self.world.pass_until(OPENS_AT)
        with self.progress.step("opening the shop"):
            open_shop(self.world, self.plan)
            for unit in ("EUR", "JPY", "KWD"):
                self.world.control(
                    f"bank/accounts/PAYABLES-{unit}",
                    {"owner": self.world.facts["bank_key"], "currency": unit},
                )
        self.world.feed.start()
        with self.progress.step("buyers fill their wallets"):
            fill_wallets(self.world, self.plan)
            grants = [f"{buyer}:{kind}:{minor}" for buyer, kind, minor in self.plan.grants()]
            self.world.office("prepare", grant=grants, block=PATIENT)

    def _leave_a_page_open(self) -> None:
        """A buyer who is on the provider's page while everything is counted."""
        buy = replace(self.plan.buys[0], number=len(self.plan.buys), course="left", orders=_last_order())
        Course(self.world, buy).play()

    def _prove(self) -> Proof:
        with self.progress.step("asking the witnesses"):
            late = [(buy.currency, buy.minor) for buy in self.plan.buys if buy.course == "late"]
            proof = prove(Witnesses(self.world, late))
        write_private(
            self.session.layout.var / "totals.json", json.dumps(proof.totals(), indent=1, sort_keys=True)
        )
        return proof

    def _audit(self) -> bool:
        with self.progress.step("auditing everything"):
            report = self.world.audit()
        idle = [each["name"] for each in report["findings"] if each["verdict"] == "not_exercised"]
        broken = [each["name"] for each in report["findings"] if each["verdict"] in ("violated", "failed")]
        count = len(report["findings"])
        self.progress.say(f"{count} audits: {count - len(idle) - len(broken)} clean, {len(broken)} broken")
        for word, names in (("broken", broken), ("had nothing to examine", idle)):
            for name in names:
                self.progress.say(f"  {word}: {name}")
        return not broken

    def _say(self, proof: Proof, *, seconds: float) -> None:
        print()
        for line in proof.lines():
            print(line)
        print("The proof holds to the cent." if proof.holds else "THE PROOF DOES NOT HOLD.")
        count = len(self.plan.buys)
        said = f"{count} checkouts, seed {self.plan.seed}: {self.rate:.1f} a second"
        print(f"{said}, {seconds:.0f} s in all.\n")
        admin = self.world.facts["admin_url"]
        for label, place in (
            ("Console", admin),
            ("Breaks", f"{admin}desks/breaks/"),
            ("Days", f"{admin}desks/days/"),
            ("Logs", self.session.layout.log_dir),
            ("Totals", self.session.layout.var / "totals.json"),
        ):
            print(f"    {label:<10} {place}")
        print(flush=True)


def _last_order() -> tuple[OrderPlan, ...]:
    return (OrderPlan("day-last", PATIENT, 4_990, "USD"),)


def _looked_after(session: Session, day: Day) -> bool:
    """Play the day in a thread of its own, while this one starts again what dies."""
    result: list[bool] = []
    problem: list[BaseException] = []

    def play() -> None:
        try:
            result.append(day.run())
        except BaseException as error:
            problem.append(error)

    thread = threading.Thread(target=play, name="the day", daemon=True)
    thread.start()
    while thread.is_alive():
        if session.signals.stopping:
            day.world.feed.stop()
            raise Interrupted
        session.supervisor.tend()
        session.signals.wait(0.2)
    day.world.feed.stop()
    if problem:
        if isinstance(problem[0], Stop):
            raise problem[0]
        cure = f"read {session.layout.log_dir}."
        raise Stop(f"the day went wrong: {problem[0]}", cure=cure) from problem[0]
    return result[0]


def _wipe(session: Session) -> None:
    """Forget the last day; what was chosen for this folder stays."""
    for each in session.layout.var.iterdir():
        if each.name in KEPT:
            continue
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()
    for log in session.layout.log_dir.iterdir():
        log.unlink()
