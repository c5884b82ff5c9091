"""Every invariant of disputes finds what it is for: the owner breaks the data, guards off, and rolls back."""

from typing import Any

import pytest

from core.transactions import at_edge
from payments.dispute_audits import INVARIANTS
from tests.payments import test_payments_audits as neighbour
from tests.payments.conftest import Shop
from tests.payments.disputing import disputed
from tests.payments.test_reversals import reverse_newest

_MOVED = "(SELECT id FROM ledger_journalentry WHERE source = 'dispute_movement' AND leg = 'taken')"

# Each invariant and what breaks it.
BREAKS: dict[str, str] = {
    "order_reserves_its_disputes": "UPDATE payments_paymentorder SET dispute_reserved_minor = 0",
    "dispute_is_its_lines": "UPDATE payments_disputeline SET amount_minor = amount_minor + 1",
    "dispute_movement_posted_once": "UPDATE ledger_journalentry SET leg = 'x' || id"
    " WHERE source = 'dispute_movement'",
    "dispute_entry_has_a_dispute": "UPDATE ledger_journalentry"
    " SET source_ref = gen_random_uuid()::text || ':1'"
    " WHERE source = 'dispute'",
    "dispute_verdict_posted": "UPDATE ledger_journalentry SET leg = 'x' || id WHERE leg = 'decided'",
    "dispute_receivable_is_explained": "UPDATE payments_dispute SET taken_minor = taken_minor + 1",
    "dispute_holds_its_sellers": "UPDATE wallet_hold SET amount_minor = amount_minor + 1"
    " WHERE purpose = 'dispute' AND state = 'OPEN'",
    "reversal_posted_once": "UPDATE ledger_journalentry SET leg = 'x' || id WHERE leg = 'reversal'",
    "evidence_is_sent_whole": "DELETE FROM payments_disputeevidence WHERE field = 'case_file'",
}

# Further ways to break the same rules, each of which a lazier query would miss.
MORE: list[tuple[str, str]] = [
    ("order_reserves_its_disputes", "UPDATE payments_dispute SET status = 'OPEN' WHERE status = 'WON'"),
    ("dispute_is_its_lines", "UPDATE payments_disputeline SET is_reserved = NOT is_reserved"),
    ("dispute_is_its_lines", "UPDATE payments_disputeline SET merchant_id = gen_random_uuid()"),
    (
        "dispute_movement_posted_once",
        "UPDATE ledger_journalline SET amount_minor = amount_minor + 1"
        " WHERE amount_minor > 0 AND entry_id IN " + _MOVED,
    ),
    ("dispute_entry_has_a_dispute", "UPDATE payments_dispute SET round = 0"),
    ("dispute_entry_has_a_dispute", "DELETE FROM payments_disputemovement"),
    ("dispute_verdict_posted", "UPDATE payments_dispute SET status = 'LOST'"),
    ("dispute_receivable_is_explained", "DELETE FROM ledger_journalline WHERE entry_id IN " + _MOVED),
    ("dispute_holds_its_sellers", "UPDATE payments_dispute SET is_held = NOT is_held"),
    ("reversal_posted_once", "UPDATE payments_paymentorder SET reversed_minor = 0"),
]


@pytest.fixture
def decided(shop: Shop, hooks: Any) -> Shop:
    """A shop with disputes that are open, won, lost and answered, and with a reversal."""
    from payments.services import add_evidence
    from payments.types import DisputeAnswer

    disputed(shop)
    for step in ("win", "lose"):
        case = disputed(shop)
        case.step(step)
        case.tell()
    answered = disputed(shop)
    at_edge(add_evidence)(
        merchant_id=shop.store.merchant_id,
        reference=answered.id,
        answer=DisputeAnswer({"explanation": "He signed."}, (), True),
        actor="user:1",
    )
    shop.work()
    shop.pay()
    reverse_newest(shop)
    return shop


def found(name: str, damage: str, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, bool]:
    """As in the neighbour, for these invariants."""
    monkeypatch.setattr(neighbour, "INVARIANTS", INVARIANTS)
    return neighbour.found(name, damage)


def test_every_invariant_has_a_row_here() -> None:
    assert {each.name for each in INVARIANTS} == set(BREAKS)


@pytest.mark.usefixtures("decided")
def test_each_invariant_finds_each_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """I09, I11, I12, I14, I15, I16, P1, W1."""
    damages = [*BREAKS.items(), *MORE]
    missed = [each for each in damages if found(*each, monkeypatch) != (True, True)]
    assert missed == []
