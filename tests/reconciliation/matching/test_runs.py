"""Files are matched: every line ends in a match, a break, or explains itself."""

from datetime import date, timedelta

import pytest

from core.models import Case, OutboxEvent
from core.settings_store import put_setting
from core.transactions import at_edge
from reconciliation.matching.rules import DEFAULTS
from reconciliation.models import BreakRule, Discrepancy, Match, MatchEnd, ReconciliationRun, SettlementLine
from reconciliation.selectors import breaks_of_run, explain_line, matches_of_lines, open_breaks_of
from reconciliation.services import retry_run
from tests.reconciliation.matching.conftest import DAY, Shop
from tests.reconciliation.seeded import at_day

pytestmark = pytest.mark.django_db


def setting(name: str, value: object) -> None:
    """Set something for everybody."""
    at_edge(put_setting)(name=name, value=value, actor="user:mia", reason="test", scope="")


def test_every_kind_of_movement_finds_its_line(shop: Shop) -> None:
    """DESIGN 9.3: charges, refunds and disputes with their fee, each under the key of its charge."""
    charge = shop.charge("pi_1", 5000)
    refund = shop.refund(charge, "re_1", 1000)
    moved = shop.dispute(charge, "dp_1", 4000, 1500)
    file = shop.report(
        "pi_1|charge|5000|170", "re_1|refund|-1000|0", "dp_1|dispute|-4000|1500", "fee1|fee|-30|0",
        "rsv|reserve_hold|-100|0",
    )  # fmt: skip
    found = [
        (each.subject_kind, each.subject_id, each.amount_minor, each.clearing_key) for each in shop.matches()
    ]
    assert found == [
        ("charge", charge.id, 5000, str(charge.id)),
        ("refund", refund.id, -1000, str(charge.id)),
        ("dispute", moved.id, -5500, str(charge.id)),
    ]
    assert shop.breaks() == []
    run = shop.run(file)
    assert (run.status, run.counts["matched"], run.counts["breaks"]) == ("MATCHED", {"exact": 3}, {})
    lines = SettlementLine.objects.filter(file_id=file.id).order_by("pk")
    assert sorted(matches_of_lines(line_ids=[line.id for line in lines])) == [line.id for line in lines[:3]]
    assert explain_line(line_id=lines[0].id)["matches"][0]["how"] == "exact"
    assert explain_line(line_id=lines[3].id) == {"matches": [], "breaks": []}


def test_a_file_settles_what_nobody_knew(shop: Shop) -> None:
    """Promise 3: an outcome is unknown until a settlement file tells; unknown, it is never missed."""
    charge = shop.charge("pi_1", 5000, status="UNKNOWN")
    shop.charge("pi_2", 700, status="UNKNOWN")
    shop.report("pi_1|charge|5000|0", period_to=DAY + timedelta(days=4))
    assert [each.subject_id for each in shop.matches()] == [charge.id]
    assert shop.breaks() == []


def test_breaks_fall_under_rules_and_are_told(shop: Shop) -> None:
    """DESIGN 9.4, F-F11, F-H12, F-H14: class, category, rule, owner's clock, steps, event."""
    shop.charge("pi_1", 5000)
    shop.charge("pi_2", 900, status="DECLINED")
    file = shop.report(
        "pi_1|charge|5001|0", "pi_2|charge|900|0", "pi_x|charge|700|0", "tr_x|transfer|-600|0",
        "what|mystery|50|0", "po_1|payout|-7001|0|b1", "adj|adjustment|950|0|b1",
    )  # fmt: skip
    run = shop.run(file)
    found = {each.break_class: each for each in breaks_of_run(run_id=run.id) if each.summary}
    assert sorted(shop.breaks()) == sorted(
        [
            ("AMOUNT_MISMATCH", "A", 1), ("STATUS_MISMATCH", "B", 900), ("MISSING_INTERNAL", "A", 700),
            ("MISSING_INTERNAL", "C", 600), ("UNKNOWN", "C", 50), ("UNKNOWN", "C", 950),
            ("BATCH_TOTAL_MISMATCH", "C", 6051),
        ]
    )  # fmt: skip
    rounding = found["AMOUNT_MISMATCH"]
    assert (rounding.rule_name, rounding.explanation["rule"]["action"]) == ("rounding", "A10")
    assert [step["step"] for step in rounding.explanation["steps"]] == ["reference", "amount"]
    unknown = found["UNKNOWN"]
    assert (unknown.rule_name, unknown.rule_version) == ("", None)
    told = OutboxEvent.objects.filter(type="discrepancy.opened", merchant_id=shop.merchant_id)
    assert {each.payload["object"]["class"] for each in told} == set(found)
    assert len(open_breaks_of(merchant_id=shop.merchant_id)) == 7
    assert BreakRule.objects.filter(merchant_id=shop.merchant_id, status="ACTIVE").count() == len(DEFAULTS)


def test_a_small_difference_of_fees_needs_no_entry(shop: Shop) -> None:
    """F-H14: fees are held against the terms; within the rule the break is on record and resolved at once."""
    prices = [{"method": "card", "bps": 290, "fixed_minor": 30}]
    setting("reconciliation.fee_terms", {"psp": {"prices": prices, "tolerance_minor": 1}})
    for name in ("pi_1", "pi_2", "pi_3"):
        shop.charge(name, 10_000)
    shop.report("pi_1|charge|10000|321", "pi_2|charge|10000|350", "pi_3|charge|10000|600")
    assert shop.breaks() == [("FEE_DIFFERENCE", "A", 30), ("FEE_DIFFERENCE", "B", 280)]
    assert shop.breaks(status="RESOLVED") == [("FEE_DIFFERENCE", "A", 30)]


def test_what_is_late_clears_by_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-H13, F-H16: timing is no break; the line that comes in time ends it."""
    shop.charge("pi_1", 5000)
    shop.charge("pi_2", 700)
    shop.report("pi_1|charge|5000|0", day=DAY + timedelta(days=2))
    [expected] = shop.matches(how="expected")
    # Two days until it is reported, three of grace, and one because files come a day later.
    assert (expected.amount_minor, expected.clear_by) == (700, DAY + timedelta(days=6))
    at_day(monkeypatch, DAY + timedelta(days=6))
    assert shop.look() == (0, 0)
    shop.report("pi_2|charge|700|0", day=DAY + timedelta(days=3))
    assert shop.matches(how="expected") == []
    assert MatchEnd.objects.get(match=expected).reason == "a line of it came"
    assert (shop.breaks(), len(shop.matches())) == ([], 2)


def test_what_never_comes_is_missed_and_may_come_yet(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-H13: a break when its time is over, once; when its line comes, it ends by itself and was late."""
    charge = shop.charge("pi_1", 5000)
    shop.report("fee|fee|-1|0", day=DAY + timedelta(days=2))
    at_day(monkeypatch, DAY + timedelta(days=7))
    assert [shop.look(), shop.look()] == [(1, 0), (0, 0)]
    assert shop.breaks() == [("MISSING_EXTERNAL", "B", 5000)]
    row = Discrepancy.objects.get()
    assert (row.subject_id, row.clearing_key) == (charge.id, str(charge.id))
    at_day(monkeypatch, DAY + timedelta(days=10))
    shop.report("fee|fee|-2|0", day=DAY + timedelta(days=8))
    assert shop.matches() == []
    shop.report("pi_1|charge|5000|0", day=DAY + timedelta(days=9))
    assert [(each.how, each.subject_id) for each in shop.matches()] == [("exact", charge.id)]
    assert shop.breaks() == [("MISSING_EXTERNAL", "B", 5000), ("LATE", "B", 5000)]
    assert shop.breaks(status="RESOLVED") == [("MISSING_EXTERNAL", "B", 5000)]


def test_a_payment_that_is_known_later_heals_its_break(shop: Shop) -> None:
    """F-H12, F-E10: what we did not know when its line came is matched when we do."""
    file = shop.report("pi_1|charge|5000|0")
    assert (shop.breaks(), shop.look()) == ([("MISSING_INTERNAL", "A", 5000)], (0, 0))
    charge = shop.charge("pi_1", 5000)
    # Not while the file is being posted: what the line has posted must be led over.
    assert shop.look() == (0, 0)
    shop.posted(file)
    assert shop.look() == (0, 1)
    assert [each.subject_id for each in shop.matches()] == [charge.id]
    assert shop.breaks(status="RESOLVED") == [("MISSING_INTERNAL", "A", 5000)]


def test_a_corrected_file_keeps_what_did_not_change(shop: Shop) -> None:
    """F-H3, I34, I37: one line changed, one new, one gone; matched lines keep their match, breaks theirs."""
    charges = [shop.charge(f"pi_{n}", 1000 * n) for n in (1, 2, 3, 4)]
    first = shop.report("pi_1|charge|1000|0", "pi_2|charge|2000|0", "pi_3|charge|3000|0", "pi_x|charge|77|0")
    before = {each.subject_id: each for each in shop.matches(how="exact")}
    second = shop.report("pi_1|charge|1000|0", "pi_2|charge|2005|0", "pi_4|charge|4000|0", "pi_x|charge|77|0")
    first.refresh_from_db()
    assert first.status == "SUPERSEDED"
    after = {each.subject_id: each for each in shop.matches(how="exact")}
    assert set(after) == {charges[0].id, charges[1].id, charges[3].id}
    assert (after[charges[0].id].rule, after[charges[1].id].rule) == (
        "carried:reference", "reference_despite_amount",
    )  # fmt: skip
    assert after[charges[0].id].id != before[charges[0].id].id
    assert MatchEnd.objects.filter(match__in=before.values()).count() == 3
    assert shop.run(second).counts["carried"] == 1
    # The break of the unknown payment goes on at its new line; that of the changed amount is new.
    assert shop.breaks() == [
        ("MISSING_INTERNAL", "A", 77), ("MISSING_INTERNAL", "A", 77), ("AMOUNT_MISMATCH", "A", 5),
    ]  # fmt: skip
    open_now = Discrepancy.objects.exclude(status="RESOLVED").order_by("pk")
    assert [row.line_id >> 24 for row in open_now if row.line_id] == [second.number] * 2


def test_a_file_of_another_account_stops(shop: Shop) -> None:
    """More breaks than can be right: nothing is written, people are told, and one of them lets it go on."""
    setting("reconciliation.most_breaks", 2)
    file = shop.report(*(f"pi_{n}|charge|100|0" for n in range(4)))
    run = shop.run(file)
    assert (run.status, shop.breaks(), shop.matches()) == ("FAILED", [], [])
    assert Case.objects.filter(kind="reconciliation_run_failed").count() == 1
    setting("reconciliation.most_breaks", 10)
    at_edge(retry_run)(run_id=run.id, by="user:mia", reason="it is ours")
    shop.match()
    assert (shop.run(file).status, len(shop.breaks())) == ("MATCHED", 4)
    assert not Case.objects.filter(kind="reconciliation_run_failed").exclude(status="CLOSED").exists()


def test_a_file_that_was_replaced_before_its_turn_matches_nothing(shop: Shop) -> None:
    """F-H3: of two versions that wait, the newer one counts."""
    shop.charge("pi_1", 1000)
    shop.is_idle = True
    first = shop.report("pi_1|charge|1000|0")
    second = shop.report("pi_1|charge|1000|5")
    shop.match()
    assert shop.run(first).counts == {"superseded": True}
    assert {each.run_id for each in shop.matches()} == {shop.run(second).id}


def test_put_aside_is_for_people(shop: Shop) -> None:
    """F-H22: a line that was put aside is matched to nothing and has its break."""
    shop.charge("pi_1", 1000)
    shop.report("pi_1|charge|1000|0", day=date(2020, 1, 5))
    assert (shop.breaks(), shop.matches()) == ([("UNKNOWN", "C", 1000)], [])


def test_matches_and_ends_stay(shop: Shop) -> None:
    """What was matched stays on record, and a match that ended does not hold again."""
    from django.db import IntegrityError, transaction

    shop.charge("pi_1", 1000)
    shop.report("pi_1|charge|1000|0")
    [found] = shop.matches()
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        Match.objects.filter(pk=found.pk).update(amount_minor=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        found.pk, found.line_id = None, (found.line_id or 0) + 1
        found.save(force_insert=True)
    assert ReconciliationRun.objects.count() == 1
