"""S4: a seller's debt is given up by two people, the very debt that was agreed on, once."""

from uuid import UUID

import pytest

from core.approvals import ApprovalNotPending, ApprovalVoid, FourEyesRequired, at_decision_edge
from core.audit_trail import user_actor
from core.errors import DomainError, NotFound
from core.models import Approval, AuditRecord
from core.transactions import at_edge
from tests.admin.people import person
from tests.ledger.books import Books, rows
from tests.ledger.breakage import broken, violated
from tests.racing import race
from wallet.errors import NothingOwed
from wallet.selectors import debts
from wallet.services import reject_write_off, request_write_off, write_off_debt

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

BREAKS = {
    "write_off_had_two_people": [
        "DELETE FROM core_approval",
        "UPDATE core_approval SET checker = maker",
        "UPDATE core_approval SET status = 'PENDING'",
        "UPDATE core_approval SET instruction = jsonb_set(instruction, '{amount_minor}', '2500')",
        "UPDATE ledger_journalentry SET source_ref = 'by hand' WHERE leg = 'written_off'",
    ],
}


def wallet_of(books: Books) -> UUID:
    found: UUID = rows("SELECT id FROM wallet_wallet WHERE owner_id = %s", [books.seller])[0][0]
    return found


def ask(books: Books, maker: str, reason: str = "gone out of business") -> UUID:
    return at_edge(request_write_off)(
        merchant_id=books.merchant_id, wallet_id=wallet_of(books), reason=reason, maker=maker
    )


def people() -> tuple[str, str]:
    return user_actor(person("mia")), user_actor(person("ned"))


def test_two_people_write_a_debt_off(strict_books: Books) -> None:
    """S4: Dr bad_debt, Cr seller_receivable; the entry carries the approval."""
    maker, checker = people()
    strict_books.transfer("seller_receivable", "clearing", 2600)
    key = ask(strict_books, maker)
    assert [each.receivable_minor for each in debts(limit=5)] == [2600]
    with pytest.raises(FourEyesRequired):
        at_decision_edge(write_off_debt)(approval_id=key, checker=maker)
    ref = at_decision_edge(write_off_debt)(approval_id=key, checker=checker)
    assert strict_books.wallet() == {"pending": 0, "available": 0, "held": 0, "receivable": 0}
    assert rows(
        "SELECT account.role, line.amount_minor FROM ledger_journalline line JOIN ledger_account account"
        " ON account.id = line.account_id WHERE entry_id = %s ORDER BY line_no",
        [ref.id],
    ) == [("bad_debt", 2600), ("seller_receivable", -2600)]
    assert AuditRecord.objects.filter(action="wallet.write_off_debt", actor=checker).count() == 1
    assert debts(limit=5) == []
    with pytest.raises(ApprovalNotPending):
        at_decision_edge(write_off_debt)(approval_id=key, checker=checker)
    with pytest.raises(NothingOwed):
        ask(strict_books, maker)


def test_a_debt_that_changed_must_be_asked_for_anew(strict_books: Books) -> None:
    maker, checker = people()
    strict_books.transfer("seller_receivable", "clearing", 2600)
    key = ask(strict_books, maker)
    strict_books.transfer("seller_receivable", "clearing", 100)
    with pytest.raises(ApprovalVoid):
        at_decision_edge(write_off_debt)(approval_id=key, checker=checker)
    assert (strict_books.wallet()["receivable"], Approval.objects.get(pk=key).status) == (2700, "VOID")


def test_a_no_leaves_the_debt(strict_books: Books) -> None:
    maker, checker = people()
    strict_books.transfer("seller_receivable", "clearing", 2600)
    key = ask(strict_books, maker)
    at_decision_edge(reject_write_off)(approval_id=key, checker=checker, reason="they will pay")
    assert strict_books.wallet()["receivable"] == 2600
    with pytest.raises(NotFound):
        at_decision_edge(write_off_debt)(approval_id=wallet_of(strict_books), checker=checker)


def test_two_yes_at_once_write_off_once(strict_books: Books) -> None:
    maker, checker = people()
    strict_books.transfer("seller_receivable", "clearing", 2600)
    key = ask(strict_books, maker)
    yes = at_decision_edge(write_off_debt)
    found = race([lambda: yes(approval_id=key, checker=checker)] * 4, connected=True)
    assert sum(not isinstance(each, Exception) for each in found) == 1
    assert all(isinstance(each, DomainError) for each in found if isinstance(each, Exception)), found
    assert strict_books.wallet()["receivable"] == 0


def test_the_audit_of_write_offs_fires(strict_books: Books) -> None:
    """I30: an entry without its approval, for another amount, or with one person on both sides."""
    maker, checker = people()
    strict_books.transfer("seller_receivable", "clearing", 2600)
    at_decision_edge(write_off_debt)(approval_id=ask(strict_books, maker), checker=checker)
    for sql in BREAKS["write_off_had_two_people"]:
        with broken(tables="^(ledger|wallet|core_approval)") as owner:
            assert violated(owner) == set()
            owner.execute(sql.encode())
            assert "write_off_had_two_people" in violated(owner), sql
