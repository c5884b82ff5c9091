"""A receipt that is an order's (A2): what pay-in is told of it, and what it posts then.

The order becomes paid by pay-in alone, with a charge, its entry (P2) and all that follows of a payment. The
line is matched with that charge in the same commit, and what A1 parked is taken back (A11). Together they
move what A2 says: suspense to the seller, the commission and the tax; psp_clearing comes to zero.
"""

from typing import Any
from uuid import UUID

from payments.errors import ReceiptNotTheOrders
from payments.selectors import what_receipt_pays
from payments.types import Receipt
from reconciliation.errors import AdjustmentInvalid
from reconciliation.matching.kinds import key_of
from reconciliation.matching.sql import channels_for
from reconciliation.matching.types import Movement, MovementKey
from reconciliation.models import SettlementLine, SettlementSource

__all__ = ["also_posted", "charge_made_by", "receipt_of", "to_be_charge"]

_CHARGE = "charge"


def receipt_of(source: SettlementSource, line: SettlementLine, parameters: dict[str, Any]) -> Receipt:
    """Return what a line says that an order got. `parameters` name the `order`. Raises AdjustmentInvalid."""
    order = parameters.get("order")
    if set(parameters) != {"order"} or not isinstance(order, str) or not order.strip():
        raise AdjustmentInvalid("Name the order that the money is for.", param="parameters")
    is_foreign = bool(line.original_currency) and line.original_minor is not None
    minor = line.original_minor if is_foreign else line.gross_minor
    if line.kind != _CHARGE or not line.reference or not minor or minor < 0:
        raise AdjustmentInvalid("The line tells of no payment that an order could have got.")
    return Receipt(
        merchant_id=source.merchant_id,
        channel_ids=tuple(channels_for(source)),
        reference=key_of(line.kind, line.reference, line.related),
        amount_minor=minor,
        currency=line.original_currency if is_foreign else line.currency,
        order=order.strip(),
    )


def charge_made_by(adjustment_id: UUID) -> UUID:
    """Return the id of the payment that an adjustment makes: beside its own, and known before it is made."""
    return UUID(int=adjustment_id.int ^ 1)


def to_be_charge(receipt: Receipt, charge_id: UUID) -> Movement:
    """Return the movement that the charge is going to be."""
    return Movement(
        MovementKey(_CHARGE, charge_id, 0),
        _CHARGE,
        receipt.reference,
        str(charge_id),
        str(charge_id),
        receipt.currency,
        receipt.amount_minor,
        "final",
    )


def also_posted(receipt: Receipt, charge_id: UUID) -> tuple[dict[str, Any], ...]:
    """Return the lines of the entry that pay-in makes of it (P2). Raises AdjustmentInvalid."""
    try:
        pays = what_receipt_pays(receipt=receipt)
    except ReceiptNotTheOrders as error:
        raise AdjustmentInvalid(error.message, param="parameters") from error

    def line(role: str, minor: int, *, provider: str | None = None, owner: str = "") -> dict[str, Any]:
        return {
            "role": role,
            "provider": provider,
            "currency": receipt.currency,
            "amount_minor": minor,
            "clearing_key": str(charge_id) if provider else None,
            **({"owner": owner} if owner else {}),
        }

    sellers = [line("seller_pending", -each.seller_minor, owner=each.seller_account) for each in pays.orders]
    kept = {
        "commission": sum(each.commission_minor for each in pays.orders),
        "tax_payable": sum(each.tax_minor for each in pays.orders),
    }
    found = [
        line("psp_clearing", receipt.amount_minor, provider=pays.provider),
        *sellers,
        *(line(role, -minor) for role, minor in kept.items()),
    ]
    return tuple(each for each in found if each["amount_minor"])
