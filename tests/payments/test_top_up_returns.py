"""Top-ups that the provider refunds without us, or whose rail takes them back: out of the wallet again."""

import threading
import uuid
from typing import Any

import pytest

from channels.models import Channel
from core import clock
from core.drain import get_drain
from core.ids import public_id
from core.models import Case, OutboxEvent
from ledger.models import JournalEntry
from payments.engine import top_up_returns
from payments.models import Charge, TopUpReturn
from tests.ledger.breakage import broken, violated
from tests.payments.conftest import Shop
from tests.payments.deliveries import process
from tests.payments.purses import Purse, open_purse
from tests.payments.refunding import balances, tell, told_refunds
from tests.payments.test_reversals import reverse_newest
from tests.racing import race
from tests.stateful.effort import rounds
from wallet.errors import InsufficientFunds
from wallet.types import Balances


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5
    settings.INLINE_REGISTRATIONS = 0


@pytest.fixture
def purse(shop: Shop) -> Purse:
    """A buyer whose wallet is empty."""
    return open_purse(shop)


def topped_up(purse: Purse, amount: str = "30.00") -> dict[str, Any]:
    """A paid top-up: its object."""
    path = f"/v1/wallets/{public_id('wal', purse.wallet().id)}/top_ups"
    body = {"amount": amount, "currency": "USD", "credit_card_info": {"token": "pm_card_visa"}}
    made = purse.shop.store.post(path, body, key=uuid.uuid4().hex)
    assert made.status_code == 201, made.content
    purse.shop.work()
    return seen(purse, made.json())


def seen(purse: Purse, top_up: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = purse.shop.store.get(f"/v1/top_ups/{top_up['id']}").json()
    return shown


def spend(purse: Purse, amount: str) -> int:
    body = purse.body(purse.shop.order(amount))
    return int(purse.shop.store.post("/v1/payments", body, key=uuid.uuid4().hex).status_code)


def dashboard(purse: Purse, top_up: dict[str, Any], amount: int | None = None) -> dict[str, Any]:
    """Somebody refunds a top-up on the provider's dashboard."""
    body = {} if amount is None else {"amount": amount}
    made: dict[str, Any] = purse.shop.provider.control(
        "POST", f"payment_intents/{top_up['psp']['reference']}/refund", body
    )
    return made


def test_what_its_rail_takes_back_leaves_the_wallet(purse: Purse) -> None:
    """W1c, F-A14: told three times, taken once; the wallet had all of it, so nothing is missing."""
    top_up = topped_up(purse)
    reverse_newest(purse.shop, times=3)
    now = seen(purse, top_up)
    assert (now["top_up_status"], now["reversed"], now["refunded"]) == ("SUCCESS", "30.00", "0.00")
    assert (purse.left(), balances(purse.shop)) == ((0, 0), {})
    assert JournalEntry.objects.filter(kind="wallet_top_up_returned").count() == 1
    assert set(Case.objects.values_list("kind", flat=True)) == {"charge_reversed"}
    told = OutboxEvent.objects.filter(subject=top_up["id"]).order_by("sequence")
    assert list(told.values_list("type", flat=True))[-2:] == ["top_up.succeeded", "top_up.reversed"]
    assert told.last().payload["object"]["reversed"] == "30.00"


def test_what_is_spent_stays_open_with_a_case(purse: Purse) -> None:
    """W5, I07: never below zero; the rest is an asset under a key of its own, and a case."""
    top_up = topped_up(purse)
    assert spend(purse, "22.00") == 201
    reverse_newest(purse.shop)
    assert purse.left() == (0, 0)
    back = TopUpReturn.objects.get()
    assert (back.amount_minor, back.taken_minor, back.missing_minor) == (30_00, 8_00, 22_00)
    found = balances(purse.shop)
    assert (found["dispute_receivable"], found.get("psp_clearing", 0)) == (22_00, 0)
    case = Case.objects.get(kind="top_up_not_covered")
    assert (case.subject, case.value_minor, case.currency) == (top_up["id"], 22_00, "USD")
    # Whoever tops up again spends what they bring: the debt is finance's to collect or to give up.
    topped_up(purse, "5.00")
    assert purse.left() == (5_00, 0)


def test_refunds_at_the_provider_part_by_part(purse: Purse) -> None:
    """W1c: each refund once, however often and in whatever order it is told, until all went back."""
    top_up = topped_up(purse)
    for amount in (10_00, 15_00):
        dashboard(purse, top_up, amount)
    tell(purse.shop, *reversed(told_refunds(purse.shop)), times=2)
    assert (seen(purse, top_up)["refunded"], purse.left()) == ("25.00", (5_00, 0))
    assert TopUpReturn.objects.count() == 2
    assert Charge.objects.get().refunded_minor == 25_00
    assert spend(purse, "5.00") == 201
    dashboard(purse, top_up)
    tell(purse.shop, *told_refunds(purse.shop))
    assert (seen(purse, top_up)["refunded"], purse.left()) == ("30.00", (0, 0))
    assert Case.objects.get(kind="top_up_not_covered").value_minor == 5_00
    process()
    assert purse.shop.provider.get(f"journal/totals?account={purse.shop.account}")[0]["refunded"] == 30_00


def test_a_refund_that_comes_back_is_for_a_person(purse: Purse) -> None:
    """R3's other side: what the provider has again stays as it is booked, and a case tells of it, once."""
    top_up = topped_up(purse)
    made = dashboard(purse, top_up, 10_00)
    tell(purse.shop, *told_refunds(purse.shop))
    assert not Case.objects.filter(kind="refund_conflict").exists()
    purse.shop.provider.control("POST", f"refunds/{made['id']}/fail", {})
    tell(purse.shop, *told_refunds(purse.shop, "refund."), times=2)
    assert (purse.left(), TopUpReturn.objects.count()) == ((20_00, 0), 1)
    case = Case.objects.get(kind="refund_conflict")
    assert (case.value_minor, made["id"] in case.summary) == (10_00, True)


def test_a_refund_and_a_reversal_take_it_once_together(purse: Purse) -> None:
    """F-G4 for top-ups: the provider took 40 of 30; the buyer gives 30, and the rest is asked of others."""
    top_up = topped_up(purse)
    purse.fill(100_00)
    dashboard(purse, top_up, 10_00)
    tell(purse.shop, *told_refunds(purse.shop))
    reverse_newest(purse.shop)
    now = seen(purse, top_up)
    assert (now["refunded"], now["reversed"], purse.left()) == ("10.00", "30.00", (100_00, 0))
    assert Case.objects.get(kind="top_up_not_covered").value_minor == 10_00


def test_what_is_pending_is_taken_before_it_is_available(purse: Purse) -> None:
    """W1b, W1c: a slow top-up of which a part went back makes the rest available, and a whole one nothing."""
    Channel.objects.filter(pk=purse.shop.channel.id).update(capabilities={"top_up_clearing_hours": 48})
    part = topped_up(purse)
    dashboard(purse, part, 12_00)
    tell(purse.shop, *told_refunds(purse.shop))
    topped_up(purse, "7.00")
    reverse_newest(purse.shop)
    assert (purse.wallet().pending_minor, purse.left()) == (18_00, (0, 0))
    clock.move(seconds=48 * 3600 + 1)
    assert get_drain("top_ups").run() == 2
    assert (purse.wallet().pending_minor, purse.left()) == (0, (18_00, 0))
    assert not Case.objects.filter(kind="top_up_not_covered").exists()


@pytest.mark.chaos
def test_a_reversal_races_payments(purse: Purse) -> None:
    """A-D1 beside W1c: while the buyer spends, the rail takes it back: every cent is in one place only."""
    for _ in range(rounds(few=3, many=20)):
        topped_up(purse, "10.00")
        outcomes = race([lambda: spend(purse, "3.00")] * 4 + [lambda: reverse_newest(purse.shop)])
        paid = outcomes[:4].count(201)
        back = TopUpReturn.objects.latest("recorded_at")
        assert (back.missing_minor, purse.left()) == (paid * 3_00, (0, 0)), outcomes


def test_the_control_that_does_not_lock_the_wallet(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with a look instead of the lock: it wants what was spent meanwhile, and is refused."""
    topped_up(purse, "10.00")
    looked, spent = threading.Event(), threading.Event()

    def careless(*, merchant_id: uuid.UUID, wallet_ids: list[uuid.UUID]) -> dict[uuid.UUID, Balances]:
        wallet = purse.wallet()
        looked.set()
        assert spent.wait(20)
        return {wallet.id: Balances(wallet.pending_minor, wallet.available_minor, wallet.held_minor, 0)}

    monkeypatch.setattr(top_up_returns, "lock_wallets", careless)
    refused: list[type[Exception]] = []
    post = top_up_returns.post

    def watched(**said: Any) -> Any:
        try:
            return post(**said)
        except InsufficientFunds as error:
            refused.append(type(error))
            raise

    monkeypatch.setattr(top_up_returns, "post", watched)

    def buyer() -> int:
        assert looked.wait(20)
        code = spend(purse, "3.00")
        spent.set()
        return code

    outcomes = race([buyer, lambda: reverse_newest(purse.shop)])
    assert (outcomes[0], refused[:1]) == (201, [InsufficientFunds])


BREAKS = {
    "top_up_return_posted_once": [
        "UPDATE payments_topupreturn SET taken_minor = taken_minor - 1, missing_minor = missing_minor + 1",
        "UPDATE ledger_journalentry SET source_ref = 'x' || id WHERE source = 'top_up_return'",
    ],
    "top_up_return_entry_has_its_return": ["DELETE FROM payments_topupreturn"],
    "top_up_counts_its_returns": [
        "UPDATE payments_topup SET reversed_minor = reversed_minor - 1",
        "DELETE FROM core_case WHERE kind = 'top_up_not_covered'",
    ],
}


def test_each_audit_fires(purse: Purse) -> None:
    """P1, I12, I14, I15."""
    topped_up(purse)
    assert spend(purse, "22.00") == 201
    reverse_newest(purse.shop)
    missed = []
    for name, damages in BREAKS.items():
        for damage in damages:
            with broken(tables="^(payments|wallet|core_case|ledger)") as owner:
                owner.execute(damage.encode())
                if name not in violated(owner):
                    missed.append((name, damage))
    assert missed == []
