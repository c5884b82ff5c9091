"""The open keys that are kept behind the fence are those of the lines; the audit sees each way to differ."""

import pytest

from core.audits import NOT_EXERCISED, run_audits
from ledger.clearing_audits import INVARIANTS
from ledger.services import advance_checkpoints, advance_fence
from tests.ledger.books import Books, rows
from tests.ledger.breakage import broken
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
BREAKS: dict[str, list[str]] = {
    "open_keys_are_the_sum": [
        "UPDATE ledger_openkey SET balance_minor = balance_minor + 1 WHERE clearing_key = 'open'",
        "DELETE FROM ledger_openkey WHERE clearing_key = 'open'",
        "INSERT INTO ledger_openkey SELECT account_id, 'nothing', 1 FROM ledger_openkey",
        "UPDATE ledger_openkey SET clearing_key = 'other' WHERE clearing_key = 'open'",
        "UPDATE ledger_journalline SET amount_minor = amount_minor + 1 WHERE clearing_key = 'done'",
        "UPDATE ledger_fence SET key_entry = safe_entry + 1",
    ]
}


def test_a_key_is_kept_while_it_is_open(books: Books) -> None:
    """L7: also when it goes to zero in a later portion, and opens once more after that."""

    def post(key: str, minor: int) -> None:
        books.post(
            books.draft(books.line(books.clearing, minor, key=key), books.line(books.commission, -minor))
        )

    def fold() -> dict[str, int]:
        ((last,),) = rows("SELECT max(id) FROM ledger_journalentry")
        eventually(lambda: advance_fence() >= last)
        advance_checkpoints()
        return dict(rows("SELECT clearing_key, balance_minor FROM ledger_openkey"))

    for key, minor in (("open", 5), ("done", 7), ("at once", 9), ("at once", -9)):
        post(key, minor)
    assert fold() == {"open": 5, "done": 7}
    post("done", -7)
    assert fold() == {"open": 5}
    post("done", -3)
    post("open", 1)
    assert fold() == {"open": 6, "done": -3}
    (audit,) = INVARIANTS
    missed = []
    with broken(tables="^ledger_") as owner:
        for sql in BREAKS[audit.name]:
            owner.execute("SAVEPOINT whole")
            assert owner.execute(audit.sql.encode()).fetchall() == []
            owner.execute(sql.encode())
            if not owner.execute(audit.sql.encode()).fetchall():
                missed.append(sql)
            owner.execute("ROLLBACK TO SAVEPOINT whole")
    assert missed == []


def test_an_audit_of_nothing_says_so(transactional_db: None) -> None:
    assert [each.verdict for each in run_audits(names=["open_keys_are_the_sum"], store=False).findings] == [
        NOT_EXERCISED
    ]
