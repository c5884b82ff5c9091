"""F1 to F4: conversions. Every currency adds up to zero by itself; positions stand between the currencies.

A conversion keeps its rates as facts; what they came to, rounded, is on the lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from core.money import format_minor
from ledger.templates.accounts import FeeAccounts
from ledger.templates.entry import (
    CHUNK,
    Key,
    Leg,
    Posting,
    check_minor,
    chunks,
    credit,
    debit,
    entry,
    signed,
    sum_minor,
)
from ledger.types import EntryDraft

__all__ = [
    "ClosedPosition",
    "ForeignAccounts",
    "ForeignLine",
    "Rates",
    "conversion_entry",
    "foreign_settlement_entries",
    "fx_result_entry",
    "position_close_entry",
]


@dataclass(frozen=True)
class Rates:
    """What one unit of the sold currency is worth in the bought one: at mid, and as the seller was told."""

    mid: Decimal
    told: Decimal


@dataclass(frozen=True)
class ClosedPosition:
    """One conversion that a deal with the bank closes: what we give of it, and what we get for it."""

    conversion_id: Key
    sold_minor: int
    bought_minor: int


@dataclass(frozen=True)
class ForeignLine:
    """A line of a settlement in another currency: gross and fee as captured, `received_minor` as settled."""

    key: Key
    gross_minor: int
    received_minor: int
    fee_minor: int = 0
    accrued_minor: int = 0


@dataclass(frozen=True)
class ForeignAccounts:
    """The accounts of one PSP that a settlement in another currency moves.

    The first three are in the currency of the capture, the last two in that of the settlement.
    """

    psp_clearing: int
    fees: FeeAccounts
    position: int
    settled_position: int
    in_transit: int


def conversion_entry(
    *,
    posting: Posting,
    sold_available: int,
    sold_position: int,
    bought_currency: str,
    bought_available: int,
    bought_position: int,
    fx_spread: int,
    conversion_id: UUID,
    sold_minor: int,
    mid_minor: int,
    rates: Rates,
    spread_minor: int = 0,
) -> EntryDraft:
    """F1: a seller converts a balance. The posting's currency is the one that is sold.

    Dr seller_available, Cr fx_position in what is sold; Dr fx_position at mid, Cr seller_available and
    fx_spread in what is bought. The rates and the spread are facts of the entry. Raises ValueError when
    the spread is more than the amount at mid, or a rate is no positive number.
    """
    bought = check_minor(mid_minor) - check_minor(spread_minor)
    return entry(
        posting=posting,
        kind="funds_converted",
        source="conversion",
        source_ref=conversion_id,
        leg="conversion",
        legs=[
            debit(sold_available, sold_minor),
            debit(bought_position, mid_minor, key=conversion_id, currency=bought_currency),
            credit(sold_position, sold_minor, key=conversion_id),
            credit(bought_available, bought, currency=bought_currency),
            credit(fx_spread, spread_minor, currency=bought_currency),
        ],
        facts=(
            ("mid_rate", _rate(rates.mid)),
            ("rate", _rate(rates.told)),
            ("spread", f"{format_minor(spread_minor, bought_currency)} {bought_currency}"),
        ),
    )


def _rate(rate: Decimal) -> str:
    if not isinstance(rate, Decimal) or not rate.is_finite() or rate <= 0:
        raise ValueError(f"not a rate: {rate!r}")
    return f"{rate:f}"


def position_close_entry(
    *,
    posting: Posting,
    sold_bank: int,
    sold_position: int,
    bought_currency: str,
    bought_bank: int,
    bought_position: int,
    deal_id: Key,
    positions: Sequence[ClosedPosition],
) -> EntryDraft:
    """F2: a deal with the bank closes positions. The posting's currency is the one that the bank takes.

    Dr fx_position, Cr bank in what is sold; Dr bank, Cr fx_position in what is bought. Raises ValueError
    for more than 500 positions.
    """
    if len(positions) > CHUNK:
        raise ValueError(f"a deal of {len(positions)} conversions, more than {CHUNK}")
    return entry(
        posting=posting,
        kind="position_closed",
        source="fx_deal",
        source_ref=deal_id,
        leg="closed",
        legs=[
            *(debit(sold_position, each.sold_minor, key=each.conversion_id) for each in positions),
            debit(bought_bank, sum_minor(each.bought_minor for each in positions), currency=bought_currency),
            credit(sold_bank, sum_minor(each.sold_minor for each in positions)),
            *(
                credit(bought_position, each.bought_minor, key=each.conversion_id, currency=bought_currency)
                for each in positions
            ),
        ],
    )


def fx_result_entry(
    *, posting: Posting, position: int, fx_gain_loss: int, conversion_id: Key, gain_minor: int
) -> EntryDraft:
    """F3: the realised result leaves the position: Dr fx_position; Cr fx_gain_loss. A loss is negative."""
    return entry(
        posting=posting,
        kind="fx_result_realised",
        source="conversion",
        source_ref=conversion_id,
        leg="result",
        legs=[signed(position, gain_minor, key=conversion_id), signed(fx_gain_loss, -gain_minor)],
    )


def foreign_settlement_entries(
    *,
    posting: Posting,
    accounts: ForeignAccounts,
    settled_currency: str,
    file_ref: str,
    batch_id: Key,
    lines: Sequence[ForeignLine],
) -> tuple[EntryDraft, ...]:
    """F4: captured in one currency (the posting's), settled in another; one entry per chunk of 500 lines.

    Dr psp_fee and fx_position, Cr psp_clearing per key as captured; Dr psp_settlement_in_transit, Cr
    fx_position as settled. The batch is the conversion. `file_ref` is file:version.
    """
    return tuple(
        entry(
            posting=posting,
            kind="foreign_settlement_reported",
            source="settlement_file",
            source_ref=f"{file_ref}:{number}",
            leg="settlement",
            legs=_foreign_legs(accounts, settled_currency, batch_id, chunk),
        )
        for number, chunk in chunks(lines)
    )


def _foreign_legs(
    accounts: ForeignAccounts, settled: str, batch_id: Key, lines: Sequence[ForeignLine]
) -> list[Leg]:
    gross = sum_minor(line.gross_minor for line in lines)
    fee = sum_minor(line.fee_minor for line in lines)
    accrued = sum_minor(check_minor(line.accrued_minor) for line in lines)
    received = sum_minor(line.received_minor for line in lines)
    return [
        signed(accounts.fees.psp_fee, fee - accrued),
        *(debit(accounts.fees.psp_fee_accrued, line.accrued_minor, key=line.key) for line in lines),
        signed(accounts.position, gross - fee, key=batch_id),
        signed(accounts.in_transit, received, key=batch_id, currency=settled),
        *(signed(accounts.psp_clearing, -line.gross_minor, key=line.key) for line in lines),
        signed(accounts.settled_position, -received, key=batch_id, currency=settled),
    ]
