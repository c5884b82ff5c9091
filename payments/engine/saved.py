"""Payment methods that buyers have kept: paying with one, keeping one, and letting one go.

What was kept is charged at the provider through its own customer, so it belongs to one buyer on one channel.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from channels.selectors import enabled_channels
from core import clock
from core.cases import open_case
from core.errors import NotFound
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.nudges import nudge
from core.rows import insert_new
from core.transactions import requires_transaction
from merchants.selectors import find_buyer
from merchants.services import ensure_buyer
from payments.engine.operations import new_operation
from payments.errors import BuyerAccountRequired, PaymentMethodUnknown
from payments.locks import ChargeScope, lock_payment_method
from payments.models import PaymentEvent, PaymentMethodToken, PspCustomer, PspOperation, TopUp
from payments.psp.contract import MethodFacts, Outcome, OutcomeKind, PspObject
from payments.types import AttemptRequest, CheckoutRequest, TopUpRequest

__all__ = [
    "Means",
    "customer_of",
    "delete_payment_method",
    "detach_answered",
    "keep_customer",
    "keep_method",
    "means_of",
    "pay_with",
]

_SAVED = "saved"
_CASE_DUE = timedelta(hours=24)


@dataclass(frozen=True)
class Means:
    """What a checkout is paid with: a token, to be kept or not, or a method that was kept (locked)."""

    token: str
    save: bool = False
    saved: PaymentMethodToken | None = None

    @property
    def channel_id(self) -> UUID | None:
        """The one channel on which it can pay; None when any will do."""
        return self.saved.channel_id if self.saved else None


@requires_transaction
def means_of(
    *, merchant_id: UUID, buyer_account: str, request: CheckoutRequest | AttemptRequest | TopUpRequest
) -> Means:
    """Return what a request is to be paid with.

    Raises PaymentMethodUnknown for any saved method that this buyer of this merchant cannot pay with now,
    whoever's it is, and BuyerAccountRequired when nobody is known for whom to keep one.
    """
    if request.saved_method:
        row = _find(merchant_id, buyer_account, request.saved_method)
        usable = {channel.id for channel in enabled_channels(merchant_id=merchant_id)}
        if row is None or row.channel_id not in usable:
            raise PaymentMethodUnknown(param="credit_card_info.payment_method_id")
        row.last_used_at = clock.now()
        row.save(update_fields=["last_used_at"])
        return Means(token=row.psp_token, saved=row)
    if not request.save:
        return Means(token=request.token)
    if not buyer_account:
        raise BuyerAccountRequired(param="buyer_info.buyer_account")
    ensure_buyer(merchant_id=merchant_id, buyer_account=buyer_account)
    return Means(token=request.token, save=True)


@requires_transaction
def pay_with(checkout: PaymentEvent | TopUp, means: Means) -> None:
    """Set on a checkout, which the caller saves, how it is paid."""
    checkout.token, checkout.save_method, checkout.saved_method = means.token, means.save, means.saved
    checkout.card_attempt = ""
    checkout.customer_reference = ""  # Who was made for another token does not own this one.


def customer_of(checkout: PaymentEvent | TopUp, channel_id: UUID) -> str:
    """Return who owns the token at the provider, empty while nobody does.

    That is the buyer, if anything is kept for them; else somebody made for this checkout alone.
    """
    if checkout.saved_method is not None:
        return checkout.saved_method.customer.reference
    if not checkout.save_method:
        return checkout.customer_reference
    known = _customer(checkout, channel_id)
    return known.reference if known else ""


@requires_transaction
def keep_customer(scope: ChargeScope, reference: str) -> None:
    """Remember the buyer's customer on the charge's channel.

    Where another payment of the buyer was faster, the one that it made counts, and ours stays empty.
    """
    charge = scope.charge
    buyer_id = _buyer_id(charge.merchant_id, scope.payable.buyer_account)
    assert buyer_id is not None, "the buyer was made with the checkout"
    row = PspCustomer(
        merchant_id=charge.merchant_id,
        buyer_id=buyer_id,
        channel_id=charge.channel_id,
        reference=reference,
        created_at=clock.now(),
    )
    insert_new(row)


@requires_transaction
def keep_method(scope: ChargeScope, seen: PspObject) -> None:
    """Store what was attached for the buyer; what is stored already, or was deleted, stays as it is."""
    charge, now, facts = scope.charge, clock.now(), seen.method or MethodFacts()
    customer = _customer(scope.payable, charge.channel_id)
    assert customer is not None, "a method is attached to a customer"
    insert_new(
        PaymentMethodToken(
            merchant_id=charge.merchant_id,
            buyer_id=customer.buyer_id,
            channel_id=charge.channel_id,
            customer=customer,
            charge=charge,
            psp_token=seen.reference,
            psp_token_digest=hashlib.sha256(seen.reference.encode()).digest(),
            brand=facts.brand,
            last4=facts.last4,
            exp_month=facts.exp_month,
            exp_year=facts.exp_year,
            wallet=facts.wallet,
            created_at=now,
            last_used_at=now,
        )
    )


@requires_transaction
def delete_payment_method(*, merchant_id: UUID, buyer_account: str, reference: str, actor: str) -> None:
    """Let a kept method go: from this commit on nothing new is paid with it, and the provider is told.

    A payment that was accepted before goes on: the provider takes it or refuses it, whichever reaches it
    first. Raises NotFound, also for what is another buyer's or was deleted before.
    """
    row = _find(merchant_id, buyer_account, reference)
    if row is None:
        raise NotFound()
    row.deleted_at = clock.now()
    row.save(update_fields=["deleted_at"])
    operation, changes = new_operation(row.charge, "detach"), Changes()
    changes.begin(operation, why="the saved method was deleted", by=actor)
    changes.insert([operation])
    changes.save()
    nudge("operations")


def detach_answered(scope: ChargeScope, operation: PspOperation, outcome: Outcome, changes: Changes) -> bool:
    """Record a final answer to a detach; False when there is none yet. It changes nothing of the charge."""
    why = outcome.error[:500] or "refused"
    if outcome.conflict:
        changes.move(operation, operation.to_conflicted, why=why, error=why)
    elif outcome.kind is OutcomeKind.SUCCEEDED:
        changes.move(operation, operation.to_succeeded, why="detached at the provider")
        return True
    elif outcome.kind is OutcomeKind.DECLINED:
        changes.move(operation, operation.to_declined, why=why, error=why)
    else:
        return False
    row = PaymentMethodToken.objects.get(charge=scope.charge)
    open_case(
        kind="method_not_detached",
        due_in=_CASE_DUE,
        subject=public_id(_SAVED, row.id),
        detail={"charge_id": str(scope.charge.id)},
        summary=f"A deleted payment method is still the buyer's at the provider, perhaps: {why}"[:500],
        merchant_id=row.merchant_id,
    )
    return True


def _find(merchant_id: UUID, buyer_account: str, reference: str) -> PaymentMethodToken | None:
    """A method that this buyer of this merchant has and did not delete, locked."""
    key, buyer_id = parse_public_id(reference, _SAVED), _buyer_id(merchant_id, buyer_account)
    if key is None or buyer_id is None:
        return None
    return lock_payment_method(merchant_id=merchant_id, buyer_id=buyer_id, method_id=key)


def _customer(checkout: PaymentEvent | TopUp, channel_id: UUID) -> PspCustomer | None:
    buyer_id = _buyer_id(checkout.merchant_id, checkout.buyer_account)
    if buyer_id is None:
        return None
    mine = PspCustomer.objects.filter(merchant_id=checkout.merchant_id, buyer_id=buyer_id)
    return mine.filter(channel_id=channel_id).first()


def _buyer_id(merchant_id: UUID, buyer_account: str) -> UUID | None:
    try:
        return find_buyer(merchant_id=merchant_id, reference=buyer_account).id
    except NotFound:
        return None
