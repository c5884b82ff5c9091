"""P7 and S1 to S4: release of earned funds, our rolling reserve, and the debts of sellers."""

from ledger.templates.accounts import SellerAccounts
from ledger.templates.entry import Key, Posting, check_minor, credit, debit, entry
from ledger.templates.rounding import half_up
from ledger.types import EntryDraft

__all__ = [
    "debt_netting_entry",
    "debt_write_off_entry",
    "release_entry",
    "reserve_hold_entry",
    "reserve_part",
    "reserve_release_entry",
]

_BPS = 10_000


def reserve_part(*, amount_minor: int, reserve_bps: int) -> int:
    """Return what a reserve of so many basis points keeps of an amount, rounded half up to the minor unit.

    Raises ValueError for a rate that is none.
    """
    if not 0 <= reserve_bps <= _BPS:
        raise ValueError(f"a reserve is 0 to {_BPS} basis points, not {reserve_bps}")
    return half_up(amount_minor * reserve_bps, _BPS)


def release_entry(
    *, posting: Posting, seller: SellerAccounts, release_id: Key, amount_minor: int, reserve_minor: int = 0
) -> EntryDraft:
    """P7: earned funds become available, less the rolling reserve. Dr seller_pending; Cr available, reserve.

    Raises ValueError when the reserve is more than the amount.
    """
    return entry(
        posting=posting,
        kind="funds_released",
        source="release",
        source_ref=release_id,
        leg="release",
        legs=[
            debit(seller.pending, amount_minor),
            credit(seller.available, check_minor(amount_minor) - check_minor(reserve_minor)),
            credit(seller.reserve, reserve_minor),
        ],
    )


def reserve_hold_entry(
    *, posting: Posting, seller: SellerAccounts, tranche_id: Key, amount_minor: int
) -> EntryDraft:
    """S1: a tranche is taken into the reserve. Dr seller_available; Cr seller_reserve."""
    return entry(
        posting=posting,
        kind="reserve_held",
        source="reserve_tranche",
        source_ref=tranche_id,
        leg="held",
        legs=[debit(seller.available, amount_minor), credit(seller.reserve, amount_minor)],
    )


def reserve_release_entry(
    *, posting: Posting, seller: SellerAccounts, tranche_id: Key, amount_minor: int
) -> EntryDraft:
    """S2: a tranche is released on its date. Dr seller_reserve; Cr seller_available."""
    return entry(
        posting=posting,
        kind="reserve_released",
        source="reserve_tranche",
        source_ref=tranche_id,
        leg="released",
        legs=[debit(seller.reserve, amount_minor), credit(seller.available, amount_minor)],
    )


def debt_netting_entry(
    *, posting: Posting, seller: SellerAccounts, netting_id: Key, amount_minor: int
) -> EntryDraft:
    """S3: a debt is paid from what became available. Dr seller_available; Cr seller_receivable.

    Goes into the same batch as the entry that credited available.
    """
    return entry(
        posting=posting,
        kind="debt_netted",
        source="seller_debt",
        source_ref=netting_id,
        leg="netted",
        legs=[debit(seller.available, amount_minor), credit(seller.receivable, amount_minor)],
    )


def debt_write_off_entry(
    *, posting: Posting, seller: SellerAccounts, bad_debt: int, write_off_id: Key, amount_minor: int
) -> EntryDraft:
    """S4: a debt is given up, after two people agreed. Dr bad_debt; Cr seller_receivable."""
    return entry(
        posting=posting,
        kind="debt_written_off",
        source="seller_debt",
        source_ref=write_off_id,
        leg="written_off",
        legs=[debit(bad_debt, amount_minor), credit(seller.receivable, amount_minor)],
    )
