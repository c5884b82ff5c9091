"""Each audit of matching finds what it is for; on good data all of them are clean."""

from datetime import timedelta

import pytest

from core.audits import run_audits
from reconciliation.matching.audits import INVARIANTS
from tests.ledger.breakage import broken, violated
from tests.reconciliation.matching.conftest import DAY, Shop, open_shop
from tests.reconciliation.seeded import at_day

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
TABLES = "^(reconciliation_|core_outboxevent)"
BREAKS: dict[str, list[str]] = {
    "line_has_one_end": [
        "DELETE FROM reconciliation_discrepancy WHERE break_class = 'MISSING_INTERNAL'",
        "DELETE FROM reconciliation_match WHERE how = 'exact'",
        "UPDATE reconciliation_settlementline SET quarantine = 'too_old' WHERE kind = 'fee'",
    ],
    "movement_has_one_line": [
        "DROP INDEX reconciliation_movement_matched_once; UPDATE reconciliation_match"
        " SET subject_id = (SELECT subject_id FROM reconciliation_match WHERE live LIMIT 1),"
        " subject_kind = 'charge' WHERE live",
    ],
    "match_counts_while_its_file_does": [
        "UPDATE reconciliation_match SET live = false WHERE how = 'exact'",
        "DELETE FROM reconciliation_matchend",
        "UPDATE reconciliation_settlementfile SET status = 'SUPERSEDED' WHERE number ="
        " (SELECT min(number) FROM reconciliation_settlementfile);"
        " UPDATE reconciliation_settlementfile SET supersedes_id = (SELECT id"
        " FROM reconciliation_settlementfile ORDER BY number LIMIT 1)"
        " WHERE number = (SELECT max(number) FROM reconciliation_settlementfile)",
    ],
    "match_adds_up": ["UPDATE reconciliation_match SET amount_minor = amount_minor + 1 WHERE how = 'exact'"],
    "difference_has_a_break": [
        "DELETE FROM reconciliation_discrepancy WHERE break_class = 'AMOUNT_MISMATCH'",
        "DELETE FROM reconciliation_discrepancy WHERE break_class = 'MISSING_EXTERNAL'",
    ],
    "break_is_told": [
        "DELETE FROM core_outboxevent WHERE type = 'discrepancy.opened'",
        "UPDATE core_outboxevent SET type = 'discrepancy.opened' WHERE type = 'discrepancy.resolved'",
    ],
}


@pytest.fixture
def shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A match, a difference, what is unknown, what was missed and came after all."""
    shop = open_shop(monkeypatch)
    for n in (1, 2, 3):
        shop.charge(f"pi_{n}", 1000 * n)
    shop.report("pi_1|charge|1001|0", "pi_x|charge|7|0", "f|fee|-1|0", day=DAY + timedelta(days=2))
    at_day(monkeypatch, DAY + timedelta(days=20))
    shop.look()
    shop.report("pi_2|charge|2000|0", day=DAY + timedelta(days=4))
    return shop


def test_each_audit_finds_what_it_is_for(shop: Shop) -> None:
    """I36, I37, R1, R2: good data is clean, and each way to break it is found by its audit."""
    names = {each.name for each in INVARIANTS}
    assert names == set(BREAKS)
    report = run_audits(store=False)
    assert not names & {each.name for each in (*report.violated, *report.failed)}
    for name, ways in BREAKS.items():
        for way in ways:
            with broken(tables=TABLES) as owner:
                owner.execute(way)
                assert name in violated(owner), (name, way)
