"""Each audit of payouts finds what it is for; on good data all of them are clean."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core.audits import CLEAN, NOT_EXERCISED, run_audits
from core.transactions import at_edge
from payouts import services
from payouts.audits import INVARIANTS
from payouts.models import Payout
from payouts.providers.contract import NewsKind
from tests.ledger.breakage import broken
from tests.payouts.conftest import Payer

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NAMES = [each.name for each in INVARIANTS]
_PAYOUT, _ATTEMPT = "UPDATE payouts_payout SET ", "UPDATE payouts_payoutattempt SET "
_BATCH = "UPDATE payouts_payoutbatch SET "
_LINES = "UPDATE ledger_journalline SET amount_minor = amount_minor + 1 WHERE entry_id IN"
_BY_LEG = f"{_LINES} (SELECT id FROM ledger_journalentry WHERE source = 'payout' AND leg = "
_AGAIN = "id, merchant_id, payout_id, batch_id, position, reference, instruction_digest, status, created_at"
BREAKS: dict[str, list[str]] = {
    "payout_one_live_sending": [
        "DROP INDEX payouts_attempt_one_live;"
        f" INSERT INTO payouts_payoutattempt ({_AGAIN}, updated_at) SELECT gen_random_uuid(), merchant_id,"
        " payout_id, batch_id, 99, reference || 'x', instruction_digest, 'SENT', created_at, updated_at"
        " FROM payouts_payoutattempt WHERE status = 'PAID'",
    ],
    "payout_reference_once": [
        f"DROP INDEX payouts_attempt_provider_reference; {_ATTEMPT}provider_reference = 'the same'",
        f"{_ATTEMPT}reference = 'the same'",
    ],
    "payout_has_one_owner": [
        f"{_PAYOUT}wallet_id = gen_random_uuid()",
        f"{_PAYOUT}merchant_id = gen_random_uuid()",
        f"{_PAYOUT}seller_id = gen_random_uuid()",
        "UPDATE payouts_destination SET currency = 'USD'",
        "UPDATE payouts_destination SET merchant_id = gen_random_uuid()",
        "UPDATE channels_channel SET merchant_id = gen_random_uuid()",
    ],
    "payout_had_its_yes": [
        f"{_PAYOUT}instruction_digest = '\\x00'",
        f"{_PAYOUT}approved_by = requested_by WHERE approved_by <> ''",
        f"{_PAYOUT}auto_approved_by_policy = false",
        "UPDATE core_approval SET status = 'VOID'",
        "UPDATE core_approval SET checker = maker",
    ],
    "payout_hold_follows": [
        "DELETE FROM wallet_hold WHERE purpose = 'payout'",
        "UPDATE wallet_hold SET state = 'OPEN'",
        "UPDATE wallet_hold SET state = 'RELEASED'",
        "UPDATE wallet_hold SET amount_minor = amount_minor + 1",
        f"{_PAYOUT}fee_minor = fee_minor + 1",
    ],
    "payout_posted": [
        f"{_BY_LEG}'requested')",
        f"{_BY_LEG}'hold_resolved')",
        f"{_BY_LEG}'rejected')",
        f"{_PAYOUT}amount_minor = amount_minor + 1",
        f"{_PAYOUT}fee_minor = 0 WHERE status = 'PAID'",
        "UPDATE ledger_journalline SET clearing_key = 'another' WHERE clearing_key IS NOT NULL",
        "UPDATE ledger_journalentry SET source_ref = 'by hand ' || id WHERE source = 'payout'",
        f"{_PAYOUT}status = 'FAILED' WHERE status = 'PAID'",
    ],
    "payout_return_credited": [
        "UPDATE ledger_journalentry SET source_ref = 'by hand ' || id WHERE source = 'payout_return'",
        f"{_LINES} (SELECT id FROM ledger_journalentry WHERE source = 'payout_return')",
        f"{_PAYOUT}return_fee_minor = 1 WHERE status = 'RETURNED'",
        f"{_ATTEMPT}status = 'PAID' WHERE status = 'RETURNED'",
    ],
    "payout_entry_has_its_payout": [
        "DELETE FROM payouts_payout WHERE status = 'PAID'",
        "UPDATE wallet_hold SET subject = 'by hand ' || id WHERE purpose = 'payout'",
        "UPDATE ledger_journalentry SET source_ref = 'by hand ' || id WHERE source = 'payout'",
    ],
    "payout_follows_its_sending": [
        f"{_PAYOUT}status = 'SENT' WHERE status = 'PAID'",
        f"{_PAYOUT}status = 'APPROVED'",
        f"{_ATTEMPT}status = 'UNKNOWN' WHERE status = 'PAID'",
        "DELETE FROM payouts_payoutattempt",
    ],
    "payout_batch_adds_up": [
        f"{_BATCH}payouts_count = payouts_count + 1",
        f"{_BATCH}total_minor = total_minor - 1",
        f"{_BATCH}currency = 'USD'",
        f"{_BATCH}status = 'UNKNOWN', due_at = NULL",
        f"{_BATCH}channel_id = gen_random_uuid()",
    ],
    "payout_changes_are_told": [
        "DELETE FROM core_outboxevent WHERE type = 'payout.paid'",
        "UPDATE core_outboxevent SET type = 'payout.sent' WHERE type = 'payout.returned'",
        "UPDATE core_outboxevent SET type = 'payout.sent' WHERE type = 'payout.failed'",
        f"{_PAYOUT}event_sequence = event_sequence + 1",
    ],
}


def history(payer: Payer) -> list[Payout]:
    """Paid and back by the policy's yes, refused late after a second person's, canceled."""
    payer.set("payouts.fee", {"EUR": {"fixed_minor": 10}})
    payer.set("payouts.review_above", {"*": 1001})
    payouts = [payer.ask(1000 + number) for number in range(4)]
    payer.approve(payouts[2])
    at_edge(services.cancel_payout)(
        merchant_id=payer.merchant_id, reference=payouts[3].public_id, by="user:mia"
    )
    payer.work()
    refused, others = payouts[2].public_id, payouts[:2]
    for reference, instruction in payer.paper.payments.items():
        is_refused = instruction.payout_id == refused
        payer.paper.states[reference] = NewsKind.REFUSED if is_refused else NewsKind.PAID
    payer.later(5)
    at_edge(services.record_return)(merchant_id=payer.merchant_id, reference=others[1].public_id)
    return payouts


def test_each_audit_finds_each_damage(payer: Payer, hooks: Any) -> None:
    """I22, I25 to I32, P1."""
    payouts = history(payer)
    assert [payer.look(each).status for each in payouts] == ["PAID", "RETURNED", "FAILED", "CANCELED"]
    report = run_audits(names=NAMES, store=False)
    assert {each.name: each.verdict for each in report.findings} == dict.fromkeys(NAMES, CLEAN)
    missed = []
    with broken(tables="^((ledger|payouts|wallet|core|channels)_)") as owner:
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


def test_an_audit_of_nothing_says_so() -> None:
    assert {each.verdict for each in run_audits(names=NAMES, store=False).findings} == {NOT_EXERCISED}


@pytest.mark.parametrize(
    "sql",
    [
        "status = 'APPROVED', instruction_digest = '\\x00', approved_by = 'user:carl'",
        "status = 'APPROVED', instruction_digest = '\\x00', approved_by = 'user:mia'",
        "status = 'APPROVED'",
        "status = 'EXECUTING'",
    ],
)
def test_nobody_lets_a_payout_go_at_a_prompt(payer: Payer, sql: str) -> None:
    """I30, A-E7: PostgreSQL asks for the second person's yes, whoever writes the row."""
    payout = payer.ask()
    with pytest.raises(Exception, match="payout"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payouts_payout SET {sql} WHERE id = %s", [payout.id])
    assert payer.look(payout).status == "IN_REVIEW"


def test_the_maker_says_yes_to_nothing(payer: Payer) -> None:
    """A-E7, I30: not the person who asked, not a key, not the one who changed where it goes."""
    from core.approvals import FourEyesRequired

    payout = payer.ask()
    for by in ("user:mia", "key_1", "system"):
        with pytest.raises(FourEyesRequired):
            payer.approve(payout, by=by)
    elsewhere = payer.place("ann", is_default=False)
    at_edge(services.change_destination)(
        merchant_id=payer.merchant_id,
        reference=payout.public_id,
        destination=elsewhere.public_id,
        by="user:carl",
    )
    for by in ("user:mia", "user:carl"):
        with pytest.raises(FourEyesRequired):
            payer.approve(payout, by=by)
    assert payer.approve(payout, by="user:olga").status == "APPROVED"
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE core_approval SET checker = maker")
