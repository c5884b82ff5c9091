"""The open hours: sellers and buyers come, many threads play checkouts, and things break on the way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from ops.demo_day.bars import Bar
from ops.demo_day.courses import Course
from ops.demo_day.money import text_of
from ops.demo_day.plan import Buy, Plan, SellerPlan
from ops.demo_day.world import World
from ops.messages import Progress
from ops.procfs import descendants
from ops.supervisor import Child

Each = TypeVar("Each")

AT_ONCE = 32
# At which part of the day which process is killed.
ACCIDENTS = ((1, 3, "worker"), (2, 3, "valkey"))


def open_shop(world: World, plan: Plan) -> None:
    """Sellers and their accounts, by API; what takes people to say yes is done by them."""
    for seller in plan.sellers:
        _open_seller(world, seller)


def _open_seller(world: World, seller: SellerPlan) -> None:
    body = {
        "seller_account": seller.account,
        "name": seller.account.replace("-", " ").title(),
        "country": "US",
        "commission_bps": seller.commission_bps,
        "tax_bps": 2000,
        "settlement_delay_days": seller.delay_days,
        "payout_schedule": {"interval": seller.schedule},
    }
    if seller.reserve_bps:
        body["rolling_reserve"] = {"bps": seller.reserve_bps, "days": 90}
    world.api.post("/v1/sellers", body, key=f"seller/{seller.account}")
    place = {
        "kind": "us_account", "country": "US", "currency": "USD", "holder_name": body["name"],
        "routing_number": "110000000", "account_number": seller.number, "account_type": "checking",
    }  # fmt: skip
    world.api.post(f"/v1/sellers/{seller.account}/destinations", place, key=f"account/{seller.account}")


def fill_wallets(world: World, plan: Plan) -> None:
    """Buyers bring what they will spend from their wallets; others are known by their first wallet."""
    tops = plan.top_ups()
    buyers = [*tops, *(each for each, _, _ in plan.grants())]
    each_in_turn(lambda buyer: _fill(world, buyer, tops.get(buyer, 0)), buyers, world.stop)


def _fill(world: World, buyer: str, minor: int) -> None:
    world.buyers.add(buyer)
    wallet = world.api.post("/v1/wallets", {"buyer_account": buyer, "currency": "USD"}, key=f"wallet/{buyer}")
    if not minor:
        return
    body = {
        "amount": text_of(minor, "USD"),
        "currency": "USD",
        "credit_card_info": {"token": "pm_card_visa"},
    }
    made = world.api.post(f"/v1/wallets/{wallet['id']}/top_ups", body, key=f"top-up/{buyer}")
    name = str(made["id"])
    world.top_up_ids.append(name)
    world.feed.wait(
        "top_up", name, lambda seen: bool(seen["top_up_status"] == "SUCCESS"), f"/v1/top_ups/{name}"
    )


def shop(world: World, buys: Sequence[Buy], children: Sequence[Child], progress: Progress) -> float:
    """Play all checkouts; return how many a second. Raises what the first of them raised."""
    bar = Bar(progress, "checkouts", len(buys))
    accidents = {len(buys) * part // of: name for part, of, name in ACCIDENTS}

    def play(buy: Buy) -> None:
        if world.stop.is_set():
            return
        Course(world, buy).play()
        name = accidents.pop(bar.step(), "")
        if name:
            bar.say(f"{kill(children, name)} was killed with SIGKILL")

    each_in_turn(play, buys, world.stop)
    bar.end()
    return bar.rate


def each_in_turn(play: Callable[[Each], None], things: Sequence[Each], stop: threading.Event) -> None:
    """Call for each, many at once; the first that raises stops the others."""
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="buyer") as pool:
        running = [pool.submit(play, each) for each in things]
        done, _ = wait(running, return_when=FIRST_EXCEPTION)
        failed = next((each for each in done if each.exception()), None)
        if failed is not None:
            stop.set()
            pool.shutdown(cancel_futures=True)
            failed.result()


def kill(children: Sequence[Child], name: str) -> str:
    """Kill a process and what it started, without warning; the launcher starts it again."""
    child = next(each for each in children if each.spec.name == name)
    family = [each.pid for each in descendants(child.pid)]
    for pid in (child.pid, *family):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return f"{name} ({1 + len(family)} processes)"
