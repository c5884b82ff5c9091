"""Each audit of bank statements in the books finds what it is for; on good data all of them are clean."""

from datetime import timedelta

import pytest

from core.audits import CLEAN, NOT_EXERCISED, run_audits
from reconciliation.banking.audits import INVARIANTS
from tests.ledger.breakage import broken
from tests.reconciliation.banking.rig import MONDAY, entry, open_bank

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NAMES = [each.name for each in INVARIANTS]
_MATCH = "UPDATE reconciliation_match SET "
BREAKS: dict[str, list[str]] = {
    "bank_line_has_one_end": [
        "DELETE FROM reconciliation_match WHERE subject_kind = 'batch'",
        f"{_MATCH}live = false WHERE subject_kind = 'sending'",
        "DELETE FROM reconciliation_discrepancy WHERE break_class = 'MISSING_INTERNAL'",
    ],
    "bank_match_adds_up": [
        f"{_MATCH}amount_minor = amount_minor + 1 WHERE subject_kind = 'batch'",
        f"{_MATCH}difference_minor = 0 WHERE difference_minor <> 0",
        "UPDATE reconciliation_bankline SET amount_minor = amount_minor - 1 WHERE end_to_end <> ''",
    ],
    "bank_account_is_its_statement": [
        "UPDATE ledger_journalline SET amount_minor = amount_minor + 1 WHERE account_id IN"
        " (SELECT id FROM ledger_account WHERE role = 'bank')",
        "UPDATE ledger_account SET provider = 'other' WHERE role = 'bank'",
    ],
}


@pytest.fixture
def full(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deposit, payouts with and without details, something unknown and a reversal of it."""
    bank = open_bank(monkeypatch)
    bank.balance = 500_00
    one, two, three = bank.pay(10_00), bank.pay(20_00), bank.pay(30_00)
    bank.reported("po_aaaaaaaa", 70_00)
    bank.show(
        entry(70_00, text="po_aaaaaaaa"),
        entry(-30_00, details=[entry(-10_00, end=one.reference), entry(-20_00, end=two.reference)]),
        entry(-30_40, end=three.reference),
        entry(5_00, text="?", reference="U"),
    )
    bank.show(
        entry(-5_00, text="?", reference="U", reversal=True), entry(1_00), day=MONDAY + timedelta(days=1)
    )
    bank.settled()


def test_good_data_is_clean_and_each_audit_finds_what_it_is_for(full: None) -> None:
    """R1, R2, R3, I36: every way to break the data is seen by its audit."""
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]
    assert {each.verdict for each in report.findings if each.name in NAMES} == {CLEAN}
    missed = []
    with broken(tables="^reconciliation_|^ledger_") as owner:
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


def test_an_audit_of_nothing_says_so(transactional_db: None) -> None:
    assert {each.verdict for each in run_audits(names=NAMES, store=False).findings} == {NOT_EXERCISED}
