"""Pay-in: one checkout, one order per seller, and the movements of money that cover them."""

from payments.models.balances import BalancePart
from payments.models.charges import Charge, ChargeLine
from payments.models.checkouts import PaymentEvent, PaymentOrder
from payments.models.denials import ChargeDenial, DenialLine
from payments.models.disputes import (
    ChargeReversal,
    Dispute,
    DisputeEvidence,
    DisputeLine,
    DisputeMovement,
    ReversalLine,
)
from payments.models.methods import PaymentMethodToken, PspCustomer
from payments.models.operations import PspOperation
from payments.models.refunds import Refund, RefundLine, RefundPart
from payments.models.shares import OrderRelease, OrderShare
from payments.models.topups import TopUp, TopUpReturn

__all__ = [
    "BalancePart",
    "Charge",
    "ChargeDenial",
    "ChargeLine",
    "ChargeReversal",
    "DenialLine",
    "Dispute",
    "DisputeEvidence",
    "DisputeLine",
    "DisputeMovement",
    "OrderRelease",
    "OrderShare",
    "PaymentEvent",
    "PaymentMethodToken",
    "PaymentOrder",
    "PspCustomer",
    "PspOperation",
    "Refund",
    "RefundLine",
    "RefundPart",
    "ReversalLine",
    "TopUp",
    "TopUpReturn",
]
