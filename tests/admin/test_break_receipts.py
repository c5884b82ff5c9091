"""The desk about money that nobody knew: an order's, a batch's, and what a provider denies."""

import re
from datetime import timedelta

import pytest

from core import clock
from reconciliation.services import look_again
from tests.admin.paying_out import said
from tests.admin.test_break_desk import finance, fresh, page_of, press, waiting
from tests.admin.test_risk_desk import text
from tests.payments.captured import capture
from tests.payments.conftest import Shop as Store
from tests.payments.conftest import counter as counter
from tests.reconciliation.banking.conftest import bank as bank
from tests.reconciliation.banking.rig import Bank, entry
from tests.reconciliation.banking.test_suspense import of_lines
from tests.reconciliation.conftest import plain_formats as plain_formats
from tests.reconciliation.resolving.conftest import Shop
from tests.reconciliation.resolving.test_identifying import ended, eur
from tests.reconciliation.resolving.test_identifying import shop as shop
from tests.reconciliation.seeded import at_day

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def test_a_receipt_is_identified_as_an_order_on_the_page(shop: Shop, counter: Store) -> None:
    """A2: the order is typed, its journal is seen by both, and the order is paid when the second says yes."""
    [order] = ended(counter, eur(counter))
    shop.report("pi_stray|charge|9000|40")
    row = shop.only()
    maker, checker = finance()
    page = text(maker.get(page_of(row), {"template": "A2"}))
    assert "It is what an order was waiting for" in page and "Name the order that the money is for" in page
    assert "There is no order o-none" in text(maker.get(page_of(row), {"template": "A2", "named": "o-none"}))
    name = order.payment_order_id
    page = text(maker.get(page_of(row), {"template": "A2", "named": name}))
    for words in ("Seller pending (ann) Credit 81.00 EUR", "Suspense receipts Debit 90.00 EUR"):
        assert words in page.replace(f"line:{row.line_id} ", ""), words
    assert "The order becomes paid" in page and "PSP clearing" not in page.split("this is posted")[1]
    press(maker, row, "propose", "the buyer sent us the receipt", template="A2", named=name)
    assert "Seller pending (ann)" in text(checker.get(page_of(row)))
    assert "Approved" in said(press(checker, row, "approve", approval=waiting(row)))
    order.refresh_from_db()
    assert (order.status, fresh(row).status) == ("SUCCESS", "RESOLVED")
    page = text(maker.get(page_of(row)))
    assert "Open it again" not in page and "The line is not this movement" in page


def test_who_bears_what_is_denied_is_chosen_on_the_page(
    shop: Shop, counter: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A4: the sellers' part first, or all of it the marketplace's; each with its own journal."""
    capture(counter, eur(counter))
    day = clock.today()
    at_day(monkeypatch, day + timedelta(days=5))
    shop.report("f|fee|-1|0", day=day + timedelta(days=2))
    at_day(monkeypatch, day + timedelta(days=20))
    look_again(source_id=shop.psp.id)
    row = shop.only(break_class="MISSING_EXTERNAL")
    maker, checker = finance()
    html = maker.get(page_of(row)).content.decode()
    assert "Who bears it?" in html and "Seller cover (ann)" in html and "Recon loss" not in html
    [platform] = re.findall(r'href="(\?[^"]*named=platform[^"]*)"', html)
    page = text(maker.get(page_of(row) + platform.replace("&amp;", "&").partition("#")[0]))
    assert "Recon loss Debit 90.00 EUR" in page and "Seller cover" not in page
    press(maker, row, "propose", "they never had it", template="A4", named="platform")
    press(checker, row, "approve", approval=waiting(row))
    assert (shop.at("recon_loss"), fresh(row).status) == (9000, "RESOLVED")


def test_a_line_of_the_bank_is_closed_on_the_page(bank: Bank) -> None:
    """B4: the batches on their way are offered, the nearest first; B6 says when there is no other line."""
    bank.reported("po_0000000001", 9710)
    bank.show(entry(9660, text="thank you"))
    [row] = of_lines()
    maker, checker = finance()
    html = maker.get(page_of(row), {"template": "B4"}).content.decode()
    assert "Which batch is it?" in html and "97.10" in html
    [choice] = re.findall(r'href="\?[^"]*named=([^"&#]+)', html)
    assert "No other line of this bank" in text(maker.get(page_of(row), {"template": "B6"}))
    key = choice.replace("%3A", ":")
    page = text(maker.get(page_of(row), {"template": "B4", "named": key}))
    assert "Bank fee Debit 0.50 EUR" in page and "Propose · 96.60 EUR" in page
    press(maker, row, "propose", "the bank wrote it", template="B4", named=key)
    press(checker, row, "approve", approval=waiting(row))
    assert (fresh(row).status, bank.keys("suspense_receipts")) == ("RESOLVED", {})
    assert maker.get(page_of(row)).status_code == 200
