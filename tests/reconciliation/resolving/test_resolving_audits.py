"""Each audit of adjustments finds what it is for; on good data all of them are clean."""

import pytest

from reconciliation.resolving.audits import INVARIANTS
from tests.ledger.breakage import broken
from tests.reconciliation.resolving.conftest import Shop, found_wrong, open_shop

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
TABLES = "^(reconciliation_|core_approval)"
BREAKS: dict[str, list[str]] = {
    "adjustment_has_two_people_or_a_rule": [
        "UPDATE reconciliation_adjustment SET checker = maker WHERE NOT automatic",
        "UPDATE reconciliation_adjustment SET approval_id = NULL WHERE NOT automatic",
        "UPDATE core_approval SET status = 'VOID' WHERE action = 'adjustment.post'",
        "UPDATE reconciliation_adjustment SET rule_version = 9 WHERE automatic",
        "UPDATE reconciliation_breakrule SET status = 'DRAFT'",
    ],
    "automatic_adjustment_within_caps": [
        "UPDATE reconciliation_adjustment SET amount_minor = 11 WHERE automatic",
        "UPDATE reconciliation_breakrule SET cap_day_minor = 8",
        "UPDATE reconciliation_adjustment SET evidence = '{}' WHERE automatic",
    ],
    "adjustment_is_its_entry": [
        "DELETE FROM reconciliation_adjustment WHERE automatic AND status = 'POSTED'",
        "UPDATE reconciliation_adjustment"
        " SET instruction = jsonb_set(instruction, '{lines,0,amount_minor}', '1')",
        "UPDATE reconciliation_adjustment SET entry_id = entry_id + 1 WHERE NOT automatic",
        "UPDATE reconciliation_adjustment SET status = 'POSTED' WHERE status = 'REVERSED'",
    ],
    "resolved_break_has_nothing_proposed": [
        "UPDATE reconciliation_discrepancy SET status = 'OPEN' WHERE status = 'PROPOSED'",
        "DELETE FROM reconciliation_adjustment WHERE status = 'PROPOSED'",
    ],
}


@pytest.fixture
def shop(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two absorbed by a rule, one by people, one taken back, one proposed."""
    shop = open_shop(monkeypatch)
    for n in range(1, 6):
        shop.charge(f"pi_{n}", 10_000)
    said = (9996, 9995, 9800, 9999, 9700)
    shop.report(*(f"pi_{n}|charge|{minor}|0" for n, minor in enumerate(said, 1)))
    by_amount = {row.amount_minor: row for row in shop.rows()}
    shop.settle(by_amount[200], "A5")
    shop.reopen(by_amount[1])
    shop.propose(by_amount[300], "A5")
    return shop


def test_each_audit_finds_what_it_is_for(shop: Shop) -> None:
    """I30, R2, R5, R7: good data is clean, and each way to break it is found by its audit."""
    assert found_wrong() == {}
    statements = {each.name: each.sql for each in INVARIANTS}
    assert set(statements) == set(BREAKS)
    for name, ways in BREAKS.items():
        for way in ways:
            with broken(tables=TABLES) as owner:
                owner.execute(way)
                assert owner.execute(statements[name]).fetchall(), (name, way)
