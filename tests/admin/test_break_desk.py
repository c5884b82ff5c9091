"""The desk of breaks: queues that are narrowed, one break with both sides, two people for every entry."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from console.desks.breaks_words import steps_in_words
from core.audit_trail import user_actor
from core.ids import public_id
from core.models import Approval, AuditRecord, User
from core.transactions import at_edge
from reconciliation.matching.runs import fail_run
from reconciliation.models import Adjustment, BreakRule, Discrepancy, Match, ReconciliationRun, RuleDryRun
from tests.admin.paying_out import said
from tests.admin.people import console, person
from tests.admin.test_risk_desk import text
from tests.reconciliation.conftest import plain_formats as plain_formats
from tests.reconciliation.resolving.conftest import DAY, Shop
from tests.reconciliation.resolving.conftest import shop as shop

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DESK, RUNS, RULES = "/admin/desks/breaks/", "/admin/desks/runs/", "/admin/desks/break-rules/"
ROLES = ("support", "finance_maker", "finance_checker", "risk", "operator", "auditor")


def finance() -> tuple[Client, Client]:
    """A maker and a checker, signed in."""
    return console(person("mia", "finance_maker")), console(person("cora", "finance_checker"))


def page_of(row: Discrepancy) -> str:
    """Where a break is shown."""
    return f"{DESK}{row.public_id}/"


def press(client: Client, row: Discrepancy, action: str, reason: str = "looked at it", **more: str) -> Any:
    """Press a button of a break's page, and follow."""
    return client.post(page_of(row), {"action": action, "reason": reason, **more}, follow=True)


def waiting(row: Discrepancy) -> str:
    """The key of what waits for a second person about a break."""
    return str(Approval.objects.get(subject=row.public_id, status="PENDING").pk)


def fresh(row: Any) -> Any:
    """The row as it is now."""
    return type(row).objects.get(pk=row.pk)


@pytest.fixture
def differs(shop: Shop) -> Discrepancy:
    """A payment that is reported with two euros less."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    return shop.only()


def test_a_break_is_shown_whole_and_closed_by_two_people(shop: Shop, differs: Discrepancy) -> None:
    """I30: both sides, what was tried, the rule's entry; proposed by one, posted by another one's yes."""
    maker, checker = finance()
    page = text(maker.get(page_of(differs)))
    for words in (
        "Amount differs", "2.00 EUR", "98.00 EUR", "100.00 EUR", "-2.00 EUR", "pi_1", "differs",
        "stands for 1 payment", "The line says 98.00 EUR; with us it is a payment of 100.00 EUR",
        "Absorb the difference", "prepared by the rule", "Recon difference Debit 2.00 EUR",
        "PSP clearing (stripe)",
        "Nobody deals with it yet", "L|pi_1|charge|EUR|9800", "The whole payment", "difference version 1",
    ):  # fmt: skip
        assert words in page, words
    assert shop.at("psp_clearing") == 200
    press(maker, differs, "take")
    assert "It is yours" in text(maker.get(page_of(differs)))
    assert "what it says" in text(press(maker, differs, "comment", note="what it says"))
    assert (
        maker.post(page_of(differs), {"action": "propose", "template": "A5", "reason": " "}).status_code
        == 422
    )
    assert "Proposed" in said(press(maker, differs, "propose", "the provider keeps it", template="A5"))
    assert (fresh(differs).status, shop.at("psp_clearing")) == ("PROPOSED", 200)
    page = text(checker.get(page_of(differs)))
    for words in (
        "mia asked at",
        "the provider keeps it",
        "Nothing has changed since then",
        "Approve · 2.00 EUR",
    ):
        assert words in page, words
    assert "Approved: it is in the books" in said(
        press(checker, differs, "approve", approval=waiting(differs))
    )
    [made] = shop.adjustments()
    assert (made.status, made.template, fresh(differs).status, shop.at("psp_clearing")) == (
        "POSTED", "A5", "RESOLVED", 0,
    )  # fmt: skip
    assert (made.maker, made.checker) == (
        user_actor(User.objects.get(username="mia")), user_actor(User.objects.get(username="cora")),
    )  # fmt: skip
    page = checker.get(page_of(differs))
    assert f"Entry #{made.entry_id}" in text(page)
    assert f"/admin/ledger/journalentry/{made.entry_id}/change/" in page.content.decode()


def test_it_is_opened_again_by_two_people(shop: Shop, differs: Discrepancy) -> None:
    """R5: what was posted is taken back by a new entry, and the break is in the queue."""
    maker, checker = finance()
    press(maker, differs, "propose", template="A5")
    press(checker, differs, "approve", approval=waiting(differs))
    assert maker.post(page_of(differs), {"action": "reopen", "reason": ""}).status_code == 422
    press(maker, differs, "reopen", "the provider paid after all")
    assert (fresh(differs).status, shop.at("psp_clearing")) == ("RESOLVED", 0)
    page = text(checker.get(page_of(differs)))
    assert "Open it again" in page and "the provider paid after all" in page
    assert press(maker, differs, "approve_reopening", approval=waiting(differs)).status_code == 403
    press(checker, differs, "approve_reopening", approval=waiting(differs))
    assert (fresh(differs).status, shop.at("psp_clearing")) == ("OPEN", 200)
    assert "takes an earlier one back" in text(checker.get(page_of(differs)))


def test_the_maker_cannot_decide_and_a_yes_is_to_what_the_page_showed(
    shop: Shop, differs: Discrepancy
) -> None:
    """A-E7, I30: not with a second role; a request that is gone decides nothing; what changed is said."""
    both = person("mia", "finance_maker", "finance_checker")
    maker, checker = console(both), console(person("cora", "finance_checker"))
    press(maker, differs, "propose", template="A5")
    asked = waiting(differs)
    html = maker.get(page_of(differs)).content.decode()
    assert 'value="approve"' not in html and 'value="withdraw"' in html
    for action in ("approve", "reject"):
        assert press(maker, differs, action, approval=asked).status_code == 403
    for made_up in ("", "x", str(differs.id)):
        assert "changed meanwhile" in said(press(checker, differs, "approve", approval=made_up))
    assert (fresh(differs).status, shop.adjustments()[0].status) == ("PROPOSED", "PROPOSED")
    # Taken back and proposed anew with another amount: the first request decides nothing.
    press(maker, differs, "withdraw")
    press(maker, differs, "propose", template="A5", amount="1.50")
    assert "changed meanwhile" in said(press(checker, differs, "approve", approval=asked))
    # Somebody changed what it rests on: it is said, and the yes is refused.
    before = transaction.savepoint()
    Match.objects.filter(line_id=differs.line_id).update(live=False)
    page = checker.get(page_of(differs))
    assert "Changed since then: the entry does not fit any more" in text(page)
    assert 'value="approve"' not in page.content.decode()
    assert "changed after the approval was requested" in said(
        press(checker, differs, "approve", approval=waiting(differs))
    )
    assert fresh(differs).status == "PROPOSED"
    # A match that ended cannot hold again.
    transaction.savepoint_rollback(before)
    assert shop.adjustments(status="POSTED") == []


def test_a_part_is_absorbed_and_the_entry_is_seen_before(shop: Shop, differs: Discrepancy) -> None:
    maker, _ = finance()
    page = text(maker.get(page_of(differs), {"template": "A5", "amount": "1.50"}))
    assert "Recon difference Debit 1.50 EUR" in page and "Propose · 1.50 EUR" in page
    before = Adjustment.objects.count()
    refused = text(maker.get(page_of(differs), {"template": "A5", "amount": "3.00"}))
    assert "no more than is open" in refused
    assert "amount" in said(press(maker, differs, "propose", template="A5", amount="x"))
    assert maker.post(page_of(differs), {"action": "comment", "note": " "}).status_code == 422
    assert Adjustment.objects.count() == before
    press(maker, differs, "propose", template="A5", amount="1.50")
    assert shop.adjustments()[0].amount_minor == 150


def test_a_break_is_explained_without_an_entry_rejected_and_given_back(
    shop: Shop, differs: Discrepancy
) -> None:
    maker, checker = finance()
    page = text(maker.get(page_of(differs), {"template": "none"}))
    assert "Nothing is posted. The reason is the explanation" in page
    press(maker, differs, "propose", "a typing error of theirs", template="none")
    assert press(checker, differs, "reject", " ", approval=waiting(differs)).status_code == 422
    press(checker, differs, "reject", "ask them first", approval=waiting(differs))
    assert fresh(differs).status == "ASSIGNED"
    page = text(maker.get(page_of(differs)))
    assert "ask them first" in page and "It is yours" in page
    press(maker, differs, "release", "on holiday")
    assert (fresh(differs).status, fresh(differs).owner) == ("OPEN", "")
    press(maker, differs, "propose", "they said sorry", template="none")
    answer = press(checker, differs, "approve", approval=waiting(differs))
    assert "explained, and nothing was to be posted" in said(answer)
    assert (fresh(differs).status, shop.adjustments(status="POSTED")[0].entry_id) == ("RESOLVED", None)


def test_a_line_is_matched_by_hand_and_taken_apart_again(shop: Shop) -> None:
    """R5: the nearest movements are offered; two people say which it is, and two that it is not."""
    maker, checker = finance()
    shop.charge("pi_ours", 7_000)
    shop.charge("pi_far", 900)
    shop.report("fee|fee|-1|0", day=DAY + timedelta(days=2))
    shop.report("pi_theirs|charge|7000|0", day=DAY + timedelta(days=3))
    row = shop.only(break_class="MISSING_INTERNAL")
    html = maker.get(page_of(row)).content.decode()
    names = re.findall(r"movement=(charge:[0-9a-f-]+:0)", html)
    page = text(maker.get(page_of(row)))
    assert page.index("pi_ours") < page.index("pi_far") and "63.00" not in page.split("pi_ours")[1][:40]
    shown = text(maker.get(page_of(row), {"template": "match", "movement": names[0]}))
    assert ("Matched by hand" in shown and "Psp clearing" in shown) or "clearing" in shown
    press(maker, row, "propose", "the customer wrote it", template="match", movement=names[0])
    press(checker, row, "approve", approval=waiting(row))
    assert fresh(row).status == "RESOLVED"
    [match] = shop.matches(line_id=row.line_id)
    assert match.how == "by_hand"
    line = f"{DESK}lines/{row.line_id}/"
    page = text(maker.get(line))
    assert "A person said so" in page and "70.00 EUR" in page and "The line is not this movement" in page
    assert maker.post(line, {"action": "unmatch", "reason": " "}).status_code == 422
    maker.post(line, {"action": "unmatch", "reason": "it was another one"})
    asked = str(Approval.objects.get(action="match.take_back").pk)
    assert maker.post(line, {"action": "approve_unmatching", "approval": asked}).status_code == 403
    assert "asked at" in text(checker.get(page_of(row)))
    checker.post(line, {"action": "approve_unmatching", "approval": asked})
    assert shop.matches(line_id=row.line_id) == []
    assert fresh(row).status != "RESOLVED"


def test_queues_are_narrowed_and_nobody_counts(shop: Shop, differs: Discrepancy) -> None:
    """Filters stand in the address as chips; pages go by a key; each queue says what is in it."""
    maker, _ = finance()
    shop.report("what|mystery|50|0", day=DAY + timedelta(days=1))
    with CaptureQueriesContext(connection) as queries:
        page = text(maker.get(DESK))
    assert not [each for each in queries if "COUNT(*)" in each["sql"].upper()]
    assert "Amount differs" in page and "× 1" in page and "Unknown kind of line" not in page.split("Due")[1]
    assert "what" in text(maker.get(DESK, {"queue": "investigation"}))
    kept = {
        "class": "AMOUNT_MISMATCH", "currency": "EUR", "source": str(shop.psp.id), "status": "OPEN",
        "age": "0-1", "merchant": public_id("mer", shop.merchant_id),
    }  # fmt: skip
    lost = {
        "class": "LATE", "currency": "USD", "source": str(differs.id), "status": "PROPOSED", "age": ">30",
        "owner": "me", "overdue": "1", "merchant": public_id("mer", differs.id),
    }  # fmt: skip
    for name, value in kept.items():
        assert page_of(differs) in maker.get(DESK, {name: value}).content.decode(), name
    for name, value in lost.items():
        answer = maker.get(DESK, {name: value})
        assert page_of(differs) not in answer.content.decode(), name
        assert "Show all of the queue" in text(answer), name
    page = maker.get(DESK, kept).content.decode()
    assert page.count('class="chip"') == len(kept) and "Take the filter" in page
    for wrong in ({"queue": "nothing"}, {"after": "x"}, {"after": "W10="}, {"after": "y" * 300}):
        assert maker.get(DESK, wrong).status_code == 404, wrong
    assert maker.get(DESK, {"source": "x", "class": "y", "age": "z"}).status_code == 200
    press(maker, differs, "take")
    assert page_of(differs) in maker.get(DESK, {"owner": "me"}).content.decode()


def test_pages_follow_on_each_other(shop: Shop) -> None:
    maker, _ = finance()
    shop.report(*[f"x_{number}|refund|-{number + 100}|0" for number in range(55)])
    seen: list[str] = []
    url = DESK
    for _ in range(2):
        html = maker.get(url).content.decode()
        seen += re.findall(rf'{DESK}(dsc_[0-9a-z]+)/[^"]*">[^<]*<span class="amount"', html)
        found = re.search(r'data-desk-next href="([^"]+)"', html)
        url = DESK + found[1].replace("&amp;", "&") if found else ""
    assert url == "" and len(seen) == len(set(seen)) == 55
    # Beside a break stands its queue, and the keys lead through it.
    second = Discrepancy.objects.order_by("due_at", "pk")[1]
    html = maker.get(page_of(second)).content.decode()
    assert "data-desk-next" in html and "data-desk-previous" in html


def test_many_of_one_class_together(shop: Shop, differs: Discrepancy) -> None:
    """Each has its own entry and answer; several classes at once are refused; a yes needs another person."""
    maker, checker = finance()
    for number in (2, 3):
        shop.charge(f"pi_{number}", 10_000)
    shop.report("pi_2|charge|9700|0", "pi_3|charge|9600|0", "x|refund|-5|0", day=DAY + timedelta(days=1))
    rows = list(Discrepancy.objects.filter(break_class="AMOUNT_MISMATCH").order_by("pk"))
    other = shop.only(break_class="MISSING_INTERNAL")
    assert len(rows) == 3
    url, chosen = f"{DESK}together/", [str(each.id) for each in rows]
    propose = {"action": "propose", "template": "A5", "reason": "agreed with them"}
    several = maker.post(url, {**propose, "break": [*chosen, str(other.id)]}, follow=True)
    assert "several classes" in said(several)
    assert "Choose some" in said(maker.post(url, propose, follow=True))
    assert maker.post(url, {**propose, "break": ["x"]}).status_code == 404
    assert maker.get(url).status_code == 302
    press(maker, rows[0], "propose", template="A5")
    page = text(maker.post(url, {**propose, "break": chosen}))
    assert "2 proposed" in page and "1 refused" in page and "not in a state" in page
    assert maker.post(url, {"action": "approve", "break": chosen}).status_code == 403
    # A yes is to what the page showed: of those that it did not show, nothing is agreed to.
    asked = dict(re.findall(r'name="(asked-[0-9a-f-]+)" value="([^"]+)"', checker.get(DESK).content.decode()))
    assert len(asked) == 3
    page = text(checker.post(url, {"action": "approve", "break": chosen}))
    assert "3 refused" in page and "The request changed meanwhile" in page
    page = text(checker.post(url, {"action": "approve", "break": chosen, **asked}))
    assert "3 approved" in page
    assert {fresh(each).status for each in rows} == {"RESOLVED"}
    assert shop.at("psp_clearing") == 5
    page = text(checker.post(url, {"action": "approve", "break": chosen}))
    assert "3 refused" in page and "Nothing of this break waits" in page


def test_a_yes_to_many_is_refused_to_who_asked(shop: Shop, differs: Discrepancy) -> None:
    both = console(person("mia", "finance_maker", "finance_checker"))
    press(both, differs, "propose", template="A5")
    answer = both.post(f"{DESK}together/", {"action": "approve", "break": [str(differs.id)]})
    assert answer.status_code == 403
    assert fresh(differs).status == "PROPOSED"


def test_what_rules_did_today(shop: Shop) -> None:
    maker, _ = finance()
    assert "No rule closed a break today" in text(maker.get(DESK, {"queue": "rule"}))
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|10001|0")
    page = maker.get(DESK, {"queue": "rule"})
    assert "Amount differs" in text(page) and "Resolved" in text(page)
    assert f"A10 · Rounding Entry #{shop.adjustments()[0].entry_id}" in text(page)
    assert 'name="break"' not in page.content.decode()
    page = text(maker.get(page_of(shop.only())))
    assert "A10 · Rounding" in page and "by rule rounding" in page


def test_runs_and_another_try(shop: Shop, differs: Discrepancy) -> None:
    maker, _ = finance()
    run = ReconciliationRun.objects.get(pk=differs.run_id)
    assert "file.txt" in text(maker.get(RUNS))
    page = text(maker.get(f"{RUNS}{run.id}/"))
    for words in (
        "by reference 1",
        "Amount differs 1",
        "98.00 EUR",
        "In transit, by payout",
        "Breaks that it found",
    ):
        assert words in page, words
    at_edge(fail_run)(run, error="the disk is full")
    page = text(maker.get(f"{RUNS}{run.id}/"))
    assert "It stopped" in page and "the disk is full" in page
    assert page_of(differs) in maker.get(f"{RUNS}{run.id}/").content.decode()
    assert "the disk is full" in text(maker.get(RUNS, {"status": "FAILED"}))
    assert "No run is in this state" in text(maker.get(RUNS, {"status": "QUEUED"}))
    assert "Runs that failed" in text(maker.get("/admin/"))
    assert maker.post(f"{RUNS}{run.id}/", {"action": "retry", "reason": ""}).status_code == 422
    maker.post(f"{RUNS}{run.id}/", {"action": "retry", "reason": "there is room again"})
    assert fresh(run).status == "POSTED"
    again = maker.post(f"{RUNS}{run.id}/", {"action": "retry", "reason": "once more"}, follow=True)
    assert again.status_code == 200 and fresh(run).status == "POSTED"
    assert maker.get(f"{RUNS}{differs.id}/").status_code == 404
    assert maker.get(RUNS, {"before": "x"}).status_code == 404


def test_rules_are_drafted_run_and_put_in_force_by_two(shop: Shop, differs: Discrepancy) -> None:
    maker, checker = finance()
    assert "small_difference" in text(maker.get(RULES))
    merchant = public_id("mer", shop.merchant_id)
    wish = {
        "merchant": merchant, "name": "two_euros", "break_class": "AMOUNT_MISMATCH", "position": "15",
        "conditions": '{"most_minor": 200}', "category": "A", "action": "A5", "cap_line_minor": "200",
        "cap_day_minor": "1000", "sla_hours": "24", "owner_role": "finance_maker", "note": "agreed with them",
    }  # fmt: skip
    for wrong in (
        {"conditions": "x"},
        {"conditions": '{"what": 1}'},
        {"cap_line_minor": "0"},
        {"name": "No!"},
    ):
        assert maker.post(f"{RULES}new/", wish | wrong).status_code == 422, wrong
    answer = maker.post(f"{RULES}new/", wish)
    rule = BreakRule.objects.get(name="two_euros")
    url = f"{RULES}{rule.id}/"
    assert answer.url == url
    assert "It was not run over history yet" in text(maker.get(url))
    refused = maker.post(url, {"action": "activate", "reason": "it is agreed"}, follow=True)
    assert "Run this version over history first" in said(refused)
    day = str(differs.business_date)
    maker.post(url, {"action": "dry_run", "first_day": day, "last_day": day})
    page = text(maker.get(url))
    assert "It takes 1" in page and "2.00 EUR" in page and "difference (B)" in page
    assert RuleDryRun.objects.count() == 1
    maker.post(url, {"action": "activate", "reason": "it is agreed"})
    asked = str(Approval.objects.get(action="break_rule.activate").pk)
    assert maker.post(url, {"action": "approve", "approval": asked}).status_code == 403
    assert "waits for a second person" in text(checker.get(RULES))
    checker.post(url, {"action": "approve", "approval": asked})
    assert fresh(rule).status == "ACTIVE"
    # The next version begins with what this one says, and says in what it differs.
    html = maker.get(f"{RULES}new/", {"from": str(rule.id)}).content.decode()
    assert "two_euros" in html and "most_minor" in html
    maker.post(f"{RULES}new/", wish | {"cap_line_minor": "150"})
    second = BreakRule.objects.get(name="two_euros", version=2)
    page = text(maker.get(f"{RULES}{second.id}/"))
    assert "Against version 1, which is in force" in page and "cap line minor 200 150" in page
    maker.post(url, {"action": "retire", "reason": "not any more"})
    asked = str(Approval.objects.get(action="break_rule.retire", status="PENDING").pk)
    checker.post(url, {"action": "reject", "approval": asked, "reason": "keep it"})
    assert fresh(rule).status == "ACTIVE"


def test_rights(shop: Shop, differs: Discrepancy) -> None:
    """A-E3: all of the staff look; finance proposes; checkers decide; others see nothing."""
    run = ReconciliationRun.objects.get(pk=differs.run_id)
    line, rule = f"{DESK}lines/{differs.line_id}/", BreakRule.objects.filter(status="ACTIVE")[0]
    pages = (DESK, page_of(differs), line, RUNS, f"{RUNS}{run.id}/", RULES, f"{RULES}{rule.id}/")
    asks = {
        page_of(differs): ("take", "release", "comment", "propose", "withdraw", "reopen"),
        line: ("unmatch",),
        f"{RUNS}{run.id}/": ("retry",),
        f"{RULES}{rule.id}/": ("dry_run", "activate", "retire"),
        f"{DESK}together/": ("propose",),
    }
    decides = {
        page_of(differs): ("approve", "reject", "approve_reopening", "reject_reopening"),
        line: ("approve_unmatching", "reject_unmatching"),
        f"{RULES}{rule.id}/": ("approve", "reject"),
        f"{DESK}together/": ("approve",),
    }
    for role in ROLES:
        client = console(person(role, role))
        for page in pages:
            answer = client.get(page)
            assert answer.status_code == 200, (role, page)
            if not role.startswith("finance"):
                assert 'name="action"' not in answer.content.decode(), (role, page)
        assert client.get(f"{RULES}new/").status_code == (200 if role.startswith("finance") else 403), role
        refused = {} if role.startswith("finance") else asks
        for table in (refused, {} if role == "finance_checker" else decides):
            for page, actions in table.items():
                for action in actions:
                    answer = client.post(page, {"action": action, "reason": "x", "template": "A5"})
                    assert answer.status_code == 403, (role, page, action)
    assert (
        fresh(differs).status == "OPEN" and not AuditRecord.objects.filter(subject=differs.public_id).exists()
    )
    nobody = console(person("una"))
    for page in pages:
        assert Client().get(page).status_code == 302, page
        assert nobody.get(page).status_code == 403, page
    maker = console(person("mona", "finance_maker"))
    for unknown in (f"{DESK}dsc_unknown/", f"{DESK}{public_id('dsc', run.id)}/", f"{DESK}lines/1/",
                    f"{RULES}{run.id}/", f"{DESK}lines/99999999999999999999/"):  # fmt: skip
        assert maker.get(unknown).status_code == 404, unknown
    for page in asks:
        assert maker.post(page, {"action": "nothing"}).status_code == 404, page


def test_nothing_happens_by_a_get_or_without_a_token(shop: Shop, differs: Discrepancy) -> None:
    """A-E4: every button is a POST with a token."""
    maker = console(person("mia", "finance_maker"), enforce_csrf_checks=True)
    for page in (page_of(differs), f"{DESK}together/"):
        assert maker.post(page, {"action": "take", "break": str(differs.id)}).status_code == 403
        maker.get(page, {"action": "take", "template": "A5", "reason": "x", "break": str(differs.id)})
    assert (fresh(differs).status, shop.adjustments()) == ("OPEN", [])


def test_text_of_files_cannot_deceive_a_f17(shop: Shop) -> None:
    """A-F17: what a file says is text, never a part of the page."""
    maker, _ = finance()
    shop.report("<b>x|charge|500|0", day=DAY + timedelta(days=1))
    html = maker.get(page_of(shop.only())).content.decode()
    assert "<b>x" not in html and "&lt;b&gt;x" in html


def test_the_first_page_says_what_waits(shop: Shop, differs: Discrepancy) -> None:
    home = text(console(person("ada", "auditor")).get("/admin/"))
    assert "Breaks to adjust" in home and "2.00 EUR" in home and "Breaks to investigate" in home


def test_steps_of_any_shape_are_told() -> None:
    """What a step says is never lost: the same word with other figures, and words of later versions."""
    steps = [
        {"step": "batch", "due_minor": "1234", "shown_before": 2},
        {"step": "in_transit", "sent_on": "2026-01-05", "names": ["a", "b"]},
        {"step": "reference", "looked_for": "pi_1", "kind": "charge", "found": 0},
        {"step": "fee", "line_minor": "30", "expected_minor": "25"},
    ]
    said = [each.says for each in steps_in_words(steps, line_currency="EUR", currency="EUR")]
    assert said == [
        "Batch: due: 12.34 EUR, shown before: 2",
        "In transit: sent on: 2026-01-05, names: a, b",
        "We know of no payment that the provider calls pi_1.",
        "The provider took 0.30 EUR; the terms say 0.25 EUR.",
    ]
