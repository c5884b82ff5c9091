"""Rules as data: drafted, checked, run over history, put in force by two people."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.approvals import ApprovalVoid, FourEyesRequired, at_decision_edge
from core.models import AuditRecord
from core.transactions import at_edge
from reconciliation.errors import BreakRuleInvalid, BreakRuleStateConflict, RuleDryRunMissing
from reconciliation.matching.rules import DEFAULTS, ensure_rules
from reconciliation.models import BreakRule, RuleDryRun
from reconciliation.rules.conditions import Asked, conditions_hold
from reconciliation.rules.types import RuleDraft
from reconciliation.selectors import rules_at_desk
from reconciliation.services import (
    approve_rule_change,
    draft_break_rule,
    reject_rule_change,
    request_activation,
    request_retirement,
    run_rule_over_history,
)
from tests.reconciliation.resolving.conftest import DAY, MIA, NOA, Shop

pytestmark = pytest.mark.django_db
DRAFT = RuleDraft(
    "generous", 5, "AMOUNT_MISMATCH", "A", "The provider rounds to tens.", "A5",
    {"most_minor": 60, "currency": ["EUR", "CHF"], "kind": "charge", "provider": "stripe"}, 60, 100,
)  # fmt: skip


def draft(shop: Shop, **changes: Any) -> BreakRule:
    """A draft of the generous rule."""
    key = at_edge(draft_break_rule)(merchant_id=shop.merchant_id, draft=replace(DRAFT, **changes), by=MIA)
    return BreakRule.objects.get(pk=key)


def try_it(rule: BreakRule) -> Any:
    """Run it over the week."""
    return at_edge(run_rule_over_history)(
        rule_id=rule.id, first_day=DAY - timedelta(days=3), last_day=DAY + timedelta(days=3), by=MIA
    )


def put_in_force(rule: BreakRule) -> None:
    """Run it over history, and let two people put it in force."""
    try_it(rule)
    key = at_edge(request_activation)(rule_id=rule.id, reason="agreed", maker=MIA)
    at_decision_edge(approve_rule_change)(approval_id=key, checker=NOA)
    rule.refresh_from_db()


def test_rules_that_are_new_come_to_merchants_that_began_before_them(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a merchant changed or retired stays so; what it never had it gets, once."""
    older = tuple(each for each in DEFAULTS if not each.name.startswith("bank_"))
    assert len(older) < len(DEFAULTS)
    monkeypatch.setattr("reconciliation.matching.rules.DEFAULTS", older)
    changed = draft(shop, name="difference", position=7)
    put_in_force(changed)
    retired = BreakRule.objects.get(merchant_id=shop.merchant_id, name="gap")
    key = at_edge(request_retirement)(rule_id=retired.id, reason="never again", maker=MIA)
    at_decision_edge(approve_rule_change)(approval_id=key, checker=NOA)
    before = {row.pk: row.status for row in BreakRule.objects.filter(merchant_id=shop.merchant_id)}
    monkeypatch.setattr("reconciliation.matching.rules.DEFAULTS", DEFAULTS)
    for _ in range(2):
        at_edge(ensure_rules)(merchant_id=shop.merchant_id)
    rows = {row.pk: row for row in BreakRule.objects.filter(merchant_id=shop.merchant_id)}
    assert {key: rows[key].status for key in before} == before
    added = [(row.name, row.version, row.status) for key, row in rows.items() if key not in before]
    wanted = {each.name for each in DEFAULTS} - {each.name for each in older}
    assert sorted(added) == sorted((name, 1, "ACTIVE") for name in wanted)


def test_a_merchant_begins_with_the_rules_of_everybody(shop: Shop) -> None:
    """Also when the first thing that happens is that somebody drafts one."""
    rule = draft(shop)
    assert (rule.version, rule.status) == (1, "DRAFT")
    active = BreakRule.objects.filter(merchant_id=shop.merchant_id, status="ACTIVE")
    assert {"rounding", "unknown_capture", "not_reported"} <= set(active.values_list("name", flat=True))


def test_a_draft_does_nothing_until_two_people_put_it_in_force(shop: Shop) -> None:
    """I30: run over history first, then one asks and another one agrees; the next file is under it."""
    rule = draft(shop)
    for n in range(1, 5):
        shop.charge(f"pi_{n}", 10_000)
    shop.report("pi_1|charge|9950|0", "pi_2|charge|9900|0")
    assert [each[1:3] for each in shop.breaks()] == [("B", "OPEN"), ("B", "OPEN")]
    with pytest.raises(RuleDryRunMissing):
        at_edge(request_activation)(rule_id=rule.id, reason="agreed", maker=MIA)
    found = try_it(rule)
    assert (found.examined, found.taken, found.changed, dict(found.posted)) == (2, 1, 1, {"EUR": 50})
    assert (found.over_line, found.over_day, found.samples[0]["would"]) == (0, 0, "A5")
    assert RuleDryRun.objects.get(rule=rule).result["posted"] == {"EUR": "50"}
    key = at_edge(request_activation)(rule_id=rule.id, reason="agreed", maker=MIA)
    with pytest.raises(FourEyesRequired):
        at_decision_edge(approve_rule_change)(approval_id=key, checker=MIA)
    at_decision_edge(approve_rule_change)(approval_id=key, checker=NOA)
    shop.report("pi_3|charge|9950|0", "pi_4|charge|9940|0", day=DAY + timedelta(days=1))
    assert [each[1:3] for each in shop.breaks()][2:] == [("A", "RESOLVED"), ("B", "OPEN")]
    assert shop.at("recon_difference") == 50
    told = AuditRecord.objects.filter(subject="break_rule:generous").values_list("action", flat=True)
    assert {"break_rule.draft", "break_rule.dry_run", "break_rule.activate"} <= set(told)


def test_a_dry_run_counts_what_is_over_the_caps(shop: Shop) -> None:
    """What people had decided, and what they had not."""
    for n in range(4):
        shop.charge(f"pi_{n}", 10_000)
    shop.report(*(f"pi_{n}|charge|{minor}|0" for n, minor in enumerate([9950, 9945, 9970, 10_000 - 60])))
    found = try_it(draft(shop, cap_line_minor=55))
    assert (found.taken, found.over_line, found.over_day) == (4, 1, 1)
    assert (dict(found.posted), shop.at("recon_difference")) == ({"EUR": 50 + 30}, 0)


def test_a_new_version_takes_the_place_of_the_one_before(shop: Shop) -> None:
    """Of a name one version is in force; a yes to the change of one that changed since is void."""
    put_in_force(first := draft(shop))
    second, third = draft(shop, cap_day_minor=500), draft(shop, cap_day_minor=900)
    assert (second.version, third.version) == (2, 3)
    try_it(second)
    waiting = at_edge(request_activation)(rule_id=second.id, reason="more", maker=MIA)
    put_in_force(third)
    first.refresh_from_db()
    assert (first.status, third.status) == ("RETIRED", "ACTIVE")
    with pytest.raises(ApprovalVoid):
        at_decision_edge(approve_rule_change)(approval_id=waiting, checker=NOA)
    assert [each.status for each in rules_at_desk(merchant_id=shop.merchant_id, name="generous")] == [
        "RETIRED", "DRAFT", "ACTIVE",
    ]  # fmt: skip
    with pytest.raises(BreakRuleStateConflict):
        at_edge(request_activation)(rule_id=third.id, reason="again", maker=MIA)


def test_a_rule_is_retired_by_two_people(shop: Shop) -> None:
    """Without it, what it took goes to people; a no leaves it in force."""
    rule = draft(shop)
    put_in_force(rule)
    key = at_edge(request_retirement)(rule_id=rule.id, reason="misused", maker=MIA)
    at_decision_edge(reject_rule_change)(approval_id=key, checker=NOA, reason="it is fine")
    rule.refresh_from_db()
    assert rule.status == "ACTIVE"
    key = at_edge(request_retirement)(rule_id=rule.id, reason="misused", maker=MIA)
    at_decision_edge(approve_rule_change)(approval_id=key, checker=NOA)
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9950|0")
    assert shop.breaks() == [("AMOUNT_MISMATCH", "B", "OPEN", 50)]


def test_a_run_over_history_is_good_for_a_day(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was true yesterday need not be true today."""
    rule = draft(shop)
    try_it(rule)
    later = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(RuleDryRunMissing):
        at_edge(request_activation)(rule_id=rule.id, reason="agreed", maker=MIA)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"name": "No Name"}, "name"),
        ({"break_class": "WEATHER"}, "break_class"),
        ({"category": "D"}, "category"),
        ({"category": "C"}, "action"),
        ({"action": "A2"}, "action"),
        ({"action": "W1"}, "action"),
        ({"note": " "}, "note"),
        ({"position": -1}, "position"),
        ({"sla_hours": 0}, "sla_hours"),
        ({"cap_line_minor": 0}, "cap_line_minor"),
        ({"cap_day_minor": 0}, "cap_day_minor"),
        ({"cap_line_minor": 101}, "cap_line_minor"),
        ({"conditions": {"weather": "fine"}}, "conditions"),
        ({"conditions": {"currency": "EURO"}}, "conditions"),
        ({"conditions": {"kind": []}}, "conditions"),
        ({"conditions": {"sign": "up"}}, "conditions"),
        ({"conditions": {"most_minor": 1.5}}, "conditions"),
        ({"conditions": {"most_minor": True}}, "conditions"),
        ({"conditions": {"most_minor": 1, "least_minor": 2}}, "conditions"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(shop: Shop, changes: dict[str, Any], param: str) -> None:
    """Each field by itself; nothing is posted by a rule without caps."""
    with pytest.raises(BreakRuleInvalid) as caught:
        draft(shop, **changes)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("conditions", "holds"),
    [
        ({}, True),
        ({"kind": "charge"}, True),
        ({"kind": ["refund", "charge"]}, True),
        ({"kind": "refund"}, False),
        ({"most_minor": 10}, True),
        ({"most_minor": 9}, False),
        ({"least_minor": 10}, True),
        ({"least_minor": 11}, False),
        ({"provider": "adyen"}, False),
        ({"quarantine": "too_old"}, False),
        ({"of_a_later_version": "x"}, False),
    ],
)
def test_conditions_narrow_the_class(conditions: dict[str, Any], holds: bool) -> None:
    """What cannot be judged is not met."""
    assert conditions_hold(conditions, Asked(10, {"kind": "charge", "provider": "stripe"})) is holds
