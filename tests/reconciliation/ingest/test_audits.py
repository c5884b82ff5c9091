"""Each audit of files and statements finds what it is for; on good data all of them are clean."""

import pytest

from core.approvals import at_decision_edge
from core.audits import CLEAN, NOT_EXERCISED, run_audits
from core.cases import close_case
from core.transactions import at_edge
from reconciliation import services
from reconciliation.audits import INVARIANTS
from tests.ledger.breakage import broken
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement, statement

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NAMES = [each.name for each in INVARIANTS]
_FILE, _STATEMENT = "UPDATE reconciliation_settlementfile SET ", "UPDATE reconciliation_bankstatement SET "
_LINE, _ENTRY = "UPDATE reconciliation_settlementline SET ", "UPDATE reconciliation_bankline SET "
_LIVE = "WHERE status = 'LIVE' AND document = '2'"
BREAKS: dict[str, list[str]] = {
    "settlement_file_agrees_with_its_lines": [
        "DELETE FROM reconciliation_settlementline WHERE reference = 'a'",
        f"{_LINE}net_minor = net_minor + 1, gross_minor = gross_minor + 1",
        f"{_LINE}fee_minor = fee_minor + 1, gross_minor = gross_minor + 1",
        f"{_LINE}currency = 'USD' WHERE reference = 'a'",
        f"{_FILE}lines_count = lines_count + 1",
        f"{_FILE}totals = jsonb_set(totals, '{{declared,1,value}}', '1') WHERE status = 'SUPERSEDED'",
        f"{_FILE}totals = jsonb_set(totals, '{{declared,0,value}}', '9')",
        f"{_FILE}totals = jsonb_set(totals, '{{declared,1,currency}}', '\"USD\"')",
        f"{_FILE}totals = jsonb_set(totals, '{{counted}}', '{{}}')",
    ],
    "settlement_batch_is_its_lines": [
        f"{_FILE}totals = jsonb_set(totals, '{{declared,2,value}}', '1') WHERE document = '2026-01-05'",
        f"{_LINE}batch = 'b2' WHERE reference = 'a'",
        f"{_LINE}currency = 'USD' WHERE reference = 'a'",
        "DELETE FROM reconciliation_settlementline WHERE reference = 'a'",
    ],
    "bank_statement_agrees_with_its_lines": [
        f"{_ENTRY}amount_minor = amount_minor + 1",
        f"{_ENTRY}statement_id = gen_random_uuid()",
        f"{_ENTRY}parent = 1",
        "DELETE FROM reconciliation_bankline",
        f"{_STATEMENT}lines_count = lines_count + 1 {_LIVE}",
        f"{_STATEMENT}closing_minor = closing_minor + 1 {_LIVE}",
        f"{_STATEMENT}opening_minor = NULL, closing_minor = NULL {_LIVE}",
        "DELETE FROM reconciliation_bankstatement WHERE document = '1'",
    ],
    "settlement_document_counts_once": [
        "DROP INDEX reconciliation_one_live_version; "
        f"{_FILE}status = 'PUBLISHED' WHERE status = 'SUPERSEDED'",
        f"{_FILE}sha256 = '\\x00'",
        f"DROP INDEX reconciliation_one_live_statement; {_STATEMENT}document = '2'",
        f"{_FILE}status = 'REFUSED' WHERE document LIKE 'body:%'",
    ],
    "settlement_line_arithmetic": [
        f"{_LINE}net_minor = net_minor + 1",
        f"{_LINE}currency = 'USD'",
        f"{_ENTRY}currency = 'USD'",
        f"{_LINE}file_id = gen_random_uuid()",
    ],
    "bank_statements_follow_on_each_other": [
        f"{_STATEMENT}opening_minor = opening_minor + 1 {_LIVE}",
        f"{_STATEMENT}sequence = sequence + 1 {_LIVE}",
        "UPDATE core_approval SET status = 'VOID'",
    ],
    "settlement_numbers_have_no_gap": [
        "DELETE FROM core_case WHERE kind = 'settlement_sequence_gap' AND status = 'OPEN'",
        "UPDATE core_case SET status = 'CLOSED' WHERE kind = 'settlement_sequence_gap'",
        "DELETE FROM core_auditrecord WHERE action = 'case.close'",
        f"{_FILE}status = 'REFUSED' WHERE sequence = 3",
    ],
}


@pytest.fixture
def full(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions of a file, a refused one, statements, and one that two people let count."""
    desk = Desk()
    source = desk.source(currency="EUR")
    desk.send(source, settlement(("a", 100), ("b", 200)))
    desk.send(source, settlement(("a", 100), ("b", 201), paid=298))
    desk.send(source, settlement(("c", 1), declared=(2, 2)))
    _send_numbered(desk)
    bank = desk.source(kind="bank")
    desk.send(bank, statement("1", 100, 10, 20, day="2026-01-05", sequence="1"))
    desk.send(bank, statement("2", 130, 5, day="2026-01-06", sequence="2"))
    held = desk.send(bank, statement("4", 1, 5, day="2026-01-08", sequence="4"))
    key = at_edge(services.request_statement_release)(
        statement_id=desk.statements(held)[0].id, reason="the bank lost a day", maker="user:mia"
    )
    at_decision_edge(services.release_statement)(approval_id=key, checker="user:bob")


def _send_numbered(desk: Desk) -> None:
    """Numbers 1, 3, 5 and 8: a person knows about 4, one case is of 2, others of 6 and 7."""
    source = desk.source()
    for number in (1, 3, 5, 8):
        desk.send(source, settlement(("n", 1), identity=f"n{number}", day="2026-01-07", sequence=f"{number}"))
    known = next(each for each in desk.cases("settlement_sequence_gap") if each.detail["sequence"] == 4)
    at_edge(close_case)(case_id=known.pk, resolution="the provider left it out", by="user:mia")


def test_good_data_is_clean(full: None) -> None:
    """All of them examine something and find nothing, as a whole and piece by piece."""
    for is_full in (True, False):
        found = run_audits(names=NAMES, full=is_full)
        assert {(each.name, each.verdict) for each in found.findings} == {
            (each, CLEAN) for each in NAMES
        } or (not is_full and found.is_clean)


def test_each_audit_finds_what_it_is_for(full: None) -> None:
    """I33, I34, I35: every way to break the data is seen by its audit."""
    missed = []
    with broken(tables="^reconciliation_|^core_(approval|case|auditrecord)") as owner:
        for name, ways in BREAKS.items():
            query = next(each.sql for each in INVARIANTS if each.name == name).encode()
            for sql in ways:
                owner.execute("SAVEPOINT whole")
                assert owner.execute(query).fetchall() == []
                owner.execute(sql.encode())
                if not owner.execute(query).fetchall():
                    missed.append((name, sql))
                owner.execute("ROLLBACK TO SAVEPOINT whole")
    assert missed == []


def test_every_audit_is_broken_here() -> None:
    assert set(BREAKS) == set(NAMES)


def test_an_audit_of_nothing_says_so() -> None:
    assert {each.verdict for each in run_audits(names=NAMES, store=False).findings} == {NOT_EXERCISED}
