"""What crosses the door of the wallets."""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

__all__ = [
    "Balances",
    "Bill",
    "EntryMove",
    "FundsRelease",
    "GrantData",
    "GrantRequest",
    "HoldData",
    "OperationData",
    "PartHold",
    "PlannedPart",
    "PointsPart",
    "Statement",
    "WalletData",
    "WalletMove",
]


@dataclass(frozen=True)
class WalletData:
    """One wallet; amounts in minor units of its currency."""

    id: UUID
    merchant_id: UUID
    owner_type: str
    owner_id: UUID
    currency: str
    kind: str
    pending_minor: int
    available_minor: int
    held_minor: int
    receivable_minor: int


@dataclass(frozen=True)
class Balances:
    """What a locked wallet holds, in minor units."""

    pending_minor: int
    available_minor: int
    held_minor: int
    receivable_minor: int


@dataclass(frozen=True)
class WalletMove:
    """What one line on a wallet-backed account does to the wallet.

    `entry` and `line` count from 1 within the batch and the entry; `delta_minor` is what the bucket gains.
    """

    entry: int
    line: int
    account_id: int
    delta_minor: int


@dataclass(frozen=True)
class EntryMove:
    """What one line of an entry did to a wallet, which is shown as it is now; minor units of its currency."""

    entry_id: int
    wallet: WalletData
    bucket: str
    delta_minor: int
    balance_after_minor: int
    at: datetime


@dataclass(frozen=True)
class FundsRelease:
    """Earned money that becomes available; amounts in minor units of the wallet's currency.

    Of it `reserve_minor` are kept as a tranche of the reserve until `reserve_until`. `release_id` names it
    once.
    """

    merchant_id: UUID
    wallet_id: UUID
    release_id: str
    amount_minor: int
    effective_date: date
    reserve_minor: int = 0
    reserve_until: datetime | None = None


@dataclass(frozen=True)
class HoldData:
    """Money set aside; amounts in minor units of the wallet's currency."""

    id: UUID
    merchant_id: UUID
    wallet_id: UUID
    purpose: str
    subject: str
    role: str
    amount_minor: int
    settled_minor: int
    released_minor: int
    expires_at: datetime | None
    state: str


@dataclass(frozen=True)
class OperationData:
    """One movement of one bucket, in minor units; `role` and `entry_id` say where it is in the books.

    `what` is the kind of the entry, and `reference` what its event is called outside, where it has a name.
    """

    id: int
    bucket: str
    role: str
    delta_minor: int
    balance_after_minor: int
    entry_id: int
    recorded_at: datetime
    what: str = ""
    reference: str | None = None


@dataclass(frozen=True)
class Statement:
    """What a wallet had, what moved, and what it has after it, by bucket; opening plus lines is closing.

    `totals` is what the wallet gained by what it was for (CATEGORIES of wallet.statement_kinds).
    """

    wallet: WalletData
    since: datetime
    until: datetime
    opening: dict[str, int]
    lines: tuple[OperationData, ...]
    closing: dict[str, int]
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def opening_minor(self) -> int:
        """What the wallet was worth before: pending, available and held, less what the owner owed."""
        return _worth(self.opening)

    @property
    def closing_minor(self) -> int:
        """What it was worth after it; opening plus all totals."""
        return _worth(self.closing)


def _worth(buckets: dict[str, int]) -> int:
    return sum(-minor if bucket == "receivable" else minor for bucket, minor in buckets.items())


@dataclass(frozen=True)
class Bill:
    """What a buyer's wallets pay as one, all of it or nothing, in minor units of `currency`."""

    amount_minor: int
    currency: str


@dataclass(frozen=True)
class PointsPart:
    """Points of one grant, and what they are worth in minor units of the grant's currency."""

    grant_id: UUID
    units_minor: int
    value_minor: int


@dataclass(frozen=True)
class PlannedPart:
    """What one wallet pays of a bill: `units_minor` of the wallet, worth `value_minor` of the bill.

    `currency` is the wallet's: PTS for points.
    """

    wallet_id: UUID
    kind: str
    currency: str
    units_minor: int
    value_minor: int
    points: tuple[PointsPart, ...] = ()


@dataclass(frozen=True)
class PartHold:
    """A part that is to be held, or is held, under a subject that is its own and nobody else's."""

    subject: str
    part: PlannedPart


@dataclass(frozen=True)
class GrantRequest:
    """Bonus or points that somebody wants to give a buyer.

    `amount_minor` in units of the wallet: minor units of `currency` for a bonus, points for points.
    """

    merchant_id: UUID
    buyer_account: str
    kind: str
    amount_minor: int
    currency: str
    reason: str


@dataclass(frozen=True)
class GrantData:
    """What a buyer was given: `amount_minor` in units of the wallet, `value_minor` of `currency`."""

    id: UUID
    kind: str
    amount_minor: int
    value_minor: int
    currency: str
    used_minor: int
    reason: str
    granted_by: str
    checked_by: str
    created_at: datetime
