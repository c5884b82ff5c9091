"""Row locks of pay-in, always in one order: checkout, charge, operation, orders (by id), shares.

A top-up is locked after its charge, and never without it.

A saved payment method is locked last of all that its transaction locks; what is inserted after it is new.
So is the count of a card's attempts (payments.engine.card_limit), by a transaction that posts nothing.
"""

from payments.locks.charges import (
    lock_charge,
    lock_checkout,
    lock_checkout_orders,
    lock_operation,
    lock_payment_method,
    lock_shares,
    lock_top_up,
    lock_unstarted_charges,
)
from payments.locks.scopes import ChargeScope, CheckoutScope
from payments.locks.work import (
    claim_due_operations,
    lock_probes,
    lock_waiting_of,
    lock_waiting_operations,
    release_lease,
)

__all__ = [
    "ChargeScope",
    "CheckoutScope",
    "claim_due_operations",
    "lock_charge",
    "lock_checkout",
    "lock_checkout_orders",
    "lock_operation",
    "lock_payment_method",
    "lock_probes",
    "lock_shares",
    "lock_top_up",
    "lock_unstarted_charges",
    "lock_waiting_of",
    "lock_waiting_operations",
    "release_lease",
]
