"""P3 to P6: fees and the PSP's settlement, from the captured payment to the money at the bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.templates.accounts import FeeAccounts
from ledger.templates.cover import SellerPart, cover_legs
from ledger.templates.entry import (
    Key,
    Keyed,
    Leg,
    Posting,
    check_minor,
    chunks,
    credit,
    debit,
    entry,
    signed,
    sum_minor,
    total,
)
from ledger.types import EntryDraft

__all__ = [
    "SettledLine",
    "SettlementAccounts",
    "SettlementFile",
    "deposit_entries",
    "fee_accrual_entry",
    "fee_recovery_entry",
    "psp_reserve_entry",
    "psp_reserve_release_entry",
    "settlement_chunk",
    "settlement_entries",
]


@dataclass(frozen=True, slots=True)
class SettledLine:
    """One line of a settlement file, in minor units.

    `key` is what the line clears in psp_clearing: the charge, also for refunds and disputes of it; the
    payout for a transfer, the reserve for a reserve. `gross_minor` is positive for money that comes in and
    negative for what the PSP nets. `accrued_minor` is the fee that was booked for the charge before.
    """

    key: Key
    gross_minor: int
    fee_minor: int = 0
    accrued_minor: int = 0


@dataclass(frozen=True)
class SettlementFile:
    """The version of a file that is posted, the batch that it reports, and what its header says.

    `released_minor` is what the batch holds of released reserves, which have entries of their own.
    """

    file_id: Key
    version: int
    batch_id: Key
    net_minor: int
    released_minor: int = 0


@dataclass(frozen=True)
class SettlementAccounts:
    """The accounts of one PSP that a settlement moves."""

    psp_clearing: int
    in_transit: int
    fees: FeeAccounts


def fee_accrual_entry(
    *, posting: Posting, accounts: FeeAccounts, charge_id: UUID, fee_minor: int
) -> EntryDraft:
    """P3: the PSP's fee is estimated at capture. Dr psp_fee; Cr psp_fee_accrued, until the file tells."""
    return entry(
        posting=posting,
        kind="psp_fee_accrued",
        source="charge",
        source_ref=charge_id,
        leg="fee_accrual",
        legs=[
            debit(accounts.psp_fee, fee_minor),
            credit(accounts.psp_fee_accrued, fee_minor, key=charge_id),
        ],
    )


def settlement_entries(
    *, posting: Posting, accounts: SettlementAccounts, file: SettlementFile, lines: Sequence[SettledLine]
) -> tuple[EntryDraft, ...]:
    """P4a, P4b: what a settlement file reports; one entry per chunk of at most 500 lines.

    Dr psp_settlement_in_transit what the batch pays, Dr psp_fee the fee; Cr psp_clearing, one line per
    key. Where a fee was accrued the accrual is closed by its key, and only the variance touches the expense.
    What the PSP nets (a refund, a dispute, a transfer) comes as a line with a negative gross.

    Returns no entry for a chunk that moves nothing. Raises ValueError when the lines do not add up to the
    header of the batch: then nothing of the file is posted.
    """
    gross, fee = _sums(lines)
    net = sum_minor((gross, -fee, file.released_minor))
    if net != sum_minor((file.net_minor,)):
        raise ValueError(f"file {file.file_id}: the lines add up to {net}, the header says {file.net_minor}")
    if not lines:
        return ()
    made = (
        settlement_chunk(
            posting=posting,
            accounts=accounts,
            file_ref=f"{file.file_id}:{file.version}",
            batch_id=file.batch_id,
            number=number,
            lines=chunk,
        )
        for number, chunk in chunks(lines)
    )
    return tuple(each for each in made if each is not None)


def settlement_chunk(
    *,
    posting: Posting,
    accounts: SettlementAccounts,
    file_ref: str,
    batch_id: Key,
    number: int,
    lines: Sequence[SettledLine],
) -> EntryDraft | None:
    """P4 for one chunk of a file whose totals were compared before; None when it moves nothing.

    For files that are too long to be held: `file_ref` is file:version, `number` the chunk's place in it, and
    with both the same chunk is the same entry again. At most CHUNK lines.
    """
    legs = _chunk_legs(accounts, batch_id, lines)
    # A charge and its refund in one chunk may cancel out: then there is nothing to post for it.
    if not any(leg.amount_minor for leg in legs):
        return None
    return entry(
        posting=posting,
        kind="settlement_reported",
        source="settlement_file",
        source_ref=f"{file_ref}:{number}",
        leg="settlement",
        legs=legs,
    )


def _chunk_legs(accounts: SettlementAccounts, batch_id: Key, lines: Sequence[SettledLine]) -> list[Leg]:
    gross, fee = _sums(lines)
    gross_by_key, accrued_by_key = _by_key(lines)
    return [
        signed(accounts.in_transit, gross - fee, key=batch_id),
        signed(accounts.fees.psp_fee, fee - sum_minor(accrued_by_key.values())),
        *(debit(accounts.fees.psp_fee_accrued, minor, key=key) for key, minor in accrued_by_key.items()),
        *(signed(accounts.psp_clearing, -minor, key=key) for key, minor in gross_by_key.items()),
    ]


def _sums(lines: Sequence[SettledLine]) -> tuple[int, int]:
    return sum_minor(line.gross_minor for line in lines), sum_minor(line.fee_minor for line in lines)


def _by_key(lines: Sequence[SettledLine]) -> tuple[dict[str, int], dict[str, int]]:
    gross: dict[str, int] = {}
    accrued: dict[str, int] = {}
    for line in lines:
        key = str(line.key)
        gross[key] = gross.get(key, 0) + line.gross_minor
        if check_minor(line.accrued_minor):
            accrued[key] = accrued.get(key, 0) + line.accrued_minor
    return gross, accrued


def fee_recovery_entry(
    *, posting: Posting, psp_fee_recovered: int, charge_id: UUID, sellers: Sequence[SellerPart]
) -> EntryDraft:
    """P4c: the fee of a charge is passed on to its sellers. Dr seller_pending; Cr psp_fee_recovered."""
    fee = sum_minor(part.cover.total_minor for part in sellers)
    return entry(
        posting=posting,
        kind="psp_fee_recovered",
        source="charge",
        source_ref=charge_id,
        leg="fee_recovery",
        legs=[
            *(leg for part in sellers for leg in cover_legs(part)),
            credit(psp_fee_recovered, fee),
        ],
    )


def deposit_entries(
    *,
    posting: Posting,
    bank: int,
    bank_fee: int,
    in_transit: int,
    bank_line_id: Key,
    batches: Sequence[Keyed],
    fee_minor: int = 0,
) -> tuple[EntryDraft, ...]:
    """P5: one line of the bank statement pays settlement batches. Dr bank, bank_fee; Cr in_transit per batch.

    The bank shows the sum of the batches less `fee_minor`. A batch may be negative: the PSP collects it.
    """
    check_minor(fee_minor)
    return tuple(
        entry(
            posting=posting,
            kind="settlement_deposited",
            source="bank_line",
            source_ref=f"{bank_line_id}:{number}",
            leg="deposit",
            legs=[
                signed(bank, total(chunk) - (fee_minor if number == 1 else 0)),
                debit(bank_fee, fee_minor if number == 1 else 0),
                *(signed(in_transit, -batch.amount_minor, key=batch.key) for batch in chunk),
            ],
        )
        for number, chunk in chunks(batches)
    )


def psp_reserve_entry(
    *,
    posting: Posting,
    psp_reserve_held: int,
    psp_clearing: int,
    reserve_id: Key,
    withheld: Sequence[Keyed],
    reason_ref: Key | None = None,
) -> EntryDraft:
    """P6a: the PSP withholds a rolling reserve. Dr psp_reserve_held; Cr psp_clearing.

    `withheld` names what it is taken from: charges, or the reserve itself where the file has a line of its
    own for it. `reason_ref` tells withholdings of one reserve apart.
    """
    return entry(
        posting=posting,
        kind="psp_reserve_withheld",
        source="psp_reserve",
        source_ref=reserve_id if reason_ref is None else f"{reserve_id}:{reason_ref}",
        leg="withheld",
        legs=[
            debit(psp_reserve_held, total(withheld), key=reserve_id),
            *(credit(psp_clearing, item.amount_minor, key=item.key) for item in withheld),
        ],
    )


def psp_reserve_release_entry(
    *,
    posting: Posting,
    psp_reserve_held: int,
    in_transit: int,
    reserve_id: Key,
    batch_id: Key,
    amount_minor: int,
    reason_ref: Key | None = None,
) -> EntryDraft:
    """P6b: the PSP pays a reserve out in a later batch. Dr psp_settlement_in_transit; Cr psp_reserve_held.

    `reason_ref` tells releases of one reserve in one batch apart.
    """
    return entry(
        posting=posting,
        kind="psp_reserve_released",
        source="psp_reserve",
        source_ref=f"{reserve_id}:{batch_id}" if reason_ref is None else f"{reserve_id}:{reason_ref}",
        leg="released",
        legs=[
            debit(in_transit, amount_minor, key=batch_id),
            credit(psp_reserve_held, amount_minor, key=reserve_id),
        ],
    )
