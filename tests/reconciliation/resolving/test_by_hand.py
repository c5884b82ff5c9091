"""Categories B and C: proposed by one person with the journal to be seen, decided by another one."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from core import clock
from core.approvals import (
    ApprovalExpired,
    ApprovalVoid,
    FourEyesRequired,
    at_decision_edge,
)
from core.audit_trail import ReasonRequired
from core.models import Approval, AuditRecord, OutboxEvent
from core.transactions import at_edge
from reconciliation.errors import AdjustmentInvalid, BreakStateConflict
from reconciliation.models import Adjustment
from reconciliation.selectors import break_at_desk, preview
from reconciliation.services import (
    approve_adjustment,
    approve_many,
    assign_break,
    comment_on_break,
    drop_lapsed_proposals,
    propose_adjustment,
    propose_many,
    reject_adjustment,
    release_break,
    withdraw_adjustment,
)
from tests.reconciliation.resolving.conftest import MIA, NOA, Shop

pytestmark = pytest.mark.django_db


def test_an_entry_is_proposed_seen_agreed_to_and_posted(shop: Shop) -> None:
    """I30, DESIGN 9.5: what is posted is what both have seen, line by line."""
    charge = shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    row = shop.only()
    assert (row.category, row.status) == ("B", "OPEN")
    shown = break_at_desk(discrepancy_id=row.id)
    assert (shown.open_minor, shown.clearing_key, shown.offers) == (200, str(charge.id), ("A5", "none"))
    assert shown.prepared is not None and (shown.prepared.template, shown.prepared.amount_minor) == (
        "A5",
        200,
    )
    approval = shop.propose(row, "A5")
    shown = break_at_desk(discrepancy_id=row.id, merchant_id=shop.merchant_id)
    [proposed] = shown.adjustments
    assert (proposed.status, proposed.maker, proposed.approval_id) == ("PROPOSED", MIA, approval.pk)
    assert [(each.role, each.debit_minor, each.credit_minor) for each in preview(approval.instruction)] == [
        ("recon_difference", 200, 0), ("psp_clearing", 0, 200),
    ]  # fmt: skip
    assert shop.at("psp_clearing") == 200
    at_decision_edge(approve_adjustment)(approval_id=approval.pk, checker=NOA)
    [made] = shop.adjustments()
    assert (made.status, made.maker, made.checker, made.approval_id) == ("POSTED", MIA, NOA, approval.pk)
    assert (shop.at("psp_clearing"), shop.at("recon_difference")) == (0, 200)
    row.refresh_from_db()
    assert (row.status, row.resolution) == ("RESOLVED", "A5: looked at it")
    assert OutboxEvent.objects.filter(subject=row.public_id, type="discrepancy.resolved").count() == 1
    actions = (
        AuditRecord.objects.filter(subject=row.public_id).order_by("pk").values_list("action", flat=True)
    )
    assert list(actions) == [
        "adjustment.propose",
        "approval.request",
        "approval.approve",
        "adjustment.post",
    ] or (set(actions) == {"adjustment.propose", "approval.request", "approval.approve", "adjustment.post"})
    assert [each.to_state for each in break_at_desk(discrepancy_id=row.id).history] == [
        "OPEN",
        "PROPOSED",
        "RESOLVED",
    ]


@pytest.mark.parametrize("checker", [MIA, "key:01", "system", "rule:difference"])
def test_nobody_agrees_with_themselves(shop: Shop, checker: str) -> None:
    """I30, A-E7: neither the maker nor anything that is no person."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    approval = shop.propose(shop.only(), "A5")
    with pytest.raises(FourEyesRequired):
        at_decision_edge(approve_adjustment)(approval_id=approval.pk, checker=checker)
    assert (shop.adjustments()[0].status, shop.at("recon_difference")) == ("PROPOSED", 0)


@pytest.mark.database
def test_the_database_asks_for_two_people_or_a_rule(shop: Shop) -> None:
    """I30, R7: whatever the code does."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    shop.propose(shop.only(), "A5")
    for columns in (
        {"status": "POSTED", "checker": MIA, "entry_id": 1},
        {"status": "POSTED", "checker": NOA, "entry_id": 1},
        {"status": "POSTED", "checker": "", "entry_id": 1},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Adjustment.objects.update(**columns)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Adjustment.objects.update(amount_minor=1)


@pytest.mark.parametrize("changed", ["facts._parked", "proposing.evidence_of"])
def test_a_yes_is_to_the_entry_as_it_was_seen(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    """What it rests on is another one meanwhile: the approval is void, and the break is its maker's again."""
    shop.report("pi_x|charge|7000|0")
    row = shop.only()
    approval = shop.propose(row, "A3")
    says = None if changed == "facts._parked" else {"another": "line"}
    monkeypatch.setattr(f"reconciliation.resolving.{changed}", lambda _: says)
    with pytest.raises(ApprovalVoid):
        at_decision_edge(approve_adjustment)(approval_id=approval.pk, checker=NOA)
    approval.refresh_from_db()
    assert (approval.status, shop.at("refunds_in_transit")) == ("VOID", 0)
    assert (drop_lapsed_proposals(), drop_lapsed_proposals()) == (1, 0)
    row.refresh_from_db()
    assert (row.status, row.owner) == ("ASSIGNED", MIA)


def test_a_yes_comes_in_time(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proposal that nobody decided for a week is given back."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    row = shop.only()
    approval = shop.propose(row, "A5")
    later = clock.now() + timedelta(days=8)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(ApprovalExpired):
        at_decision_edge(approve_adjustment)(approval_id=approval.pk, checker=NOA)
    assert drop_lapsed_proposals() == 1
    row.refresh_from_db()
    assert (row.status, shop.adjustments()[0].status) == ("ASSIGNED", "REJECTED")


def test_no_is_a_no_and_may_be_followed_by_something_else(shop: Shop) -> None:
    """Rejected or withdrawn, nothing is posted; explained without an entry, nothing is posted either."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    row = shop.only()
    approval = shop.propose(row, "A5")
    with pytest.raises(BreakStateConflict):
        shop.propose(row, "none")
    at_decision_edge(reject_adjustment)(approval_id=approval.pk, checker=NOA, reason="claim it")
    shop.propose(row, "A5")
    at_edge(withdraw_adjustment)(
        adjustment_id=shop.adjustments(status="PROPOSED")[0].id, by=MIA, reason="another way"
    )
    assert not Approval.objects.filter(subject=row.public_id, status="PENDING").exists()
    shop.settle(row, "none")
    assert (row.status, row.resolution) == ("RESOLVED", "none: looked at it")
    assert [each.status for each in shop.adjustments()] == ["REJECTED", "REJECTED", "POSTED"]
    assert shop.at("psp_clearing") == 200


def test_what_was_parked_is_given_back(shop: Shop) -> None:
    """A1, A3: suspense is zero by the line; the refund is in transit until a file has it."""
    shop.report("pi_x|charge|7000|0")
    row = shop.only()
    assert break_at_desk(discrepancy_id=row.id).offers == ("A2", "A3", "none")
    shop.settle(row, "A3")
    [_, made] = shop.adjustments()
    assert shop.books()["refunds_in_transit", str(made.id)] == -7000
    assert (row.status, shop.at("suspense_receipts")) == ("RESOLVED", 0)


def test_a_payment_that_the_provider_denies_is_written_off(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4: the marketplace bears it; two people."""
    from reconciliation.services import look_again
    from tests.reconciliation.resolving.conftest import DAY, at_day

    shop.charge("pi_1", 5000)
    shop.report("f|fee|-1|0", day=DAY + timedelta(days=2))
    at_day(monkeypatch, DAY + timedelta(days=20))
    look_again(source_id=shop.psp.id)
    row = shop.only()
    assert (row.break_class, break_at_desk(discrepancy_id=row.id).offers) == (
        "MISSING_EXTERNAL",
        ("A4", "A5", "none"),
    )
    shop.settle(row, "A4")
    assert (shop.at("recon_loss"), shop.at("psp_clearing")) == (5000, 0)


def test_a_buyer_who_paid_twice_is_owed_it(shop: Shop) -> None:
    """A6, F-H11: the second line is the buyer's money."""
    shop.charge("pi_1", 5000)
    shop.report("pi_1|charge|5000|0", "pi_1|charge|5000|0")
    row = shop.only()
    assert row.break_class == "DUPLICATE_EXTERNAL"
    shop.settle(row, "A6")
    assert (shop.at("customer_overpayment"), shop.at("psp_clearing")) == (-5000, 0)


def test_a_fee_is_claimed_in_part(shop: Shop) -> None:
    """A7: negative where the provider is to give back; never more than is at stake."""
    from tests.reconciliation.resolving.settings import setting

    prices = [{"method": "card", "bps": 290, "fixed_minor": 30}]
    setting("reconciliation.fee_terms", {"psp": {"prices": prices, "tolerance_minor": 1}})
    charge = shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|10000|600")
    row = shop.only()
    assert (row.break_class, row.amount_minor) == ("FEE_DIFFERENCE", 280)
    with pytest.raises(AdjustmentInvalid):
        shop.propose(row, "A7", amount_minor=-281)
    shop.settle(row, "A7", amount_minor=-200)
    assert (shop.at("psp_fee"), shop.books()["psp_clearing", str(charge.id)]) == (400, 200)


@pytest.mark.parametrize(
    ("template", "parameters"),
    [
        *((name, {}) for name in ("A1", "A2", "A3", "A4", "A6", "A7", "A8", "A9", "A10", "match", "x")),
        *(("A5", {"amount_minor": minor}) for minor in (201, -200, 0, "200", True)),
        ("A5", {"account": 1}),
        ("none", {"amount_minor": 1}),
    ],
)
def test_an_entry_that_does_not_fit_is_refused(shop: Shop, template: str, parameters: dict) -> None:
    """A break of 200 minor units too little takes A5 up to that, and nothing else."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    with pytest.raises(AdjustmentInvalid):
        shop.propose(shop.only(), template, **parameters)
    assert shop.adjustments() == []


def test_only_people_propose_and_say_why(shop: Shop) -> None:
    """Keys and rules do not propose; an explanation is words."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    given = {"discrepancy_id": shop.only().id, "template": "A5"}
    with pytest.raises(FourEyesRequired):
        at_edge(propose_adjustment)(**given, reason="x", maker="key:1")
    with pytest.raises(ReasonRequired):
        at_edge(propose_adjustment)(**given, reason=" ", maker=MIA)


def test_breaks_are_taken_given_back_and_written_about(shop: Shop) -> None:
    """Who deals with it, and what they found."""
    shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9800|0")
    row = shop.only()
    at_edge(assign_break)(discrepancy_id=row.id, owner=MIA, by=NOA)
    with pytest.raises(BreakStateConflict):
        at_edge(assign_break)(discrepancy_id=row.id, owner=NOA, by=NOA)
    at_edge(comment_on_break)(discrepancy_id=row.id, text="asked the provider", by=MIA)
    at_edge(release_break)(discrepancy_id=row.id, by=MIA, reason="holidays")
    shown = break_at_desk(discrepancy_id=row.id)
    assert [(each.by, each.text) for each in shown.notes] == [(MIA, "asked the provider")]
    assert (shown.row.status, shown.row.owner) == ("OPEN", "")


def test_many_of_one_class_at_once(shop: Shop) -> None:
    """Each has its own entry; one that does not fit is refused alone, and classes do not mix."""
    for n in range(3):
        shop.charge(f"pi_{n}", 10_000)
    shop.report(*(f"pi_{n}|charge|{9800 - n}|0" for n in range(3)), "pi_9|charge|500|0")
    rows = [row for row in shop.rows() if row.break_class == "AMOUNT_MISMATCH"]
    shop.propose(rows[0], "A5")
    given = {"template": "A5", "reason": "agreed with the provider", "maker": MIA}
    done = at_edge(propose_many)(discrepancy_ids=[row.id for row in rows], **given)
    assert (len(done.done), list(done.refused)) == (2, [rows[0].id])
    with pytest.raises(AdjustmentInvalid):
        at_edge(propose_many)(discrepancy_ids=[row.id for row in shop.rows()], **given)
    waiting = list(
        Approval.objects.filter(action="adjustment.post", status="PENDING").values_list("pk", flat=True)
    )
    said = at_decision_edge(approve_many)(approval_ids=waiting, checker=MIA)
    assert (said.done, len(said.refused)) == ((), 3)
    said = at_decision_edge(approve_many)(approval_ids=waiting, checker=NOA)
    assert (len(said.done), said.refused) == (3, {})
    assert shop.at("recon_difference") == 200 + 201 + 202
