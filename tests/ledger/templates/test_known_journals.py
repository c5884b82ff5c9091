"""Every journal with the amounts that finance agreed on, written here a second time and by hand."""

import pytest

from core.money import format_minor
from ledger.templates.documentation import PaperBooks
from ledger.templates.registry import JOURNALS, THEMES

# Debits, then credits; an amount without a currency is in USD.
KNOWN = {
    "P2": ("psp_clearing 100.00", "seller_pending 90.00, commission 8.33, tax_payable 1.67"),
    "P3": ("psp_fee 2.95", "psp_fee_accrued 2.95"),
    "P4a": ("psp_settlement_in_transit 97.10, psp_fee 2.90", "psp_clearing 100.00"),
    "P4b": (
        "psp_settlement_in_transit 97.10, psp_fee_accrued 2.95",
        "psp_clearing 100.00, psp_fee 0.05",
    ),
    "P4c": ("seller_pending 2.90", "psp_fee_recovered 2.90"),
    "P5": ("bank 96.60, bank_fee 0.50", "psp_settlement_in_transit 97.10"),
    "P6a": ("psp_reserve_held 5.00", "psp_clearing 5.00"),
    "P6b": ("psp_settlement_in_transit 5.00", "psp_reserve_held 5.00"),
    "P7": ("seller_pending 90.00", "seller_available 81.00, seller_reserve 9.00"),
    "R1": ("seller_available 36.00, commission_refunded 3.33, tax_payable 0.67", "refunds_in_transit 40.00"),
    "R2": ("refunds_in_transit 40.00, psp_fee 0.30", "psp_clearing 40.30"),
    "R3": ("refunds_in_transit 40.00", "seller_available 36.00, commission_refunded 3.33, tax_payable 0.67"),
    "R4": (
        "seller_available 10.00, seller_receivable 26.00, commission_refunded 3.33, tax_payable 0.67",
        "refunds_in_transit 40.00",
    ),
    "R5": ("seller_available 40.00", "refunds_in_transit 40.00"),
    "R6": ("psp_clearing 100.00", "customer_overpayment 100.00"),
    "R7": ("customer_overpayment 100.00", "refunds_in_transit 100.00"),
    "R8": ("seller_pending 90.00, commission_refunded 8.33, tax_payable 1.67", "psp_clearing 100.00"),
    "C1": ("dispute_receivable 100.00, chargeback_fee 15.00", "psp_clearing 115.00"),
    "C2": ("seller_available 90.00", "seller_dispute_hold 90.00"),
    "C3a": ("psp_clearing 100.00", "dispute_receivable 100.00"),
    "C3b": ("seller_dispute_hold 90.00", "seller_available 90.00"),
    "C4a": (
        "seller_dispute_hold 90.00, commission_refunded 8.33, tax_payable 1.67",
        "dispute_receivable 100.00",
    ),
    "C4b": ("seller_available 15.00", "chargeback_fee_recovered 15.00"),
    "C4c": ("chargeback_loss 100.00", "dispute_receivable 100.00"),
    "C2b": ("seller_available 90.00", "seller_dispute_hold 90.00"),
    "C5a": (
        "dispute_receivable 100.00",
        "seller_dispute_hold 90.00, commission_refunded 8.33, tax_payable 1.67",
    ),
    "C5b": ("chargeback_fee_recovered 15.00", "seller_available 15.00"),
    "C5c": ("dispute_receivable 100.00", "chargeback_loss 100.00"),
    "O1": ("seller_available 51.00", "seller_payout_hold 51.00"),
    "O2": ("seller_payout_hold 51.00", "seller_available 51.00"),
    "O3": ("seller_payout_hold 51.00", "payouts_in_transit 50.00, payout_fee 1.00"),
    "O4": ("payouts_in_transit 50.00, payout_fee_expense 0.40", "bank 50.40"),
    "O4b": ("payouts_in_transit 50.00", "psp_clearing 50.00"),
    "O5": ("payouts_in_transit 50.00, payout_fee 1.00", "seller_available 51.00"),
    "O6a": ("bank 50.00", "payout_returns 50.00"),
    "O6b": ("payout_returns 50.00", "seller_available 48.00, payout_fee 2.00"),
    "S1": ("seller_available 20.00", "seller_reserve 20.00"),
    "S2": ("seller_reserve 20.00", "seller_available 20.00"),
    "S3": ("seller_available 26.00", "seller_receivable 26.00"),
    "S4": ("bad_debt 26.00", "seller_receivable 26.00"),
    "W1": ("psp_clearing 30.00", "wallet_available 30.00"),
    "W1b": ("psp_clearing 30.00", "wallet_pending 30.00"),
    "W1b end": ("wallet_pending 30.00", "wallet_available 30.00"),
    "W1c": ("wallet_available 20.00, dispute_receivable 10.00", "psp_clearing 30.00"),
    "W2": ("promo 3.00", "bonus_available 3.00"),
    "W2b": ("bonus_held 3.00", "seller_pending 2.70, commission 0.25, tax_payable 0.05"),
    "W2c": (
        "points_held 300 PTS, fx_position 3.00",
        "fx_position 300 PTS, seller_pending 2.70, commission 0.25, tax_payable 0.05",
    ),
    "W2c grant": ("promo 3.00, fx_position 300 PTS", "fx_position 3.00, points_available 300 PTS"),
    "W3": ("wallet_available 25.00", "wallet_held 25.00"),
    "W4": ("wallet_held 25.00", "seller_pending 22.50, commission 2.08, tax_payable 0.42"),
    "W5": (
        "wallet_held 25.00",
        "seller_pending 18.00, commission 1.67, tax_payable 0.33, wallet_available 5.00",
    ),
    "W6": ("wallet_held 25.00", "wallet_available 25.00"),
    "W7": ("seller_available 22.50, commission_refunded 2.08, tax_payable 0.42", "wallet_available 25.00"),
    "W7b": ("seller_pending 2.70, commission_refunded 0.25, tax_payable 0.05", "bonus_available 3.00"),
    "W7c": (
        "seller_pending 2.70, commission_refunded 0.25, tax_payable 0.05, fx_position 300 PTS",
        "fx_position 3.00, points_available 300 PTS",
    ),
    "F1": (
        "seller_available 100.00, fx_position 92.00 EUR",
        "fx_position 100.00, seller_available 91.00 EUR, fx_spread 1.00 EUR",
    ),
    "F2": ("fx_position 100.00, bank 92.30 EUR", "bank 100.00, fx_position 92.30 EUR"),
    "F3": ("fx_position 0.30 EUR", "fx_gain_loss 0.30 EUR"),
    "F4": (
        "psp_fee 2.90, fx_position 97.10, psp_settlement_in_transit 89.33 EUR",
        "psp_clearing 100.00, fx_position 89.33 EUR",
    ),
    "D1": ("cod_in_transit 100.00", "seller_pending 90.00, commission 8.33, tax_payable 1.67"),
    "D2": ("bank 96.00, cod_fee 4.00", "cod_in_transit 100.00"),
    "D3": ("courier_claim 6.00", "cod_in_transit 6.00"),
    "D3 end": ("bank 6.00", "courier_claim 6.00"),
    "A1": ("psp_clearing 70.00", "suspense_receipts 70.00"),
    "A2": ("suspense_receipts 70.00", "seller_pending 63.00, commission 5.83, tax_payable 1.17"),
    "A3": ("suspense_receipts 70.00", "refunds_in_transit 70.00"),
    "A4": ("seller_pending 90.00, commission_refunded 8.33, tax_payable 1.67", "psp_clearing 100.00"),
    "A5": ("recon_difference 2.00", "psp_clearing 2.00"),
    "A6": ("psp_clearing 100.00", "customer_overpayment 100.00"),
    "A7": ("psp_fee 0.12", "psp_clearing 0.12"),
    "A8": ("bank 42.00", "suspense_receipts 42.00"),
    "A9": ("suspense_payments 42.00", "bank 42.00"),
    "B1": ("bank_fee 7.50", "bank 7.50"),
    "B2": ("psp_settlement_in_transit 97.10", "bank 97.10"),
    "B3": ("bank 1000.00", "opening 1000.00"),
    "A10": ("rounding 0.01", "psp_clearing 0.01"),
    "A11": ("psp_clearing 70.00", "psp_clearing 70.00"),
    "A12": (
        "psp_clearing 100.00",
        "seller_receivable 20.00, seller_available 70.00, commission_refunded 8.33, tax_payable 1.67",
    ),
    "B4": ("suspense_receipts 96.60, bank_fee 0.50", "psp_settlement_in_transit 97.10"),
    "B5": ("bank_fee 7.50", "suspense_payments 7.50"),
    "B6": ("suspense_receipts 42.00", "suspense_payments 42.00"),
}


def lines(text: str, side: str) -> set[tuple[str, str, str, str]]:
    """ "bank 92.30 EUR" on the debit side: (debit, bank, 92.30, EUR)."""
    found = [(*each.split(), "USD")[:3] for each in text.split(", ")]
    return {(side, role, amount, currency) for role, amount, currency in found}


@pytest.mark.parametrize("number", KNOWN)
def test_the_journal_is_the_one_of_the_books(number: str) -> None:
    journal, books = JOURNALS[number], PaperBooks()
    (entry,) = [each for each in journal.entries(books) if each.kind == journal.kind]
    posted = {
        (
            "debit" if line.amount_minor > 0 else "credit",
            books.role(line.account_id).name,
            format_minor(abs(line.amount_minor), line.currency),
            line.currency,
        )
        for line in entry.lines
    }
    debits, credits = KNOWN[number]
    assert posted == lines(debits, "debit") | lines(credits, "credit")
    assert len(posted) == len(entry.lines)


def test_every_journal_is_known() -> None:
    assert set(JOURNALS) == set(KNOWN)
    assert sum(len(theme) for theme in THEMES.values()) == len(JOURNALS), "no number is given twice"
