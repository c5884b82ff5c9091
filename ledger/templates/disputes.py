"""C1 to C4: chargebacks.

Money moves between the PSP and us movement by movement: each has an entry of its own, known by the movement.
What follows inside (who is held, who bears the loss) is known by the dispute and its round: a dispute can be
decided more than once (won, then lost on arbitration), every change is a round, and each leg of a round is
posted once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.templates.accounts import ReturnAccounts, SellerAccounts
from ledger.templates.cover import SellerPart, cover_legs
from ledger.templates.entry import Leg, Posting, credit, debit, entry, sum_minor
from ledger.templates.groups import linked
from ledger.types import EntryDraft

__all__ = [
    "DisputeAccounts",
    "HeldOrder",
    "LostOrder",
    "dispute_entries",
    "dispute_fee_entry",
    "dispute_fee_returned_entry",
    "dispute_hold_entry",
    "dispute_loss_entry",
    "dispute_loss_undone_entry",
    "dispute_lost_entry",
    "dispute_lost_undone_entry",
    "dispute_release_entry",
    "dispute_won_entry",
]


@dataclass(frozen=True)
class DisputeAccounts:
    """The accounts of one PSP that a dispute moves."""

    dispute_receivable: int
    chargeback_fee: int
    psp_clearing: int


@dataclass(frozen=True)
class HeldOrder:
    """What is held of one order's seller for a dispute."""

    seller: SellerAccounts
    held_minor: int


@dataclass(frozen=True)
class LostOrder:
    """One order's part of a lost dispute: what its seller bears, and what the marketplace returns."""

    held: HeldOrder
    commission_minor: int
    tax_minor: int


def _ref(dispute_id: UUID, dispute_round: int) -> str:
    return f"{dispute_id}:{dispute_round}"


def dispute_entries(
    *,
    posting: Posting,
    accounts: DisputeAccounts,
    dispute_id: UUID,
    movement_id: UUID,
    charge_id: UUID,
    amount_minor: int,
    fee_minor: int,
    sellers: Sequence[SellerPart],
) -> tuple[EntryDraft, ...]:
    """C1, C2: the PSP takes the amount and a fee; the sellers' shares are frozen. One group: both or none.

    C1: Dr dispute_receivable, chargeback_fee; Cr psp_clearing. C2: Dr the sellers' cover; Cr
    seller_dispute_hold; what a seller does not have becomes a debt, and is held all the same.
    C1 alone where no seller has a part.
    """
    taken = entry(
        posting=posting,
        kind="dispute_opened",
        source="dispute_movement",
        source_ref=movement_id,
        leg="taken",
        legs=[
            debit(accounts.dispute_receivable, amount_minor, key=dispute_id),
            debit(accounts.chargeback_fee, fee_minor),
            credit(accounts.psp_clearing, amount_minor + fee_minor, key=charge_id),
        ],
    )
    if not any(part.cover.total_minor for part in sellers):
        return (taken,)
    held = entry(
        posting=posting,
        kind="dispute_held",
        source="dispute_movement",
        source_ref=movement_id,
        leg="held",
        legs=_held_legs(sellers),
    )
    return linked(drafts=(taken, held))


def dispute_hold_entry(
    *, posting: Posting, dispute_id: UUID, sellers: Sequence[SellerPart], dispute_round: int = 1
) -> EntryDraft:
    """C2 without C1: lost after it was won, or assigned to other orders. Dr the sellers' cover; Cr hold."""
    return entry(
        posting=posting,
        kind="dispute_held_again",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="held",
        legs=_held_legs(sellers),
    )


def _held_legs(sellers: Sequence[SellerPart]) -> list[Leg]:
    return [
        *(leg for part in sellers for leg in cover_legs(part)),
        *(credit(part.seller.dispute_hold, part.cover.total_minor) for part in sellers),
    ]


def dispute_won_entry(
    *,
    posting: Posting,
    accounts: DisputeAccounts,
    dispute_id: UUID,
    movement_id: UUID,
    charge_id: UUID,
    amount_minor: int,
    fee_minor: int = 0,
) -> EntryDraft:
    """C3a: the PSP returns the money, seldom its fee too. Dr psp_clearing; Cr dispute_receivable, fee."""
    return entry(
        posting=posting,
        kind="dispute_won",
        source="dispute_movement",
        source_ref=movement_id,
        leg="returned",
        legs=[
            debit(accounts.psp_clearing, sum_minor((amount_minor, fee_minor)), key=charge_id),
            credit(accounts.dispute_receivable, amount_minor, key=dispute_id),
            credit(accounts.chargeback_fee, fee_minor),
        ],
    )


def dispute_release_entry(
    *, posting: Posting, dispute_id: UUID, orders: Sequence[HeldOrder], dispute_round: int = 1
) -> EntryDraft:
    """C3b: the hold ends, when won or when the platform bears the loss. Dr hold; Cr seller_available."""
    return entry(
        posting=posting,
        kind="dispute_hold_released",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="hold_released",
        legs=[
            *(debit(order.seller.dispute_hold, order.held_minor) for order in orders),
            *(credit(order.seller.available, order.held_minor) for order in orders),
        ],
    )


def dispute_lost_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    dispute_receivable: int,
    dispute_id: UUID,
    orders: Sequence[LostOrder],
    dispute_round: int = 1,
) -> EntryDraft:
    """C4a: lost, the seller bears it and the commission is returned.

    Dr seller_dispute_hold, commission_refunded, tax_payable; Cr dispute_receivable.
    """
    legs = _lost_legs(accounts, orders)
    return entry(
        posting=posting,
        kind="dispute_lost",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="decided",
        legs=[*legs, credit(dispute_receivable, sum(leg.amount_minor for leg in legs), key=dispute_id)],
    )


def dispute_lost_undone_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    dispute_receivable: int,
    dispute_id: UUID,
    orders: Sequence[LostOrder],
    dispute_round: int = 1,
) -> EntryDraft:
    """C5a: won after it was lost: C4a the other way round, so that C3b can follow."""
    legs = _lost_legs(accounts, orders)
    return entry(
        posting=posting,
        kind="dispute_lost_undone",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="undone",
        legs=[
            debit(dispute_receivable, sum(leg.amount_minor for leg in legs), key=dispute_id),
            *(credit(leg.account_id, leg.amount_minor, key=leg.key) for leg in legs),
        ],
    )


def _lost_legs(accounts: ReturnAccounts, orders: Sequence[LostOrder]) -> list[Leg]:
    return [
        leg
        for order in orders
        for leg in (
            debit(order.held.seller.dispute_hold, order.held.held_minor),
            debit(accounts.commission_refunded, order.commission_minor),
            debit(accounts.tax_payable, order.tax_minor),
        )
    ]


def dispute_fee_entry(
    *,
    posting: Posting,
    chargeback_fee_recovered: int,
    dispute_id: UUID,
    sellers: Sequence[SellerPart],
    dispute_round: int = 1,
) -> EntryDraft:
    """C4b: the fee of a lost dispute is recharged. Dr the sellers' cover; Cr chargeback_fee_recovered."""
    return entry(
        posting=posting,
        kind="dispute_fee_recovered",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="fee_recovery",
        legs=[
            *(leg for part in sellers for leg in cover_legs(part)),
            credit(chargeback_fee_recovered, sum(part.cover.total_minor for part in sellers)),
        ],
    )


def dispute_fee_returned_entry(
    *,
    posting: Posting,
    chargeback_fee_recovered: int,
    dispute_id: UUID,
    orders: Sequence[HeldOrder],
    dispute_round: int = 1,
) -> EntryDraft:
    """C5b: won after it was lost: sellers get the recharged fee (`held_minor` of each) back, to spend.

    Dr chargeback_fee_recovered; Cr seller_available, from which a debt is paid.
    """
    return entry(
        posting=posting,
        kind="dispute_fee_returned",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="fee_returned",
        legs=[
            debit(chargeback_fee_recovered, sum_minor(order.held_minor for order in orders)),
            *(credit(order.seller.available, order.held_minor) for order in orders),
        ],
    )


def dispute_loss_entry(
    *,
    posting: Posting,
    chargeback_loss: int,
    dispute_receivable: int,
    dispute_id: UUID,
    amount_minor: int,
    dispute_round: int = 1,
) -> EntryDraft:
    """C4c: lost, the platform bears it. Dr chargeback_loss; Cr dispute_receivable. The hold goes by C3b."""
    return entry(
        posting=posting,
        kind="dispute_loss_borne",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="decided",
        legs=[
            debit(chargeback_loss, amount_minor),
            credit(dispute_receivable, amount_minor, key=dispute_id),
        ],
    )


def dispute_loss_undone_entry(
    *,
    posting: Posting,
    chargeback_loss: int,
    dispute_receivable: int,
    dispute_id: UUID,
    amount_minor: int,
    dispute_round: int = 1,
) -> EntryDraft:
    """C5c: won after the platform had borne the loss. Dr dispute_receivable; Cr chargeback_loss."""
    return entry(
        posting=posting,
        kind="dispute_loss_undone",
        source="dispute",
        source_ref=_ref(dispute_id, dispute_round),
        leg="undone",
        legs=[
            debit(dispute_receivable, amount_minor, key=dispute_id),
            credit(chargeback_loss, amount_minor),
        ],
    )
