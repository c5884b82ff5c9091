"""A correction is the exact inverse of one entry, once; everything else is refused (I09, L9)."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction

from ledger.errors import (
    AccountGuarded,
    AlreadyCorrected,
    CorrectionRefused,
    EntryUnknown,
)
from ledger.selectors import balance_minor, correction_draft, get_entry, trial_balance
from ledger.services import correct_entries, post_entries
from ledger.types import EntryDraft, EntryRef, LineDraft
from tests.database import as_owner
from tests.ledger.books import DAY, Books, nothing_changes, rows
from tests.racing import race
from wallet.services import post
from wallet.types import WalletMove

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def correct(books: Books, *entries: int, **other: Any) -> list[EntryRef]:
    asked = {"effective_date": DAY, "reason": "booked twice by hand", "actor": "user:1"} | other
    with transaction.atomic():
        return correct_entries(merchant_id=books.merchant_id, entry_ids=entries, **asked)


def inverse(books: Books, entry: int, **other: Any) -> EntryDraft:
    """The correction under a key of the caller's own."""
    draft = correction_draft(
        merchant_id=books.merchant_id, entry_id=entry, effective_date=DAY, reason="wrong"
    )
    return replace(draft, source="test", source_ref=uuid4().hex, **other)


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
def test_a_correction_takes_back_every_line(transactional_db: None, currency: str) -> None:
    books = Books(currency=currency)
    lines = (books.line(books.clearing, 1_234_567), books.line(books.commission, -1_000_000))
    (sale,) = books.post(books.draft(*lines, books.line(books.tax, -234_567)))
    (correction,) = correct(books, sale.id)
    assert {each.balance_minor for each in trial_balance(merchant_id=books.merchant_id)} == {0}
    entry = get_entry(merchant_id=books.merchant_id, entry_id=correction.id)
    assert (entry.corrects, entry.facts) == (sale.id, (("reason", "booked twice by hand"),))
    assert [(line.account_id, line.debit_minor, line.credit_minor) for line in entry.lines] == [
        (books.clearing, 0, 1_234_567),
        (books.commission, 1_000_000, 0),
        (books.tax, 234_567, 0),
    ]
    # The clearing account is even for each key, not only in sum.
    assert [line.clearing_key for line in entry.lines] == ["k", None, None]
    assert get_entry(merchant_id=books.merchant_id, entry_id=sale.id).corrected_by == correction.id
    assert rows("SELECT actor, subject, reason FROM core_auditrecord WHERE action = 'entry.correct'") == [
        ("user:1", str(sale.id), "booked twice by hand")
    ]


def test_the_same_correction_again_is_the_same(books: Books) -> None:
    (sale,) = books.post(books.sale())
    (first,) = correct(books, sale.id)
    with nothing_changes():
        assert correct(books, sale.id) == [EntryRef(first.id, is_new=False)]


@pytest.mark.parametrize("again", [{"reason": "another"}, {"effective_date": DAY + timedelta(days=1)}])
def test_an_entry_is_corrected_once(books: Books, again: dict[str, Any]) -> None:
    (sale,) = books.post(books.sale())
    correct(books, sale.id)
    with nothing_changes(), pytest.raises(AlreadyCorrected):
        correct(books, sale.id, **again)


def test_under_another_key_as_well(books: Books) -> None:
    """The unique index refuses; nothing is passed over in silence."""
    (sale,) = books.post(books.sale())
    correct(books, sale.id)
    with nothing_changes(), pytest.raises(AlreadyCorrected):
        books.post(books.sale(), inverse(books, sale.id))


def test_a_correction_is_not_corrected(books: Books) -> None:
    (sale,) = books.post(books.sale())
    (first,) = correct(books, sale.id)
    with nothing_changes(), pytest.raises(CorrectionRefused):
        correct(books, first.id)
    lines = books.sale().lines
    with nothing_changes(), pytest.raises(CorrectionRefused, match="is a correction"):
        books.post(books.draft(*lines, corrects=first.id))


def test_another_merchants_entry_is_unknown(books: Books) -> None:
    (sale,) = books.post(books.sale())
    other = Books()
    with nothing_changes(), pytest.raises(EntryUnknown):
        correct(other, sale.id)


Spoil = Callable[[Books, tuple[LineDraft, ...]], tuple[LineDraft, ...]]
INEXACT: dict[str, Spoil] = {
    "less": lambda b, lines: tuple(replace(x, amount_minor=x.amount_minor // 2) for x in lines),
    "the same way round": lambda b, lines: tuple(replace(x, amount_minor=-x.amount_minor) for x in lines),
    "another account": lambda b, lines: (lines[0], replace(lines[1], account_id=b.tax)),
    "another clearing key": lambda b, lines: (replace(lines[0], clearing_key="other"), lines[1]),
    "a pair more": lambda b, lines: (*lines, b.line(b.commission, -1), b.line(b.tax, 1)),
    "another order": lambda b, lines: lines[::-1],
}


@pytest.mark.parametrize("case", INEXACT)
def test_an_inexact_inverse_is_refused(books: Books, case: str) -> None:
    (sale,) = books.post(books.sale(100))
    draft = inverse(books, sale.id)
    spoiled = replace(draft, lines=INEXACT[case](books, draft.lines))
    with nothing_changes(), pytest.raises(CorrectionRefused, match="not the inverse"):
        books.post(books.sale(), spoiled)


def test_too_few_lines_are_refused(books: Books) -> None:
    lines = (books.line(books.clearing, 5), books.line(books.commission, -5))
    (sale,) = books.post(books.draft(*lines, books.line(books.tax, 7), books.line(books.tax, -7)))
    draft = inverse(books, sale.id)
    with nothing_changes(), pytest.raises(CorrectionRefused, match="not the inverse"):
        books.post(replace(draft, lines=draft.lines[:2]))


def test_nothing_is_corrected_before_its_own_date(books: Books) -> None:
    (sale,) = books.post(books.sale())
    with nothing_changes(), pytest.raises(CorrectionRefused, match="before its own date"):
        correct(books, sale.id, effective_date=DAY - timedelta(days=1))


def test_the_owner_is_refused_too(books: Books) -> None:
    (sale,) = books.post(books.sale())
    correct(books, sale.id)
    with nothing_changes(), pytest.raises(psycopg.errors.UniqueViolation, match="corrected_once"):
        as_owner(
            "WITH head AS (INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg,"
            " effective_date, recorded_at, line_count, corrects, digest)"
            " SELECT nextval('ledger_journalentry_seq'), merchant_id, kind, source, 'again', leg,"
            " effective_date, recorded_at, line_count, id, digest FROM ledger_journalentry WHERE id = %s"
            " RETURNING id) INSERT INTO ledger_journalline SELECT head.id * 1024 + line_no, merchant_id,"
            " line_no, -amount_minor, currency, clearing_key, account_id, head.id"
            " FROM ledger_journalline, head WHERE entry_id = %s",
            [sale.id, sale.id],
        )


def test_several_are_corrected_together_or_not_at_all(books: Books) -> None:
    first, second = (ref.id for ref in books.post(books.sale(7), books.sale(9)))
    with nothing_changes(), pytest.raises(EntryUnknown):
        correct(books, first, second, 2**40)
    refs = correct(books, first, second)
    entry = get_entry(merchant_id=books.merchant_id, entry_id=refs[0].id)
    assert set(entry.group) == {ref.id for ref in refs}
    assert balance_minor(account_id=books.clearing) == 0


def test_what_touches_a_wallet_goes_through_its_door(books: Books) -> None:
    """The plain door refuses; the wallet posts the same draft together with its move."""
    funded = books.fund(100)
    with nothing_changes(), pytest.raises(AccountGuarded):
        correct(books, funded.id)
    draft = correction_draft(
        merchant_id=books.merchant_id, entry_id=funded.id, effective_date=DAY, reason="wrong seller"
    )
    moves = [
        WalletMove(1, number, line.account_id, -line.amount_minor)
        for number, line in enumerate(draft.lines, 1)
        if line.account_id != books.clearing
    ]
    with transaction.atomic():
        (ref,) = post(drafts=[draft], moves=moves)
    assert ref.is_new
    assert books.wallet()["available"] == 0
    assert balance_minor(account_id=books.clearing) == 0


def test_two_at_once_one_wins(books: Books) -> None:
    """Under keys of their own: one is posted, the others are refused, round after round."""
    for _ in range(10):
        (sale,) = books.post(books.sale())
        drafts = [inverse(books, sale.id) for _ in range(4)]
        answers = race([lambda draft=draft: books.post(draft) for draft in drafts])
        assert sorted(type(each).__name__ for each in answers) == ["AlreadyCorrected"] * 3 + ["list"]
    assert balance_minor(account_id=books.clearing) == 0


def test_the_same_correction_by_several_at_once_is_one(books: Books) -> None:
    for _ in range(10):
        (sale,) = books.post(books.sale())
        answers = race([lambda entry=sale.id: correct(books, entry) for _ in range(4)])
        assert sorted(ref.is_new for (ref,) in answers) == [False, False, False, True]
        assert len({ref.id for (ref,) in answers}) == 1
    assert balance_minor(account_id=books.clearing) == 0


def test_control_a_look_before_the_write_lets_two_through(books: Books) -> None:
    """Without index and trigger, both look, find no correction, and post: the sale is taken back twice.

    On a copy of the table that has no rules, so that nothing of it stays.
    """
    (sale,) = books.post(books.sale())
    as_owner("CREATE TABLE scratch_entry AS SELECT * FROM ledger_journalentry")
    try:
        as_owner("GRANT SELECT, INSERT ON scratch_entry TO quittance_app")
        both_have_looked = threading.Barrier(2)

        def client() -> bool:
            with transaction.atomic():
                found = rows("SELECT 1 FROM scratch_entry WHERE corrects = %s", [sale.id])
                both_have_looked.wait(10)
                if found:
                    return False
                with connection.cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO scratch_entry (id, corrects) SELECT -id, id FROM scratch_entry"
                        " WHERE id = %s",
                        [sale.id],
                    )
                return True

        assert race([client, client]) == [True, True]
        assert rows("SELECT count(*) FROM scratch_entry WHERE corrects = %s", [sale.id]) == [(2,)]
    finally:
        connection.close()
        as_owner("DROP TABLE scratch_entry")


def test_posting_wants_each_statement_to_see_what_is_committed(books: Books) -> None:
    """With one old snapshot a posting that waited would not see that its day was closed meanwhile."""
    with nothing_changes(), pytest.raises(Exception, match="read committed"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        post_entries(drafts=[books.sale()])


def test_the_date_of_the_books_is_a_date(books: Books) -> None:
    """A correction in a later month stands in that month."""
    (sale,) = books.post(books.sale())
    (ref,) = correct(books, sale.id, effective_date=date(2026, 4, 2))
    assert get_entry(merchant_id=books.merchant_id, entry_id=ref.id).effective_date == date(2026, 4, 2)
