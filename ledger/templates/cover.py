"""Who covers what is taken from a seller, and where it goes when it is given back."""

from dataclasses import dataclass

from ledger.templates.accounts import SellerAccounts
from ledger.templates.entry import Leg, check_minor, credit, debit, sum_minor

__all__ = [
    "Cover",
    "Restored",
    "SellerPart",
    "cover_legs",
    "decide_cover",
    "decide_restored",
    "restored_legs",
]


@dataclass(frozen=True)
class Cover:
    """From where an amount is taken, in minor units; what nothing covers becomes a debt (receivable)."""

    pending_minor: int = 0
    available_minor: int = 0
    reserve_minor: int = 0
    receivable_minor: int = 0

    @property
    def total_minor(self) -> int:
        """Return what is covered altogether."""
        return sum_minor(
            (self.pending_minor, self.available_minor, self.reserve_minor, self.receivable_minor)
        )


@dataclass(frozen=True)
class SellerPart:
    """What one seller bears of an event, and from where it is taken."""

    seller: SellerAccounts
    cover: Cover


@dataclass(frozen=True)
class Restored:
    """Where an amount goes that a seller gets back: first against the debt, the rest to spend."""

    receivable_minor: int
    available_minor: int


def decide_cover(
    *, amount_minor: int, pending_minor: int = 0, available_minor: int = 0, reserve_minor: int = 0
) -> Cover:
    """Return who covers an amount, given what there is in minor units.

    In this order: the order's own pending that is not released, the seller's available, the order's own
    reserve, and a debt for the rest. Never takes more than there is. Raises as `check_minor`.
    """
    left = check_minor(amount_minor)
    taken = []
    for there_is in (pending_minor, available_minor, reserve_minor):
        part = min(left, check_minor(there_is))
        left -= part
        taken.append(part)
    pending, available, reserve = taken
    return Cover(pending, available, reserve, receivable_minor=left)


def decide_restored(*, amount_minor: int, receivable_minor: int) -> Restored:
    """Return where money goes that a seller gets back while owing `receivable_minor`.

    Raises as `check_minor`.
    """
    against_debt = min(check_minor(amount_minor), check_minor(receivable_minor))
    return Restored(receivable_minor=against_debt, available_minor=amount_minor - against_debt)


def cover_legs(part: SellerPart) -> list[Leg]:
    """Return the debits that take a seller's part."""
    seller, cover = part.seller, part.cover
    return [
        debit(seller.pending, cover.pending_minor),
        debit(seller.available, cover.available_minor),
        debit(seller.reserve, cover.reserve_minor),
        debit(seller.receivable, cover.receivable_minor),
    ]


def restored_legs(seller: SellerAccounts, restored: Restored) -> list[Leg]:
    """Return the credits that give it back."""
    return [
        credit(seller.receivable, restored.receivable_minor),
        credit(seller.available, restored.available_minor),
    ]
