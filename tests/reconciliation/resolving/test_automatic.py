"""Category A: what rules close by themselves, within their caps, and with the evidence."""

from datetime import timedelta

import pytest

from core.canonical import digest
from core.models import AuditRecord
from reconciliation.models import Discrepancy
from reconciliation.resolving.steps import adjust_what_waits
from tests.reconciliation.resolving.conftest import DAY, Shop

pytestmark = pytest.mark.django_db


def test_a_rounding_is_posted_and_the_break_resolved(shop: Shop) -> None:
    """R7, A10: rule, evidence and entry; the key of the payment is zero."""
    charge = shop.charge("pi_1", 10_000)
    file = shop.report("pi_1|charge|9999|0")
    row = shop.only()
    assert (row.status, row.category) == ("RESOLVED", "A")
    assert row.resolution == "A10 posted by rule rounding, version 1"
    [made] = shop.adjustments()
    assert (made.template, made.automatic, made.rule_name, made.rule_version) == ("A10", True, "rounding", 1)
    assert (made.status, made.maker, made.amount_minor) == ("POSTED", "rule:rounding", 1)
    assert bytes(made.evidence_digest) == digest(made.evidence)
    assert made.evidence["file"]["sha256"] == bytes(file.sha256).hex()
    assert made.evidence["line"]["gross_minor"] == 9999
    assert made.evidence["movement"]["matches"][0]["subject"] == str(charge.id)
    books = shop.books()
    assert ("psp_clearing", str(charge.id)) not in books
    assert books["rounding", ""] == 1
    told = AuditRecord.objects.get(action="adjustment.post", merchant_id=shop.merchant_id)
    assert (told.actor, told.subject) == ("rule:rounding", row.public_id)


@pytest.mark.parametrize("said", [9_995, 10_005])
def test_a_small_difference_is_absorbed_either_way(shop: Shop, said: int) -> None:
    """A5: the provider said less, or more."""
    shop.charge("pi_1", 10_000)
    shop.report(f"pi_1|charge|{said}|0")
    assert shop.breaks() == [("AMOUNT_MISMATCH", "A", "RESOLVED", 5)]
    assert (shop.at("psp_clearing"), shop.at("recon_difference")) == (0, 10_000 - said)


def test_an_unknown_capture_is_parked_and_stays_open(shop: Shop) -> None:
    """A1: nobody can spend it; the break is for people, and the rule does not come back to it."""
    file = shop.report("pi_x|charge|7000|100")
    assert shop.breaks() == [("MISSING_INTERNAL", "B", "OPEN", 7000)]
    key = f"line:{shop.lines_of(file)[0]}"
    assert shop.books()["suspense_receipts", key] == -7000
    assert shop.at("psp_clearing") == 0
    assert "in suspense" in shop.notes()[0]
    assert adjust_what_waits() == 0
    assert len(shop.adjustments()) == 1


def test_over_the_cap_of_a_break_people_decide(shop: Shop) -> None:
    """R7: one minor unit over the cap; nothing is posted, the entry is prepared."""
    shop.seed(small_difference={"cap_line_minor": 4})
    shop.charge("pi_1", 10_000)
    shop.charge("pi_2", 10_000)
    shop.report("pi_1|charge|9996|0", "pi_2|charge|9995|0")
    assert shop.breaks() == [
        ("AMOUNT_MISMATCH", "A", "RESOLVED", 4),
        ("AMOUNT_MISMATCH", "B", "OPEN", 5),
    ]
    assert "over its cap of 4" in shop.notes()[0]
    assert (shop.at("recon_difference"), len(shop.adjustments())) == (4, 1)


def test_over_the_cap_of_a_day_people_decide(shop: Shop) -> None:
    """R7: the sum of a business day and currency; another day begins anew."""
    shop.seed(small_difference={"cap_day_minor": 12})
    for n in range(4):
        shop.charge(f"pi_{n}", 10_000)
    shop.report(*(f"pi_{n}|charge|9995|0" for n in range(3)))
    assert [each[1:3] for each in shop.breaks()] == [("A", "RESOLVED"), ("A", "RESOLVED"), ("B", "OPEN")]
    assert "of which 10 are posted" in shop.notes()[0]
    shop.report("pi_3|charge|9995|0", day=DAY + timedelta(days=1))
    assert shop.breaks()[-1][1:3] == ("A", "RESOLVED")
    assert shop.at("recon_difference") == 15


def test_each_break_is_dealt_with_once(shop: Shop) -> None:
    """A run that goes on after a crash posts nothing twice."""
    shop.charge("pi_1", 10_000)
    file = shop.take("pi_1|charge|9999|0", "pi_x|charge|500|0")
    run = shop.work_on(file, adjust=False)
    assert shop.adjustments() == []
    before = shop.adjust(run)
    assert shop.adjust(run) == before
    assert len(before) == 2


def test_a_corrected_file_takes_back_what_rules_posted_for_lines_it_has_no_more(shop: Shop) -> None:
    """F-H3: posting takes the line back, and the adjustment goes with it; what did not change stays."""
    charge = shop.charge("pi_1", 10_000)
    shop.report("pi_1|charge|9998|0", "pi_x|charge|700|0", "pi_y|charge|300|0")
    assert (shop.at("suspense_receipts"), shop.at("recon_difference")) == (-1000, 2)
    shop.report("pi_1|charge|10000|0", "pi_y|charge|300|0")
    books = shop.books()
    assert ("psp_clearing", str(charge.id)) not in books
    assert (shop.at("psp_clearing"), shop.at("suspense_receipts"), shop.at("recon_difference")) == (
        0,
        -300,
        0,
    )
    open_now = Discrepancy.objects.exclude(status="RESOLVED").get()
    assert (open_now.amount_minor, open_now.category) == (300, "B")
    # What was parked for it under the version before is still there to be given back.
    shop.settle(open_now, "A3")
    assert (open_now.status, shop.at("suspense_receipts"), shop.at("refunds_in_transit")) == (
        "RESOLVED",
        0,
        -300,
    )
