"""Rules, lists and decisions in the console: from a draft through a run over history to a rule in force."""

import json
from typing import Any

import pytest
from django.test import Client

from core.ids import public_id
from core.models import AuditRecord
from risk.models import RiskDecision, RiskDryRun, RiskList, RiskListEntry, RiskRule
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.payments.conftest import Shop, counter
from tests.risk.rules import enforce, listed

__all__ = ["counter"]

pytestmark = pytest.mark.django_db
RULES = "/admin/risk/riskrule/"
LISTS = "/admin/risk/risklist/"


@pytest.fixture
def risk(db: None) -> Client:
    return console(person("rita", "risk"))


def filled(shop: Shop, **other: Any) -> dict[str, Any]:
    """The form of a draft."""
    return {
        "merchant": public_id("mer", shop.store.merchant_id),
        "name": "big-payments",
        "kind": "amount_over",
        "params": json.dumps({"limits": {"USD": 5000}}),
        "decision": "review",
        "score": "0",
        "reason": "more than 50 dollars",
        "on_error": "review",
        **other,
    }


def test_a_rule_from_draft_to_force(counter: Shop, risk: Client) -> None:
    """A rule change is run over history before it can count, and the page shows what it would have done."""
    for amount in ("10.00", "60.00", "70.00"):
        counter.accept(counter.body(counter.order(amount)))
    drafted = risk.post(f"{RULES}draft/", filled(counter))
    rule = RiskRule.objects.get()
    assert drafted.status_code == 302 and drafted.url == f"{RULES}{rule.pk}/dry-run/"
    assert "cannot be activated" in text(risk.get(drafted.url))

    too_soon = risk.post(f"{RULES}{rule.pk}/activate/", {"reason": "hurry"})
    assert "Run exactly this version over history first" in too_soon.content.decode()
    assert RiskRule.objects.get().status == "DRAFT"

    ran = risk.post(drafted.url, {"days": "30"})
    assert ran.status_code == 302
    report = text(risk.get(drafted.url))
    assert "Payments examined 3 Decided otherwise 2" in report and "130.00 USD" in report

    done = risk.post(f"{RULES}{rule.pk}/activate/", {"reason": "seen the run"})
    assert done.status_code == 302
    assert RiskRule.objects.get().status == "ACTIVE"
    assert counter.accept(counter.body(counter.order("60.00")))["risk"]["decision"] == "review"
    actions = set(AuditRecord.objects.values_list("action", flat=True))
    assert {"risk_rule.draft", "risk_rule.dry_run", "risk_rule.activate"} <= actions


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"params": "{"}, "This is not JSON"),
        ({"params": "[]"}, "Give an object"),
        ({"params": "{}"}, "limits is missing"),
        ({"name": "No Spaces"}, "A name is a to z"),
        ({"decision": "", "score": "0"}, "A rule needs a score or a decision"),
    ],
)
def test_a_draft_that_is_wrong_says_so(counter: Shop, risk: Client, other: Any, says: str) -> None:
    answer = risk.post(f"{RULES}draft/", filled(counter, **other))
    assert answer.status_code == 200 and says in text(answer)
    assert not RiskRule.objects.exists()


def test_the_next_version_begins_with_the_last(counter: Shop, risk: Client) -> None:
    rule = enforce(counter.store.merchant_id, "amount_over", {"limits": {"USD": 77}}, name="big")
    form = risk.get(f"{RULES}draft/?from={rule}").content.decode()
    assert "77" in form and 'value="big"' in form
    assert risk.get(f"{RULES}draft/?from=nonsense").status_code == 200


def test_pages_show_and_lists_lead_on(counter: Shop, risk: Client) -> None:
    enforce(
        counter.store.merchant_id, "amount_over", {"limits": {"USD": 0}}, name="big", reason="why <b>not</b>"
    )
    counter.accept(counter.body(counter.order("10.00")))
    assert "big" in text(risk.get(RULES)) and "Draft a rule" in risk.get(RULES).content.decode()
    page = risk.get(f"{RULES}{RiskRule.objects.get().pk}/change/")
    assert "Last run over history" in text(page) and "<b>not</b>" not in page.content.decode()
    decisions = risk.get("/admin/risk/riskdecision/")
    assert "Decline" in text(decisions)
    one = text(risk.get(f"/admin/risk/riskdecision/{RiskDecision.objects.get().pk}/change/"))
    assert "10.00 USD" in one and "why &lt;b&gt;not&lt;/b&gt;" in one
    found = risk.get(f"/admin/risk/riskdecision/?q={public_id('chk', RiskDecision.objects.get().subject_id)}")
    assert "Decline" in text(found)
    assert risk.get("/admin/risk/riskdecision/?q=nonsense").status_code == 200


def test_a_list_and_its_values(counter: Shop, risk: Client) -> None:
    made = risk.post(
        f"{LISTS}create/",
        {
            "merchant": public_id("mer", counter.store.merchant_id),
            "name": "bad-mail",
            "kind": "block",
            "key_kind": "email",
        },
    )
    page = RiskList.objects.get()
    assert made.url == f"{LISTS}{page.pk}/change/"
    assert "No active rule reads this list" in text(risk.get(made.url))
    risk.post(f"{LISTS}{page.pk}/add/", {"value": "quokka@example.com", "reason": "fraud"})
    shown = text(risk.get(made.url))
    assert "q…@example.com" in shown and "quokka" not in shown
    twice = risk.post(f"{LISTS}{page.pk}/add/", {"value": "quokka@example.com", "reason": "fraud"})
    assert "on the list already" in text(twice)
    entry = RiskListEntry.objects.get()
    risk.post(f"/admin/risk/risklistentry/{entry.pk}/remove/", {"reason": "a mistake"})
    assert RiskListEntry.objects.get().removed_at is not None
    assert "Nothing is on this list yet" in text(risk.get(made.url))


def test_only_the_role_risk_changes_anything(counter: Shop) -> None:
    """A-E3, A-E9: an auditor reads every page and can send nothing; others do not even see them."""
    list_id = listed(counter.store.merchant_id, "bad", "block", "ip", "203.0.113.1")
    rule, entry = RiskRule.objects.get(), RiskListEntry.objects.get()
    shown = [
        RULES,
        f"{RULES}{rule.pk}/change/",
        f"{RULES}{rule.pk}/dry-run/",
        LISTS,
        f"{LISTS}{list_id}/change/",
        "/admin/risk/riskdecision/",
        "/admin/risk/risklistentry/",
    ]
    sent = [
        f"{RULES}draft/",
        f"{RULES}{rule.pk}/dry-run/",
        f"{RULES}{rule.pk}/retire/",
        f"{RULES}{rule.pk}/shadow/",
        f"{LISTS}create/",
        f"{LISTS}{list_id}/add/",
        f"/admin/risk/risklistentry/{entry.pk}/remove/",
    ]
    runs = RiskDryRun.objects.count()
    auditor, support = console(person("aud", "auditor")), console(person("sue", "support"))
    assert {auditor.get(url).status_code for url in shown} == {200}
    assert {support.get(url).status_code for url in shown} == {403}
    for client in (auditor, support):
        for url in sent:
            answer = client.post(url, {**filled(counter), "days": "3", "value": "x", "key_kind": "ip"})
            assert answer.status_code == 403, url
    assert RiskRule.objects.get().status == "ACTIVE"
    assert RiskDryRun.objects.count() == runs
    assert RiskListEntry.objects.get().removed_at is None
