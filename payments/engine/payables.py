"""What a charge is for, in the words that a provider gets: a checkout, or a top-up of a wallet."""

from django.conf import settings

from core.ids import public_id
from payments.models import PaymentEvent, TopUp

__all__ = ["description_of", "metadata_of", "payable_id", "return_hop"]


def payable_id(payable: PaymentEvent | TopUp) -> str:
    """Return our public id of it."""
    return public_id("top" if isinstance(payable, TopUp) else "chk", payable.id)


def description_of(payable: PaymentEvent | TopUp) -> str:
    """Return what people read at the provider."""
    if isinstance(payable, TopUp):
        return f"Top-up {payable_id(payable)}"
    return f"Checkout {payable.checkout_id}"


def metadata_of(payable: PaymentEvent | TopUp) -> dict[str, str]:
    """Return what is found at the provider by."""
    if isinstance(payable, TopUp):
        return {"top_up_id": payable_id(payable)}
    return {"checkout_id": payable.checkout_id}


def return_hop(payable: PaymentEvent | TopUp) -> str:
    """Where every provider sends the buyer back to: a page of ours, which asks and believes nothing."""
    return f"{settings.PUBLIC_URL}/pay/{payable_id(payable)}/return"
