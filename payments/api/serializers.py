"""The body of POST /v1/payments."""

from typing import Any
from urllib.parse import urlsplit

from core.api.errors import InvalidField, MissingField
from core.api.fields import (
    AddressField,
    AmountField,
    ChoiceTextField,
    CurrencyField,
    MetadataField,
    ObjectField,
    StoreIdField,
    StrictBooleanField,
    StrictListField,
    TextField,
)
from core.api.serializers import StrictSerializer
from payments.errors import MultiOrderPolicyUnsupported, PaymentMethodConflict, PaymentMethodUnavailable
from payments.types import CheckoutRequest, OrderRequest

__all__ = [
    "ABOUT_METHOD",
    "METHODS",
    "CardInput",
    "CheckoutInput",
    "check_return_url",
    "kinds_field",
    "read_kinds",
    "read_method",
]

METHODS = ("card", "hosted_page", "balance", "qr", "cash", "bank_transfer")
ABOUT_METHOD = (
    "If left out, `card` where there is `credit_card_info`, else `hosted_page`. `balance` pays from the"
    " buyer's wallets; others are not available."
)
ABOUT_KINDS = (
    "What a `balance` payment spends, in this order: `cash` alone if it is left out. Points pay in the"
    " currency in which they were granted."
)
WALLET_KINDS = ("cash", "bonus", "points")
_ABOUT_CAPTURE = (
    "`automatic`, also if left out, takes the money at once; `manual` reserves it until you capture or"
    " cancel. Several orders with `manual` need `multi_order_policy` `best_effort`."
)
_ABOUT_RETURN = "Where the buyer comes back to, with `checkout_id` added to the query: absolute http(s)."
_ABOUT_POLICY = (
    "One charge for all orders together, which is what you get if you leave it out, or one for each."
)


def kinds_field() -> StrictListField:
    """Return the field that says of which kinds of wallets a balance payment is made."""
    return StrictListField(
        child=ChoiceTextField(choices=WALLET_KINDS),
        min_length=1,
        max_length=len(WALLET_KINDS),
        required=False,
        help_text=ABOUT_KINDS,
    )


def read_kinds(values: dict[str, Any], method: str) -> tuple[str, ...]:
    """Return the kinds of a body. Raises PaymentMethodConflict for another method, InvalidField for twice."""
    kinds = values.get("wallet_kinds")
    if kinds is None:
        return ("cash",)
    if method != "balance":
        raise PaymentMethodConflict(param="wallet_kinds")
    if len(set(kinds)) != len(kinds):
        raise InvalidField("Each kind of wallet is named once.", param="wallet_kinds")
    return tuple(kinds)


def read_method(values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return how a body is to be paid, and what says with which card, empty for no card.

    Raises PaymentMethodConflict for a card beside another method, MissingField for `card` without one.
    """
    card = values.get("credit_card_info", {})
    method = values.get("payment_method") or ("card" if card else "hosted_page")
    if card and method != "card":
        raise PaymentMethodConflict(param="payment_method")
    if method == "card" and not card:
        raise MissingField(param="credit_card_info")
    return method, card


class BuyerInput(StrictSerializer):
    """Who pays. Stored encrypted."""

    buyer_account = StoreIdField(required=False)
    email = TextField(max_length=254, required=False)
    name = TextField(max_length=200, required=False)
    phone = TextField(max_length=40, required=False)
    ip = AddressField(required=False)
    device_id = TextField(max_length=128, required=False)
    billing_address = ObjectField(required=False)
    shipping_address = ObjectField(required=False)


class CardInput(StrictSerializer):
    """A token from the provider, or our id of a method that the buyer had kept.

    A card number is refused before this is read.
    """

    token = TextField(max_length=255, required=False)
    payment_method_id = TextField(max_length=64, required=False)

    def get_fields(self) -> dict[str, Any]:
        """Add `save`, which cannot be an attribute of the class: serializers have a method of that name."""
        return super().get_fields() | {"save": StrictBooleanField(required=False)}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return {"token", "save", "saved_method"}: exactly one of the first and the last is set."""
        values = super().to_internal_value(data)
        token, saved = values.get("token", ""), values.get("payment_method_id", "")
        if not token and not saved:
            raise MissingField(param="token")
        if token and saved:
            raise PaymentMethodConflict(param="payment_method_id")
        if saved and values.get("save"):
            raise PaymentMethodConflict(param="save")
        return {"token": token, "save": values.get("save", False), "saved_method": saved}


class OrderInput(StrictSerializer):
    """One seller's part, of at most 1,000,000,000,000 minor units of its currency."""

    seller_account = StoreIdField()
    amount = AmountField()
    currency = CurrencyField()
    payment_order_id = StoreIdField()


class CheckoutInput(StrictSerializer):
    """A checkout with one order per seller."""

    checkout_id = StoreIdField()
    buyer_info = BuyerInput(required=False)
    credit_card_info = CardInput(required=False)
    payment_orders = StrictListField(child=OrderInput(), min_length=1, max_length=100)
    payment_method = ChoiceTextField(choices=METHODS, required=False, help_text=ABOUT_METHOD)
    wallet_kinds = kinds_field()
    capture = ChoiceTextField(choices=("automatic", "manual"), required=False, help_text=_ABOUT_CAPTURE)
    return_url = TextField(max_length=2000, required=False, help_text=_ABOUT_RETURN)
    multi_order_policy = ChoiceTextField(
        choices=("all_or_nothing", "best_effort"), required=False, help_text=_ABOUT_POLICY
    )
    metadata = MetadataField(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return {"request": CheckoutRequest}."""
        values = super().to_internal_value(data)
        method, card = read_method(values)
        policy = values.get("multi_order_policy", "all_or_nothing")
        if method == "hosted_page" and policy == "best_effort" and len(values["payment_orders"]) > 1:
            raise MultiOrderPolicyUnsupported(param="multi_order_policy")
        if method not in ("card", "hosted_page", "balance"):
            raise PaymentMethodUnavailable(param="payment_method")
        if url := values.get("return_url"):
            check_return_url(url)
        return {
            "request": CheckoutRequest(
                checkout_id=values["checkout_id"],
                orders=tuple(_order(each) for each in values["payment_orders"]),
                payment_method=method,
                **card,
                wallet_kinds=read_kinds(values, method),
                buyer_info=values.get("buyer_info", {}),
                capture=values.get("capture", "automatic"),
                multi_order_policy=policy,
                return_url=values.get("return_url", ""),
                metadata=values.get("metadata", {}),
            )
        }


def _order(values: dict[str, Any]) -> OrderRequest:
    return OrderRequest(
        payment_order_id=values["payment_order_id"],
        seller_account=values["seller_account"],
        amount_minor=values["amount_minor"],
        currency=values["currency"],
    )


def check_return_url(url: str) -> None:
    """Only a plain web address may be where the buyer is sent. Raises InvalidField."""
    try:
        parts = urlsplit(url)
        is_address = bool(parts.hostname) and parts.port != 0
    except ValueError:  # A port that is none, or half a bracket.
        is_address = False
    if not is_address or not url.startswith(("https://", "http://")) or any(c in url for c in "\\ <>\"'`@"):
        raise InvalidField("Send an absolute http(s) address.", param="return_url")
