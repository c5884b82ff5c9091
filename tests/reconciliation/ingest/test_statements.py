"""Bank statements: each adds up, and each follows on the one before it; what does not is held."""

from typing import Any

import pytest

from core.approvals import ApprovalVoid, FourEyesRequired, at_decision_edge
from core.errors import InvalidState
from core.models import AuditRecord
from core.transactions import at_edge
from reconciliation import services
from reconciliation.models import BankStatement, SettlementSource
from reconciliation.selectors import find_bank_lines, held_statements, list_changes, statements_of
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import statement

pytestmark = pytest.mark.django_db
MIA, BOB = "user:mia", "user:bob"


@pytest.fixture
def bank(desk: Desk) -> SettlementSource:
    """A bank's source, of whatever account a file names."""
    return desk.source(kind="bank")


def states(desk: Desk, source: SettlementSource) -> dict[str, str]:
    """The newest state of each document."""
    rows = BankStatement.objects.filter(source_id=source.id).order_by("created_at")
    return {each.document: each.status for each in rows}


def test_statements_that_follow_on_each_other(desk: Desk, bank: SettlementSource) -> None:
    """Several in one file, and the next one in another; the first of an account has nothing before it."""
    both = statement("1", 100, 50, -20, day="2026-01-05", sequence="1")
    both += statement("2", 130, day="2026-01-06", sequence="2")
    received = desk.send(bank, both)
    desk.send(bank, statement("3", 130, 70, day="2026-01-07", sequence="3"))
    assert states(desk, bank) == {"1": "LIVE", "2": "LIVE", "3": "LIVE"}
    first, second = statements_of(file_id=received.file_id)
    assert (first.total_minor, first.lines_count, second.lines_count) == (30, 2, 0)
    assert [each.amount_minor for each in find_bank_lines(statement_id=first.id)] == [50, -20]
    assert desk.file(received).status == "PUBLISHED"
    assert desk.file(received).period_to.isoformat() == "2026-01-06"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (statement("1", 100, 50, closing=149), "statement_does_not_add_up"),
        (statement("1", 100, 50).replace(b"C|150", b"C|"), "balance_missing"),
        (statement("1", 100, 50).replace(b"C|150|1", b"C|150|2"), "control_mismatch"),
        (statement("1", 100, 50).replace(b"E|50|EUR", b"E|50|USD"), "currency_unexpected"),
        (statement("1", 100, 50) + statement("2", 1, 1, closing=1), "statement_does_not_add_up"),
        (b"", "truncated"),
    ],
)
def test_a_file_with_a_statement_that_contradicts_itself(
    desk: Desk, bank: SettlementSource, body: bytes, code: str
) -> None:
    """I33, F-H4, F-H5: refused whole, the good statements in it as well."""
    assert desk.refused(desk.send(bank, body))[0] == code
    assert len(desk.cases("settlement_file_refused")) == 1


def test_another_account_than_the_sources(desk: Desk) -> None:
    """However it is spaced."""
    account = "DE02 1203 0000 0000 2020 51"
    assert desk.refused(desk.send(desk.source(kind="bank", account="DE00"), statement("1", 1, 1)))[0] == (
        "account_unexpected"
    )
    taken = desk.send(desk.source(kind="bank", account=account), statement("1", 1, 1))
    assert desk.file(taken).status == "PUBLISHED"


@pytest.mark.parametrize(
    ("opening", "sequence"), [(170, "3"), (130, "4"), (129, "")], ids=["balance", "number", "balance alone"]
)
def test_a_gap_stops_the_account_and_no_other(
    desk: Desk, bank: SettlementSource, opening: int, sequence: str
) -> None:
    """F-H17: held, with the reason; what follows is held behind it; other accounts go on."""
    desk.send(bank, statement("1", 100, 30, day="2026-01-05", sequence="2"))
    desk.send(bank, statement("3", opening, 5, day="2026-01-07", sequence=sequence))
    desk.send(bank, statement("other", 1, 1, day="2026-01-07", account="FR7630006000011234567890189"))
    assert states(desk, bank) == {"1": "LIVE", "3": "HELD", "other": "LIVE"}
    (case,) = desk.cases("statement_gap")
    assert "Statement 3 is held" in case.summary
    (held,) = held_statements(merchant_ids=[desk.merchant_id])
    assert held.held_because in case.summary


def test_the_missing_statement_lets_the_held_ones_count_in_order(desk: Desk, bank: SettlementSource) -> None:
    """F-H17: whichever came first; the case ends by itself."""
    desk.send(bank, statement("1", 100, day="2026-01-05"))
    desk.send(bank, statement("4", 300, 1, day="2026-01-08"))
    desk.send(bank, statement("3", 200, 100, day="2026-01-07"))
    assert states(desk, bank) == {"1": "LIVE", "4": "HELD", "3": "HELD"}
    assert len(desk.cases("statement_gap")) == 1
    desk.send(bank, statement("2", 100, 100, day="2026-01-06"))
    assert set(states(desk, bank).values()) == {"LIVE"}
    assert desk.cases("statement_gap") == []


def test_an_account_that_began_with_a_later_statement(desk: Desk, bank: SettlementSource) -> None:
    """What comes before the first one must lead up to it."""
    desk.send(bank, statement("5", 500, day="2026-01-05"))
    desk.send(bank, statement("3", 300, 100, day="2026-01-03"))
    assert states(desk, bank) == {"5": "LIVE", "3": "HELD"}
    desk.send(bank, statement("4", 400, 100, day="2026-01-04"))
    assert set(states(desk, bank).values()) == {"LIVE"}


def test_numbers_begin_anew_with_the_year(desk: Desk, bank: SettlementSource) -> None:
    """Number 1 follows on number 365."""
    desk.send(bank, statement("365", 100, day="2025-12-31", sequence="365"))
    desk.send(bank, statement("1", 100, day="2026-01-01", sequence="1"))
    assert set(states(desk, bank).values()) == {"LIVE"}


def test_the_same_statement_again(desk: Desk, bank: SettlementSource) -> None:
    """F-H2, F-H17: in other bytes, beside a new one, or as what the bank calls a copy."""
    desk.send(bank, statement("1", 100, 30, 7, day="2026-01-05"))
    reordered = desk.send(bank, statement("1", 100, 30, 7, day="2026-01-05") + statement("2", 137))
    assert [each.status for each in desk.statements(reordered)] == ["DUPLICATE", "LIVE"]
    assert desk.file(reordered).status == "PUBLISHED"
    copy = desk.send(bank, statement("1", 100, 30, 7, day="2026-01-05", copy="copy"))
    assert (desk.file(copy).status, desk.entries(copy)) == ("DUPLICATE", [])
    assert [each.status for each in desk.statements(copy)] == ["DUPLICATE"]


def test_a_copy_of_what_never_came_counts(desk: Desk, bank: SettlementSource) -> None:
    """It is all that there is of it."""
    desk.send(bank, statement("1", 100, 30, copy="copy"))
    assert states(desk, bank) == {"1": "LIVE"}


def test_a_copy_that_differs_is_held(desk: Desk, bank: SettlementSource) -> None:
    """F-H17: the bank says that it is the same, and it is not: a person must know."""
    first = desk.send(bank, statement("1", 100, 30))
    desk.send(bank, statement("1", 100, 29, 1, copy="copy"))
    assert desk.statements(first)[0].status == "LIVE"
    assert "copy" in desk.cases("statement_gap")[0].summary


def test_a_corrected_statement(desk: Desk, bank: SettlementSource) -> None:
    """F-H3, I34: another content of the same document counts in its place, with the differences."""
    first = desk.send(bank, statement("1", 100, 30, 7))
    second = desk.send(bank, statement("1", 100, 31, 6))
    (old,), (new,) = desk.statements(first), desk.statements(second)
    assert (old.status, new.status, new.version, new.supersedes_id) == ("SUPERSEDED", "LIVE", 2, old.id)
    assert [(each.kind, each.what) for each in list_changes(file_id=second.file_id)] == [
        ("changed", ("amount_minor",)),
        ("changed", ("amount_minor",)),
    ]


def test_a_correction_of_a_held_statement(desk: Desk, bank: SettlementSource) -> None:
    """The bank mended it: what is held is replaced, and the account goes on."""
    desk.send(bank, statement("1", 100, day="2026-01-05"))
    wrong = desk.send(bank, statement("2", 90, 5, day="2026-01-06"))
    right = desk.send(bank, statement("2", 100, 5, day="2026-01-06"))
    assert [desk.statements(each)[0].status for each in (wrong, right)] == ["SUPERSEDED", "LIVE"]
    assert desk.cases("statement_gap") == []


def test_a_correction_that_breaks_what_follows_is_held(desk: Desk, bank: SettlementSource) -> None:
    """The chain after it would not hold any more."""
    first = desk.send(bank, statement("1", 100, 30, day="2026-01-05"))
    desk.send(bank, statement("2", 130, day="2026-01-06"))
    second = desk.send(bank, statement("1", 100, 40, day="2026-01-05"))
    assert [desk.statements(each)[0].status for each in (first, second)] == ["LIVE", "HELD"]


def test_reports_have_no_balances_and_no_chain(desk: Desk, bank: SettlementSource) -> None:
    """camt.052, camt.054: they count as they come, and repeat as statements do."""
    desk.send(bank, statement("r1", None, 5, kind="report"))
    desk.send(bank, statement("n1", None, 7, kind="notification"))
    again = desk.send(bank, statement("r1", None, 5, kind="report") + b"")
    assert states(desk, bank) == {"r1": "LIVE", "n1": "LIVE"}
    assert not again.is_new


def test_details_of_a_collective_booking_count_once(desk: Desk, bank: SettlementSource) -> None:
    """The booking moves the balance; what is in it is told beside it."""
    body = statement("1", 100, 30).replace(
        b"C|130|1\n", b"E|10|EUR|2026-01-05|x|2|\nE|15|EUR|2026-01-05|y|2|\nC|130|1\n"
    )
    received = desk.send(bank, body)
    (found,) = desk.statements(received)
    assert (found.status, found.lines_count, found.total_minor) == ("LIVE", 3, 30)
    assert [each.parent for each in desk.entries(received)] == [None, 2, 2]


def test_a_reversal_has_its_direction_already(desk: Desk, bank: SettlementSource) -> None:
    """F-H18: the booking and its reversal net to zero, and the reversal says what it is."""
    body = statement("1", 100, 30, -30).replace(b"-30|EUR|2026-01-05|r1||", b"-30|EUR|2026-01-05|r0||yes")
    received = desk.send(bank, body)
    assert [(each.amount_minor, each.is_reversal) for each in desk.entries(received)] == [
        (30, False),
        (-30, True),
    ]
    assert desk.statements(received)[0].closing_minor == 100


def test_two_people_let_a_held_statement_count(desk: Desk, bank: SettlementSource) -> None:
    """I30: nobody alone; what follows on it counts with it."""
    desk.send(bank, statement("1", 100, day="2026-01-05"))
    desk.send(bank, statement("2", 90, 5, day="2026-01-06"))
    desk.send(bank, statement("3", 95, day="2026-01-07"))
    first, _ = held_statements(merchant_ids=[desk.merchant_id])
    ask: Any = at_edge(services.request_statement_release)
    key = ask(statement_id=first.id, reason="the bank lost a day", maker=MIA)
    say_yes: Any = at_decision_edge(services.release_statement)
    with pytest.raises(FourEyesRequired):
        say_yes(approval_id=key, checker=MIA)
    say_yes(approval_id=key, checker=BOB)
    assert set(states(desk, bank).values()) == {"LIVE"}
    assert desk.cases("statement_gap") == []
    assert AuditRecord.objects.filter(action="bank_statement.release", actor=BOB).count() == 1
    with pytest.raises(InvalidState):
        ask(statement_id=first.id, reason="again", maker=MIA)


def test_a_release_is_of_one_statement_as_it_is(desk: Desk, bank: SettlementSource) -> None:
    """What is held for another reason by now is not what was agreed on; a no leaves it held."""
    desk.send(bank, statement("1", 100, day="2026-01-05"))
    held = desk.send(bank, statement("2", 90, 5, day="2026-01-06"))
    (waiting,) = desk.statements(held)
    ask: Any = at_edge(services.request_statement_release)
    key = ask(statement_id=waiting.id, reason="known", maker=MIA)
    BankStatement.objects.filter(pk=waiting.id).update(held_because="something else")
    with pytest.raises(ApprovalVoid):
        at_decision_edge(services.release_statement)(approval_id=key, checker=BOB)
    key = ask(statement_id=waiting.id, reason="known", maker=MIA)
    at_decision_edge(services.reject_statement_release)(approval_id=key, checker=BOB, reason="ask the bank")
    assert desk.statements(held)[0].status == "HELD"
