"""Try, confirm, cancel, expire: each once, each again without effect, none after another (W1 to W4)."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction

from core import clock
from core.errors import NotFound
from core.money import InvalidAmount
from ledger.errors import EntryConflict, EntryUnbalanced
from ledger.templates.entry import Leg, credit
from tests.ledger.books import Books, nothing_changes, rows, run
from tests.waiting import eventually
from wallet import services
from wallet.errors import (
    AmountExceedsHold,
    HoldCanceled,
    HoldConflict,
    HoldExpired,
    HoldSettled,
    HoldUnknown,
    InsufficientFunds,
    PurposeUnsupported,
)
from wallet.types import HoldData

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


class Holds:
    """The services on one seller's wallet, each call in a transaction of its own."""

    def __init__(self, books: Books) -> None:
        self.books = books
        books.account("seller_available")
        (self.wallet_id,) = rows(
            "SELECT id FROM wallet_wallet WHERE merchant_id = %s AND owner_id = %s",
            [books.merchant_id, books.seller],
        )[0]

    def attempt(self, minor: int = 60, **other: Any) -> HoldData:
        content = {"purpose": "payout", "subject": "po_1", "wallet_id": self.wallet_id} | other
        with transaction.atomic():
            return services.try_hold(merchant_id=self.books.merchant_id, amount_minor=minor, **content)

    def confirm(self, minor: int = 60, *, legs: list[Leg] | None = None, **other: Any) -> HoldData:
        content = {"purpose": "payout", "subject": "po_1"} | other
        taken = [credit(self.books.clearing, minor, key="po_1")] if legs is None else legs
        with transaction.atomic():
            return services.confirm_hold(
                merchant_id=self.books.merchant_id, settled_minor=minor, legs=taken, **content
            )

    def cancel(self, **other: Any) -> HoldData:
        content = {"purpose": "payout", "subject": "po_1", "wallet_id": self.wallet_id} | other
        with transaction.atomic():
            return services.cancel_hold(merchant_id=self.books.merchant_id, **content)


@pytest.fixture
def holds(strict_books: Books) -> Holds:
    strict_books.fund(100)
    return Holds(strict_books)


def shows(holds: Holds, available: int, held: int) -> bool:
    return holds.books.wallet() == {"pending": 0, "available": available, "held": held, "receivable": 0}


def history(hold: HoldData) -> list[tuple[str, str]]:
    return rows(
        "SELECT from_state, to_state FROM core_statuschange WHERE subject_id = %s ORDER BY id", [hold.id]
    )


def test_a_try_sets_aside_and_a_confirm_takes(holds: Holds) -> None:
    assert holds.attempt().state == "OPEN"
    assert shows(holds, 40, 60)
    hold = holds.confirm()
    assert (hold.state, hold.settled_minor, hold.released_minor) == ("SETTLED", 60, 0)
    assert shows(holds, 40, 0)
    assert history(hold) == [("", "OPEN"), ("OPEN", "SETTLED")]


def test_what_a_confirm_leaves_comes_back_in_the_same_entry(holds: Holds) -> None:
    holds.attempt()
    before = rows("SELECT count(*) FROM ledger_journalentry")[0][0]
    hold = holds.confirm(45)
    assert (hold.settled_minor, hold.released_minor) == (45, 15)
    assert shows(holds, 55, 0)
    assert rows("SELECT count(*) FROM ledger_journalentry")[0][0] == before + 1


def test_a_cancel_gives_back(holds: Holds) -> None:
    holds.attempt()
    hold = holds.cancel()
    assert (hold.state, hold.released_minor) == ("RELEASED", 60)
    assert shows(holds, 100, 0)


@pytest.mark.parametrize("step", ["try", "confirm", "cancel"])
def test_each_step_again_changes_nothing(holds: Holds, step: str) -> None:
    first = holds.attempt()
    if step != "try":
        first = holds.confirm() if step == "confirm" else holds.cancel()
    with nothing_changes():
        again = {"try": holds.attempt, "confirm": holds.confirm, "cancel": holds.cancel}[step]()
        assert again == first


def test_a_cancel_before_its_try_is_final(holds: Holds) -> None:
    """W4: the try that comes late is refused, as often as it comes."""
    tombstone = holds.cancel()
    assert (tombstone.state, tombstone.amount_minor) == ("RELEASED", 0)
    assert history(tombstone) == [("", "OPEN"), ("OPEN", "RELEASED")]
    for _ in range(2):
        with nothing_changes(), pytest.raises(HoldCanceled):
            holds.attempt()
    with nothing_changes(), pytest.raises(HoldCanceled):
        holds.confirm()
    with nothing_changes():
        assert holds.cancel() == tombstone


def test_never_both_confirmed_and_canceled(holds: Holds) -> None:
    holds.attempt(30, subject="a")
    holds.attempt(30, subject="b")
    holds.confirm(30, subject="a")
    holds.cancel(subject="b")
    with nothing_changes(), pytest.raises(HoldSettled):
        holds.cancel(subject="a")
    with nothing_changes(), pytest.raises(HoldCanceled):
        holds.confirm(30, subject="b")


def test_a_hold_takes_at_most_what_is_available(holds: Holds) -> None:
    with nothing_changes(), pytest.raises(InsufficientFunds):
        holds.attempt(101)
    holds.attempt(100)


@pytest.mark.parametrize("minor", [0, -1, 1.5, True, "1"])
def test_a_hold_is_of_a_positive_integer(holds: Holds, minor: Any) -> None:
    with nothing_changes(), pytest.raises(InvalidAmount):
        holds.attempt(minor)


@pytest.mark.parametrize("minor", [0, 61])
def test_a_confirm_takes_at_most_the_hold(holds: Holds, minor: int) -> None:
    holds.attempt()
    with nothing_changes(), pytest.raises(AmountExceedsHold):
        holds.confirm(minor, legs=[])


def test_legs_that_do_not_take_what_is_settled_are_refused(holds: Holds) -> None:
    holds.attempt()
    with nothing_changes(), pytest.raises(EntryUnbalanced):
        holds.confirm(60, legs=[credit(holds.books.clearing, 59, key="po_1")])


def test_the_same_subject_with_other_content_is_refused(holds: Holds) -> None:
    holds.attempt()
    later = clock.now() + timedelta(hours=1)
    for other in ({"minor": 61}, {"expires_at": later}):
        with nothing_changes(), pytest.raises(HoldConflict):
            holds.attempt(**other)
    holds.confirm(50)
    with nothing_changes(), pytest.raises(HoldConflict):
        holds.confirm(49)
    with nothing_changes(), pytest.raises(EntryConflict):
        holds.confirm(50, legs=[credit(holds.books.commission, 50)])


def test_nothing_is_held_of_others_or_for_nothing(holds: Holds) -> None:
    with nothing_changes(), pytest.raises(HoldUnknown):
        holds.confirm()
    for purpose in ("payment", "fun"):
        with nothing_changes(), pytest.raises(PurposeUnsupported):
            holds.attempt(purpose=purpose)
    with nothing_changes(), pytest.raises(NotFound), transaction.atomic():
        services.try_hold(
            merchant_id=uuid4(), wallet_id=holds.wallet_id, purpose="payout", subject="x", amount_minor=1
        )


@pytest.mark.parametrize(
    ("purpose", "role"),
    [("payout", "seller_payout_hold"), ("dispute", "seller_dispute_hold"), ("reserve", "seller_reserve")],
)
def test_each_purpose_has_its_account(holds: Holds, purpose: str, role: str) -> None:
    hold = holds.attempt(10, purpose=purpose)
    assert hold.role == role
    assert rows("SELECT sum(delta_minor) FROM wallet_walletoperation WHERE role = %s", [role]) == [(10,)]
    holds.cancel(purpose=purpose)
    assert shows(holds, 100, 0)


# ------------------------------------------------------------------ expiry


def test_expired_holds_come_back_in_order_and_in_portions(holds: Holds) -> None:
    """W3: the oldest first; a confirm of one whose time is over is refused, swept or not."""
    soon = clock.now() + timedelta(milliseconds=1)
    for number in (3, 1, 2):
        holds.attempt(10, subject=str(number), expires_at=soon + timedelta(microseconds=number))
    holds.attempt(10, subject="stays", expires_at=clock.now() + timedelta(hours=1))
    holds.attempt(10, subject="reserve", purpose="reserve", expires_at=soon + timedelta(microseconds=9))
    eventually(lambda: clock.now() > soon + timedelta(milliseconds=1))
    with nothing_changes(), pytest.raises(HoldExpired):
        holds.confirm(10, subject="1")
    assert [services.expire_holds(limit=2) for _ in range(3)] == [2, 2, 0]
    ended = rows(
        "SELECT h.subject, h.state FROM core_statuschange s JOIN wallet_hold h ON h.id = s.subject_id"
        " WHERE s.from_state = 'OPEN' ORDER BY s.id"
    )
    assert ended == [("1", "EXPIRED"), ("2", "EXPIRED"), ("3", "EXPIRED"), ("reserve", "RELEASED")]
    assert shows(holds, 90, 10)
    with nothing_changes(), pytest.raises(HoldExpired):
        holds.confirm(10, subject="1")
    with nothing_changes():
        assert holds.cancel(subject="1").state == "EXPIRED"


# ------------------------------------------------------------------ what the database refuses

WRONG = {
    "another way back": "UPDATE wallet_hold SET state = 'OPEN', released_minor = 0, resolved_on = NULL",
    "more than there was": "UPDATE wallet_hold SET state = 'SETTLED', settled_minor = 61,"
    " resolved_on = now()",
    "less than there was": "UPDATE wallet_hold SET state = 'RELEASED', released_minor = 1,"
    " resolved_on = now()",
    "another amount": "UPDATE wallet_hold SET amount_minor = 1",
    "no row": "DELETE FROM wallet_hold",
}


@pytest.mark.parametrize("case", WRONG)
def test_the_database_refuses(holds: Holds, case: str) -> None:
    holds.attempt()
    if case == "another way back":
        holds.cancel()
    with nothing_changes(), pytest.raises(DatabaseError):
        run(WRONG[case])


def test_buyers_pay_from_cash_bonus_and_points(strict_books: Books) -> None:
    buyer = uuid4()
    for kind, unit in (("cash", "JPY"), ("bonus", "KWD"), ("points", "PTS")):
        books = Books(currency=unit, merchant_id=strict_books.merchant_id)
        role = {"cash": "wallet"}.get(kind, kind)
        who: dict[str, Any] = {
            "merchant_id": books.merchant_id,
            "owner_type": "buyer",
            "owner_id": buyer,
            "currency": unit,
        }
        with transaction.atomic():
            available = services.account_of(**who, role=f"{role}_available")
            wallet_id: UUID = services.open_wallet(**who, kind=kind)
            draft = books.draft(books.line(books.clearing, 1000), books.line(available, -1000))
            services.post(drafts=[draft], moves=services.moves_for(drafts=[draft]))
            subject = f"pay_{kind}"
            shared: dict[str, Any] = {
                "merchant_id": books.merchant_id,
                "purpose": "payment",
                "subject": subject,
            }
            hold = services.try_hold(wallet_id=wallet_id, amount_minor=1000, **shared)
            assert hold.role == f"{role}_held"
            services.confirm_hold(settled_minor=999, legs=[credit(books.commission, 999)], **shared)
    assert rows(
        "SELECT kind, available_minor, held_minor FROM wallet_wallet WHERE owner_id = %s", [buyer]
    ) == [(kind, 1, 0) for kind in ("cash", "bonus", "points")]
