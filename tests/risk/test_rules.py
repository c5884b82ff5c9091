"""Rules and lists as people change them: versions, dry runs before anything counts, audit records."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction

from core import clock
from core.audit_trail import ReasonRequired
from core.card_data import CardDataForbidden
from core.ids import parse_public_id
from core.models import AuditRecord
from risk.errors import DryRunMissing, ListEntryExists, ListExists, RuleInvalid, RuleStateConflict
from risk.models import RiskDecision, RiskDryRun, RiskListEntry, RiskRule
from risk.services import (
    activate_rule,
    add_to_list,
    create_list,
    draft_rule,
    dry_run,
    remove_from_list,
    retire_rule,
    shadow_rule,
)
from tests.payments.conftest import Shop
from tests.racing import race
from tests.risk.rules import BY, draft, enforce, listed, stored

ANY = {"limits": {"USD": 0}}


def run(rule_id: UUID, since: Any = None, **options: Any) -> Any:
    with transaction.atomic():
        return dry_run(rule_id=rule_id, since=since or clock.now() - timedelta(days=1), by=BY, **options)


def activate(rule_id: UUID) -> None:
    with transaction.atomic():
        activate_rule(rule_id=rule_id, by=BY, reason="test")


def test_a_change_is_another_version(counter: Shop) -> None:
    merchant = counter.store.merchant_id
    first = enforce(merchant, "amount_over", ANY, name="big")
    second = stored(merchant, "amount_over", {"limits": {"USD": 1}}, name="big")
    assert RiskRule.objects.get(pk=second).version == 2
    assert RiskRule.objects.get(pk=first).status == "ACTIVE"
    run(second)
    activate(second)
    assert [(r.version, r.status) for r in RiskRule.objects.order_by("version")] == [
        (1, "RETIRED"),
        (2, "ACTIVE"),
    ]
    actions = (
        AuditRecord.objects.filter(subject="risk_rule:big").order_by("seq").values_list("action", flat=True)
    )
    assert list(actions)[-3:] == ["risk_rule.dry_run", "risk_rule.retire", "risk_rule.activate"]


def test_no_version_counts_before_it_was_run_over_history(counter: Shop, hooks: Any) -> None:
    """A run of version 1 says nothing about version 2, and one of last week nothing about today."""
    merchant = counter.store.merchant_id
    first = enforce(merchant, "amount_over", ANY, name="big")
    second = stored(merchant, "amount_over", ANY, name="big")
    run(first)
    with pytest.raises(DryRunMissing):
        activate(second)
    run(second)
    clock.move(seconds=86_401)
    with pytest.raises(DryRunMissing):
        activate(second)
    run(second)
    activate(second)


def test_states_of_a_rule(counter: Shop) -> None:
    rule = stored(counter.store.merchant_id, "amount_over", ANY)
    with transaction.atomic():
        shadow_rule(rule_id=rule, by=BY, reason="watch")
    run(rule)
    activate(rule)
    with pytest.raises(RuleStateConflict):
        activate(rule)
    with transaction.atomic():
        retire_rule(rule_id=rule, by=BY, reason="over")
    for change in (shadow_rule, activate_rule, retire_rule):
        with pytest.raises(RuleStateConflict), transaction.atomic():
            change(rule_id=rule, by=BY, reason="again")
    with pytest.raises(ReasonRequired), transaction.atomic():
        retire_rule(rule_id=rule, by=BY, reason=" ")


def test_the_content_of_a_version_never_changes(counter: Shop) -> None:
    """Not by the application's own login: the database holds it."""
    rule = stored(counter.store.merchant_id, "amount_over", ANY)
    for change in ({"score": 1}, {"params": {}}, {"decision": "approve"}, {"version": 9}):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            RiskRule.objects.filter(pk=rule).update(**change)


def test_decisions_facts_and_dry_runs_only_grow(counter: Shop) -> None:
    counter.accept(counter.body())
    run(stored(counter.store.merchant_id, "amount_over", ANY))
    for model in (RiskDecision, RiskDryRun):
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.all().delete()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"name": "Not A Name"}, "name"),
        ({"decision": "perhaps"}, "decision"),
        ({"decision": ""}, "score"),
        ({"score": 1001}, "score"),
        ({"on_error": "panic"}, "on_error"),
        ({"reason": " "}, "reason"),
        ({"params": {}}, "params"),
        ({"kind": "of_tomorrow"}, "kind"),
        ({"kind": "list_hit", "params": {"list": "no-such"}}, "params"),
    ],
)
def test_what_is_wrong_is_named(counter: Shop, change: dict[str, Any], param: str) -> None:
    columns = {"kind": "amount_over", "params": ANY, **change}
    with pytest.raises(RuleInvalid) as refused, transaction.atomic():
        draft_rule(merchant_id=counter.store.merchant_id, draft=draft(**columns), by=BY)
    assert refused.value.param == param
    assert not RiskRule.objects.exists()


def test_a_dry_run_says_what_would_have_changed(counter: Shop) -> None:
    """The history decides otherwise, and nothing of it is touched."""
    for amount in ("10.00", "20.00", "30.00"):
        counter.accept(counter.body(counter.order(amount)))
    before = list(RiskDecision.objects.order_by("pk").values())
    rule = stored(counter.store.merchant_id, "amount_over", {"limits": {"USD": 1500}}, decision="review")
    report = run(rule)
    assert (report.examined, report.changed, report.value) == (3, {"approve>review": 2}, {"USD": 5000})
    assert report.is_whole and report.paid == 0
    assert [sample["amounts"] for sample in report.samples] == [{"USD": 3000}, {"USD": 2000}]
    assert list(RiskDecision.objects.order_by("pk").values()) == before
    assert RiskDryRun.objects.get().report["changed"] == {"approve>review": 2}


def test_a_dry_run_judges_each_payment_as_it_stood_then(counter: Shop, hooks: Any) -> None:
    """Velocity over what was before the payment, not over what came after it."""
    for _ in range(4):
        counter.accept(counter.body() | {"buyer_info": {"buyer_account": "b"}})
        clock.move(seconds=1)
    rule = {"key": "buyer", "measure": "payments", "window_seconds": 3600, "over": 2}
    report = run(stored(counter.store.merchant_id, "velocity", rule))
    assert (report.examined, report.changed) == (4, {"approve>decline": 2})


def test_a_dry_run_of_a_change_takes_the_place_of_its_name(counter: Shop) -> None:
    """The draft stands for the version in force; the other rules stay as they spoke then."""
    merchant = counter.store.merchant_id
    enforce(merchant, "amount_over", {"limits": {"USD": 1000}}, name="big", decision="decline")
    enforce(merchant, "new_seller", {"days": 30}, name="new", decision="review")
    for amount in ("5.00", "15.00", "25.00"):
        counter.accept(counter.body(counter.order(amount)))
    milder = stored(merchant, "amount_over", {"limits": {"USD": 2000}}, name="big", decision="decline")
    assert run(milder).changed == {"decline>review": 1}


def test_a_dry_run_is_bounded(counter: Shop) -> None:
    for _ in range(3):
        counter.accept(counter.body())
    report = run(stored(counter.store.merchant_id, "amount_over", ANY), most=2)
    assert (report.examined, report.is_whole) == (2, False)


def test_a_dry_run_counts_what_was_paid(shop: Shop) -> None:
    shop.pay()
    shop.pay(shop.body(token="pm_card_chargeDeclined"))
    report = run(stored(shop.store.merchant_id, "amount_over", ANY))
    assert (report.changed, report.paid) == ({"approve>decline": 2}, 1)


def test_lists_are_audited_without_their_values(counter: Shop) -> None:
    merchant = counter.store.merchant_id
    list_id = listed(merchant, "bad", "block", "email", "quokka@example.com")
    entry = RiskListEntry.objects.get()
    with pytest.raises(ListEntryExists), transaction.atomic():
        add_to_list(list_id=list_id, value=" QUOKKA@example.com", by=BY, reason="again")
    with pytest.raises(ListExists), transaction.atomic():
        create_list(merchant_id=merchant, name="bad", kind="allow", key_kind="ip", by=BY)
    with pytest.raises(CardDataForbidden), transaction.atomic():
        add_to_list(list_id=list_id, value="4242424242424242", by=BY, reason="card")
    with transaction.atomic():
        remove_from_list(entry_id=entry.pk, by=BY, reason="a mistake")
    with pytest.raises(RuleStateConflict), transaction.atomic():
        remove_from_list(entry_id=entry.pk, by=BY, reason="a mistake")
    body = counter.body() | {"buyer_info": {"email": "quokka@example.com"}}
    assert counter.accept(body)["risk"]["decision"] == "approve"
    with transaction.atomic():
        add_to_list(list_id=list_id, value="quokka@example.com", by=BY, reason="not a mistake")
    records = AuditRecord.objects.filter(subject="risk_list:bad")
    assert [r.action for r in records.order_by("seq")] == [
        "risk_list.create",
        "risk_list.add",
        "risk_list.remove",
        "risk_list.add",
    ]
    assert "quokka" not in str(list(records.values()))


def test_two_versions_drafted_at_once_are_two_versions(shop: Shop) -> None:
    merchant = shop.store.merchant_id
    stored(merchant, "amount_over", ANY, name="big")

    def again() -> UUID:
        return stored(merchant, "amount_over", ANY, name="big")

    results = race([again, again], connected=True)
    refused = [each for each in results if isinstance(each, RuleStateConflict)]
    assert len(refused) <= 1 and all(isinstance(each, UUID | RuleStateConflict) for each in results)
    versions = list(RiskRule.objects.order_by("version").values_list("version", flat=True))
    assert versions == list(range(1, 4 - len(refused)))


def test_a_decision_names_the_checkout_that_it_is_about(counter: Shop) -> None:
    accepted = counter.accept(counter.body())
    assert RiskDecision.objects.get().subject_id == parse_public_id(accepted["id"], "chk")
