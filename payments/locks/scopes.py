"""What is locked together: a charge or a checkout with everything that a change of it may touch."""

from dataclasses import dataclass
from uuid import UUID

from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder, PspOperation, TopUp
from payments.states import CHARGE_DEAD, ORDER_FINAL

__all__ = ["ChargeScope", "CheckoutScope"]


@dataclass
class ChargeScope:
    """A charge with everything that a change of it may touch, locked.

    `payable` is what the buyer pays: a checkout, of which the charge covers some orders, or a top-up, which
    has none.
    """

    payable: PaymentEvent | TopUp
    charge: Charge
    operations: list[PspOperation]
    lines: list[ChargeLine]
    orders: list[PaymentOrder]

    @property
    def checkout(self) -> PaymentEvent:
        """The checkout that is paid; only where the charge is known not to be a top-up's."""
        assert isinstance(self.payable, PaymentEvent), "a top-up has no checkout"
        return self.payable

    @property
    def top_up(self) -> TopUp | None:
        """The top-up that is paid; None where it is a checkout."""
        return self.payable if isinstance(self.payable, TopUp) else None

    def operation(self, operation_id: UUID) -> PspOperation:
        """Return one of the charge's operations."""
        return next(each for each in self.operations if each.id == operation_id)

    def latest(self, kind: str) -> PspOperation | None:
        """Return the newest operation of a kind."""
        return next((each for each in reversed(self.operations) if each.kind == kind), None)

    @property
    def paying(self) -> PspOperation | None:
        """The operation through which the charge may move money.

        Where the buyer pays on the provider's page, registering it is all that we ever send.
        """
        return self.latest("register" if self.charge.is_hosted else "confirm")

    @property
    def disposing(self) -> PspOperation | None:
        """The one operation that takes authorised money or gives it back, refused ones left out."""
        return next(
            (
                each
                for each in self.operations
                if each.kind in ("capture", "void") and each.status not in ("DECLINED", "CANCELED")
            ),
            None,
        )

    @property
    def is_closed(self) -> bool:
        """Whether the charge ended without money: it covers nothing."""
        return self.charge.status in CHARGE_DEAD

    @property
    def covered(self) -> list[PaymentOrder]:
        """The orders that this charge, and no other one, pays."""
        live = {line.order_id for line in self.lines if line.live}
        return [order for order in self.orders if order.id in live]

    @property
    def live_lines(self) -> list[ChargeLine]:
        """The lines by which this charge pays orders, in the order in which the checkout names them.

        Never by their keys: those of one request can be made in the same millisecond, and what is left over
        when an amount is divided is to go to the same order each time.
        """
        places = {order.id: order.position for order in self.orders}
        return sorted((line for line in self.lines if line.live), key=lambda line: places[line.order_id])

    @property
    def targets(self) -> list[PaymentOrder | TopUp]:
        """What moves with the charge: the orders that it covers, or the top-up unless that is over."""
        if self.top_up is not None:
            return [] if self.is_closed else [self.top_up]
        return list(self.covered)


@dataclass
class CheckoutScope:
    """A checkout with all its orders and charges, locked; the charges share the orders."""

    checkout: PaymentEvent
    orders: list[PaymentOrder]
    charges: list[ChargeScope]

    @property
    def open_orders(self) -> list[PaymentOrder]:
        """The orders whose end is not known yet."""
        return [order for order in self.orders if order.status not in ORDER_FINAL]

    @property
    def cancelable_orders(self) -> list[PaymentOrder]:
        """The orders that can be taken back: those without an end, and those whose money is only reserved."""
        return [order for order in self.orders if order in self.open_orders or self._is_reserved(order)]

    def _is_reserved(self, order: PaymentOrder) -> bool:
        charge = self.charge_of(order) if order.status == "AUTHORIZED" else None
        return charge is not None and (charge.disposing is None or charge.disposing.kind == "void")

    def charge_of(self, order: PaymentOrder) -> ChargeScope | None:
        """Return the charge that covers an order now."""
        return next((each for each in self.charges if order in each.covered), None)
