"""D1 to D3: cash on delivery. Nothing is booked for a parcel that is refused."""

from collections.abc import Sequence

from ledger.templates.accounts import SaleAccounts
from ledger.templates.capture import CapturedOrder, amount_of, sale_legs
from ledger.templates.entry import Key, Keyed, Posting, check_minor, chunks, credit, debit, entry, total
from ledger.types import EntryDraft

__all__ = ["cash_collected_entry", "claim_paid_entry", "courier_claim_entry", "remittance_entries"]


def cash_collected_entry(
    *,
    posting: Posting,
    cod_in_transit: int,
    accounts: SaleAccounts,
    parcel_id: Key,
    orders: Sequence[CapturedOrder],
) -> EntryDraft:
    """D1: the courier has the cash. Dr cod_in_transit; Cr seller_pending, commission, tax_payable."""
    return entry(
        posting=posting,
        kind="cash_collected",
        source="parcel",
        source_ref=parcel_id,
        leg="collected",
        legs=[
            debit(cod_in_transit, amount_of(orders), key=parcel_id),
            *sale_legs(accounts=accounts, orders=orders),
        ],
    )


def remittance_entries(
    *,
    posting: Posting,
    bank: int,
    cod_fee: int,
    cod_in_transit: int,
    remittance_id: Key,
    parcels: Sequence[Keyed],
    fee_minor: int = 0,
) -> tuple[EntryDraft, ...]:
    """D2: the courier pays a list of parcels, less a fee. Dr bank, cod_fee; Cr cod_in_transit per parcel.

    One entry per 500 parcels; the fee is spread from the first on, never more than a chunk holds. Raises
    ValueError when the fee is more than the parcels.
    """
    left = check_minor(fee_minor)
    entries = []
    for number, chunk in chunks(parcels):
        fee = min(left, total(chunk))
        left -= fee
        entries.append(
            entry(
                posting=posting,
                kind="cash_remitted",
                source="remittance",
                source_ref=f"{remittance_id}:{number}",
                leg="remitted",
                legs=[
                    debit(bank, total(chunk) - fee),
                    debit(cod_fee, fee),
                    *(credit(cod_in_transit, parcel.amount_minor, key=parcel.key) for parcel in chunk),
                ],
            )
        )
    if left:
        raise ValueError(f"remittance {remittance_id}: the fee is more than the parcels")
    return tuple(entries)


def courier_claim_entry(
    *,
    posting: Posting,
    courier_claim: int,
    cod_in_transit: int,
    claim_id: Key,
    parcel_id: Key,
    amount_minor: int,
) -> EntryDraft:
    """D3: the courier is short and is asked for it. Dr courier_claim; Cr cod_in_transit of the parcel."""
    return entry(
        posting=posting,
        kind="courier_claimed",
        source="courier_claim",
        source_ref=claim_id,
        leg="claimed",
        legs=[
            debit(courier_claim, amount_minor, key=claim_id),
            credit(cod_in_transit, amount_minor, key=parcel_id),
        ],
    )


def claim_paid_entry(
    *, posting: Posting, bank: int, courier_claim: int, claim_id: Key, bank_line_id: Key, amount_minor: int
) -> EntryDraft:
    """D3, its end: the courier pays the claim. Dr bank; Cr courier_claim."""
    return entry(
        posting=posting,
        kind="courier_claim_paid",
        source="courier_claim",
        source_ref=f"{claim_id}:{bank_line_id}",
        leg="paid",
        legs=[debit(bank, amount_minor), credit(courier_claim, amount_minor, key=claim_id)],
    )
