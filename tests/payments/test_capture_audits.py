"""Each audit of how captured money was divided finds what it is for; on good data all of them are clean."""

import pytest

from core.audits import CLEAN, NOT_EXERCISED, run_audits
from payments.capture_audits import INVARIANTS
from tests.ledger.breakage import broken
from tests.payments.conftest import Shop

pytestmark = pytest.mark.database
NAMES = [each.name for each in INVARIANTS]
_SHIFT = "UPDATE payments_ordershare SET commission_minor = commission_minor + {0}, {1} = {1} - {0}"
_LEG = (
    "UPDATE ledger_journalline SET amount_minor = amount_minor {} WHERE account_id IN"
    " (SELECT id FROM ledger_account WHERE role = '{}')"
)
BREAKS: dict[str, list[str]] = {
    "share_is_that_of_the_terms": [
        # The parts still add up to what was captured, and the books say the same.
        _SHIFT.format(1, "seller_net_minor"),
        _SHIFT.format(-1, "tax_minor"),
        "UPDATE merchants_sellerterms SET commission_bps = commission_bps + 100",
        "UPDATE merchants_sellerterms SET tax_bps = tax_bps + 100 WHERE commission_bps > 0",
        "UPDATE merchants_sellerterms SET effective_at = now() + interval '1 day'",
    ],
    "capture_legs_are_the_shares": [
        f"{_LEG.format('- 1', 'commission')}; {_LEG.format('+ 1', 'tax_payable')}",
        f"{_LEG.format('- 1', 'seller_pending')}; {_LEG.format('+ 2', 'commission')}",
        "DELETE FROM ledger_journalline WHERE amount_minor < 0",
    ],
    "provider_reference_once": [
        "UPDATE payments_charge SET psp_reference = 'pi_1', channel_id = (SELECT min(channel_id::text)::uuid"
        " FROM payments_charge)",
    ],
    "parts_share_a_currency": [
        "UPDATE payments_charge SET amount_currency = 'EUR'",
        "UPDATE payments_pspoperation SET currency = 'EUR'",
        "UPDATE ledger_journalline SET currency = 'EUR' WHERE amount_minor > 0",
        "UPDATE payments_paymentorder SET amount_currency = 'JPY' WHERE position = 0",
    ],
}


@pytest.mark.django_db(transaction=True)
def test_each_audit_finds_each_damage(shop: Shop) -> None:
    """I13, I16, I17, P5: amounts that need rounding, several sellers, a declined charge beside them."""
    for amount in ("90.00", "0.01", "0.05", "33.33", "12345.67"):
        assert shop.pay(shop.body(shop.order(amount), shop.order("10.01", "bob")))["status"] == "succeeded"
    assert shop.pay(shop.body(token="pm_card_chargeDeclined"))["status"] == "failed"
    report = run_audits(names=NAMES, store=False)
    assert {each.name: each.verdict for each in report.findings} == dict.fromkeys(NAMES, CLEAN)
    missed = []
    for name, sql in [(name, sql) for name, all_ in BREAKS.items() for sql in all_]:
        (query,) = [each.sql.encode() for each in INVARIANTS if each.name == name]
        with broken(tables="^((ledger|payments)_|merchants_sellerterms)") as owner:
            assert owner.execute(query).fetchall() == []
            owner.execute(sql.encode())
            if not owner.execute(query).fetchall():
                missed.append((name, sql))
    assert missed == []


def test_every_audit_is_broken_here() -> None:
    assert set(BREAKS) == set(NAMES)


@pytest.mark.django_db(transaction=True)
def test_an_audit_of_nothing_says_so() -> None:
    assert {each.verdict for each in run_audits(names=NAMES, store=False).findings} == {NOT_EXERCISED}
