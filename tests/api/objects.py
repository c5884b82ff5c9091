"""The public objects and bodies, field by field, in the order in which they are documented."""

from typing import Any

__all__ = ["INPUTS", "OBJECTS", "PARTS", "undocumented"]

OBJECTS = {
    "list": "object data has_more next_cursor",
    "checkout": "object id checkout_id status is_payment_done is_final payment_method next_action"
    " payment_orders risk metadata created_at expires_at",
    "payment_order": "object id payment_order_id checkout_id seller_account amount currency"
    " payment_order_status authorized captured capturable refunded refund_pending disputed reversed"
    " wallet_updated ledger_updated cancel_requested failure psp created_at updated_at",
    "payment_method": "object id buyer_account brand last4 exp_month exp_year wallet created_at",
    "payment_method_offer": "object payment_method wallets currencies limits",
    "seller": "object id seller_account name country kyc_status commission_bps settlement_delay_days"
    " payout_schedule created_at",
    "wallet": "object id owner currency kind pending available held receivable",
    "wallet_operation": "object id bucket account entry amount balance currency created_at",
    "wallet_statement": "object wallet currency opening lines closing",
}

# What stands inside of objects, by the name under which it stands; each shape that it may have.
PARTS = {
    "risk": ["decision"],
    "psp": ["channel reference"],
    "failure": ["code message decline_code retryable"],
    "next_action": ["type url", "type payload svg_url png_url expires_at"],
    "payout_schedule": ["interval", "interval weekday", "interval day", "interval amount currency"],
    "limits": ["currency min_amount max_amount"],
    "timeline": ["at what from to reason actor"],
    "opening": ["pending available held receivable"],
    "closing": ["pending available held receivable"],
}
# What bodies may say, by input object. What is not here can be set by nobody.
INPUTS = {
    "AttemptInput": "credit_card_info payment_method return_url",
    "BuyerInput": "buyer_account email name phone ip device_id billing_address shipping_address",
    "CancellationInput": "",
    "CardInput": "token payment_method_id save",
    "CheckoutInput": "checkout_id buyer_info credit_card_info payment_orders payment_method capture"
    " return_url multi_order_policy metadata",
    "FixedCommissionInput": "amount currency",
    "OrderInput": "seller_account amount currency payment_order_id",
    "PayoutScheduleInput": "interval weekday day amount currency",
    "SellerChanges": "name country commission_bps commission_fixed tax_bps settlement_delay_days"
    " payout_schedule",
    "SellerInput": "seller_account name country commission_bps commission_fixed tax_bps settlement_delay_days"
    " payout_schedule",
}

# An order that is asked for alone has one field more.
_MORE = {"payment_order": "timeline"}
# The store's own words, whatever they are.
_FREE = ("metadata",)


def undocumented(value: Any, name: str = "") -> list[str]:
    """Return what is wrong in an answer: fields too many, too few or in another order, by object or part."""
    if isinstance(value, list):
        return [found for item in value for found in undocumented(item, name)]
    if not isinstance(value, dict) or name in _FREE:
        return []
    fields = " ".join(value)
    kind = value.get("object")
    if kind is None:
        allowed = PARTS.get(name, [])
    else:
        whole = OBJECTS.get(str(kind), "")
        allowed = [whole, f"{whole} {_MORE[kind]}"] if kind in _MORE else [whole]
    found = [] if fields in allowed else [f"{kind or name}: {fields}"]
    return found + [each for key, item in value.items() for each in undocumented(item, str(key))]
