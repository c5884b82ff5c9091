"""Each audit of releases finds what it is for; on good data all of them are clean."""

import pytest

from core import clock
from core.audits import CLEAN, NOT_EXERCISED, run_audits
from core.drain import get_drain
from payments.releases.audits import INVARIANTS
from tests.ledger.breakage import broken
from tests.payments.captured import capture
from tests.payments.conftest import Shop
from tests.payments.test_releases import DAY, policy, prove, terms

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("hooks")]
NAMES = [each.name for each in INVARIANTS]
_SHARE, _RELEASE = "UPDATE payments_ordershare SET ", "UPDATE payments_orderrelease SET "
_ENTRY = "UPDATE ledger_journalentry SET "
BREAKS: dict[str, list[str]] = {
    "released_within_what_was_earned": [
        f"{_SHARE}pending_used_minor = 1 WHERE released_minor > 0",
        f"{_SHARE}released_minor = -1",
        f"{_SHARE}reserved_minor = released_minor + 1",
    ],
    "released_is_its_releases": [
        f"{_SHARE}released_minor = released_minor - 1",
        f"{_SHARE}reserved_minor = 0",
        f"{_RELEASE}amount_minor = amount_minor + 1",
        "DELETE FROM payments_orderrelease",
        "DELETE FROM payments_ordershare",
    ],
    "release_is_booked_once": [
        f"{_RELEASE}amount_minor = amount_minor + 1",
        f"{_RELEASE}reserve_minor = 0",
        "DELETE FROM payments_orderrelease",
        f"{_ENTRY}source_ref = 'by hand' WHERE source = 'release'",
        "UPDATE payments_paymentorder SET seller_id = gen_random_uuid()",
        "UPDATE ledger_journalline SET amount_minor = amount_minor + 1 WHERE entry_id IN"
        " (SELECT id FROM ledger_journalentry WHERE source = 'release')",
    ],
    "pending_is_what_waits": [
        f"{_SHARE}pending_used_minor = pending_used_minor + 1 WHERE released_minor = 0",
        f"{_SHARE}released_minor = 0",
        "UPDATE wallet_wallet SET pending_minor = pending_minor + 1",
        "DELETE FROM wallet_wallet",
    ],
    "release_had_its_reason": [
        f"{_SHARE}reported_at = NULL",
        f"{_SHARE}reported_at = now() + interval '300 days'",
        f"{_SHARE}proof_needed = 'banked'",
        f"{_SHARE}matures_at = now() + interval '300 days'",
        f"{_SHARE}release_on = 'fulfillment'",
        f"{_RELEASE}basis = 'fulfillment'",
        f"{_RELEASE}proof = 'captured'",
    ],
    "reserve_is_its_tranche": [
        "DELETE FROM wallet_hold",
        "UPDATE wallet_hold SET amount_minor = amount_minor - 1",
        "UPDATE wallet_hold SET expires_at = expires_at - interval '1 day'",
        "UPDATE wallet_hold SET wallet_id = gen_random_uuid(), subject = 'another'",
        f"{_RELEASE}reserve_minor = 0, reserve_until = NULL",
    ],
    "no_forgotten_release": [
        f"{_SHARE}due_at = NULL",
        f"{_SHARE}due_at = NULL, release_on = 'fulfillment', fulfillment_recorded_at = now()",
        f"{_SHARE}due_at = NULL, proof_needed = 'banked', banked_at = now()",
    ],
}


@pytest.mark.django_db(transaction=True)
def test_each_audit_finds_each_damage(open_counter: Shop) -> None:
    """I06, I25, P1, P4, W1: one order released with a reserve, one that waits for its days."""
    policy(open_counter, release_proof="reported")
    (order,) = capture(open_counter, open_counter.order("100.00"))
    prove(open_counter, order, "reported")
    terms(open_counter, order, reserve_bps=1000, reserve_days=400)
    clock.move(seconds=8 * DAY)
    get_drain("releases").run()
    policy(open_counter, release_proof="captured")
    capture(open_counter, open_counter.order("33.33"))
    report = run_audits(names=NAMES, store=False)
    assert {each.name: each.verdict for each in report.findings} == dict.fromkeys(NAMES, CLEAN)
    missed = []
    with broken(tables="^((ledger|payments|wallet)_)") as owner:
        for name, sql in [(name, sql) for name, all_ in BREAKS.items() for sql in all_]:
            (query,) = [each.sql.encode() for each in INVARIANTS if each.name == name]
            owner.execute("SAVEPOINT whole")
            assert owner.execute(query).fetchall() == []
            owner.execute(sql.encode())
            if not owner.execute(query).fetchall():
                missed.append((name, sql))
            owner.execute("ROLLBACK TO SAVEPOINT whole")
    assert missed == []


def test_every_audit_is_broken_here() -> None:
    assert set(BREAKS) == set(NAMES)


@pytest.mark.django_db(transaction=True)
def test_an_audit_of_nothing_says_so() -> None:
    assert {each.verdict for each in run_audits(names=NAMES, store=False).findings} == {NOT_EXERCISED}
