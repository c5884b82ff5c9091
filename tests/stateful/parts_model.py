"""What the words of the design make of one charge over three sellers; nothing of the product is used here.

Facts are noted as they happen; everything else is computed from all of them, anew each time it is asked for.
All amounts are minor units.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

__all__ = ["Disputed", "Facts", "Paid", "Sale", "Terms", "half_up", "pro_rata"]


def half_up(numerator: int, denominator: int) -> int:
    """The nearest whole number; a half goes up."""
    return (2 * numerator + denominator) // (2 * denominator)


def pro_rata(amount: int, weights: Sequence[int]) -> list[int]:
    """An amount by weights, with the largest remainder; of equal ones the first."""
    whole = sum(weights)
    parts = [amount * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda at: (-(amount * weights[at] % whole), at))
    for at in order[: amount - sum(parts)]:
        parts[at] += 1
    return parts


@dataclass(frozen=True)
class Terms:
    """What the marketplace keeps of a seller's orders, and when the seller gets the rest."""

    commission_bps: int
    commission_fixed: int
    tax_bps: int
    delay_days: int
    reserve_bps: int


@dataclass(frozen=True)
class Sale:
    """One order's money: commission = min(amount, half-up(amount · bps / 10⁴) + fixed), tax inside it."""

    amount: int
    terms: Terms

    @property
    def fee(self) -> int:
        """Commission with the tax inside."""
        share = half_up(self.amount * self.terms.commission_bps, 10_000)
        return min(self.amount, share + self.terms.commission_fixed)

    @property
    def parts(self) -> tuple[int, int, int]:
        """Seller net, commission, tax."""
        tax = half_up(self.fee * self.terms.tax_bps, 10_000 + self.terms.tax_bps)
        return self.amount - self.fee, self.fee - tax, tax


@dataclass
class Paid:
    """A refund of one order: `open` until the provider says `done` or `failed`."""

    order: int
    amount: int
    to_card: bool
    state: str = "open"


@dataclass
class Disputed:
    """A dispute over the whole charge; `taken` is out now, `fees` is what the bank kept of us."""

    amount: int
    parts: list[int]
    state: str = "open"
    taken: int = 0
    fees: int = 0
    recharged: list[int] = field(default_factory=lambda: [0, 0, 0])
    # The fees of all movements so far, out and in by turns.
    moves: list[int] = field(default_factory=list)

    def withdraw(self, fee: int) -> None:
        """The bank takes the money."""
        self.taken += self.amount
        self.fees += fee
        self.moves.append(fee)

    def lose(self) -> None:
        """The sellers bear the loss and its fee, pro rata."""
        self.state, self.recharged = "lost", pro_rata(self.fees, self.parts) if self.fees else [0, 0, 0]

    def win(self) -> None:
        """The bank gives the money back, and keeps its fee."""
        self.taken -= self.amount
        self.moves.append(0)
        self.state, self.recharged = "won", [0, 0, 0]


@dataclass
class Facts:
    """Everything that happened to the charge and to the sellers' wallets."""

    sales: list[Sale]
    refunds: dict[str, Paid] = field(default_factory=dict)
    disputes: dict[str, Disputed] = field(default_factory=dict)
    payouts: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    # Other buyers' charges: whose sale each is.
    others: dict[str, tuple[int, Sale]] = field(default_factory=dict)
    # The charge that failed first and brought its money late: by what it is given back, and how that stands.
    late_back: str = ""
    late_state: str = ""

    @property
    def amount(self) -> int:
        """The whole charge."""
        return sum(sale.amount for sale in self.sales)

    def of(self, order: int, *states: str) -> int:
        """What the refunds in these states give back of an order."""
        found = (each for each in self.refunds.values() if each.order == order)
        return sum(each.amount for each in found if each.state in states)

    def disputed(self, order: int, *states: str) -> int:
        """What disputes in these states have of an order."""
        return sum(each.parts[order] for each in self.disputes.values() if each.state in states)

    def paid_out(self, seller: int, state: str) -> int:
        """A seller's payouts in a state."""
        return sum(minor for who, minor, how in self.payouts.values() if (who, how) == (seller, state))

    def gone(self, order: int) -> int:
        """What cannot be refunded any more."""
        return self.of(order, "open", "done") + self.disputed(order, "open", "lost")

    def left(self, order: int) -> int:
        """What can still be refunded."""
        return max(self.sales[order].amount - self.gone(order), 0)

    def excess(self, order: int) -> int:
        """What went back beyond the capture."""
        return max(self.gone(order) - self.sales[order].amount, 0)

    def returned(self, order: int) -> int:
        """What buyers have or are getting of an order; a dispute takes nothing before it is lost."""
        return self.of(order, "open", "done") + self.disputed(order, "lost")

    @property
    def is_compensated(self) -> bool:
        """Something was captured, and on every order captured = refunded + reversed."""
        return all(self.of(order, "done") == sale.amount for order, sale in enumerate(self.sales))

    @property
    def is_done(self) -> bool:
        """Every order is SUCCESS, and the checkout is not compensated."""
        return not self.is_compensated
