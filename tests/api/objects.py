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
    "refund": "object id payment_order_id amount currency destination wallets status failure reason metadata"
    " created_at",
    "dispute": "object id status reason network_reason_code amount fee currency payment_orders"
    " evidence_due_at evidence_sent_at psp_reference opened_at created_at",
    "payment_method": "object id buyer_account brand last4 exp_month exp_year wallet created_at",
    "payment_method_offer": "object payment_method wallets currencies limits",
    "top_up": "object id wallet buyer_account amount currency top_up_status payment_method next_action"
    " available available_at refunded reversed failure psp risk created_at expires_at updated_at",
    "payout": "object id seller_account amount fee currency status destination failure provider_reference"
    " metadata created_at arrival_date",
    "seller": "object id seller_account name country kyc_status commission_bps settlement_delay_days"
    " payout_schedule created_at",
    "destination": "object id seller_account kind country currency holder_name last4 bank is_default"
    " status usable_from created_at",
    "wallet": "object id owner currency kind pending available held receivable",
    "release": "object id payment_order_id seller_account wallet amount reserved currency reserve_until"
    " released_at",
    "wallet_operation": "object id bucket account entry amount balance currency what reference created_at",
    "wallet_statement": "object wallet currency opening lines closing totals",
    "event": "object id type sequence subject occurred_at data",
    "webhook_endpoint": "object id url event_types status signing_secrets last_success_at created_at",
    "webhook_delivery": "object id webhook_endpoint event event_type status next_attempt_at attempts"
    " created_at finished_at redelivered_at",
    "webhook_redelivery": "object webhook_endpoint redelivered has_more next_cursor",
}

# What stands inside of objects, by the name under which it stands; each shape that it may have.
PARTS = {
    "payment_orders": ["payment_order_id amount"],
    "risk": ["decision"],
    "psp": ["channel reference"],
    "failure": ["code message decline_code retryable", "code message provider_code"],
    "remittance": ["reference"],
    "next_action": ["type url", "type payload svg_url png_url expires_at"],
    "payout_schedule": ["interval", "interval weekday", "interval day", "interval amount currency"],
    "wallets": ["wallet kind amount currency worth"],
    "limits": ["currency min_amount max_amount"],
    "timeline": ["at what from to reason actor"],
    "opening": ["pending available held receivable"],
    "closing": ["pending available held receivable"],
    "totals": ["earnings refunds disputes fees payouts returns other"],
    "attempts": ["number http_status duration_ms error response at"],
    "signing_secrets": ["fingerprint expires_at"],
    "data": ["object"],
}
# What bodies may say, by input object. What is not here can be set by nobody.
INPUTS = {
    "AttemptInput": "credit_card_info payment_method wallet_kinds return_url",
    "BuyerInput": "buyer_account email name phone ip device_id billing_address shipping_address",
    "CancellationInput": "",
    "CaptureInput": "amount currency",
    "CardInput": "token payment_method_id save",
    "CheckoutInput": "checkout_id buyer_info credit_card_info payment_orders payment_method wallet_kinds"
    " capture return_url multi_order_policy metadata",
    "DestinationInput": "kind country currency holder_name iban bic routing_number account_number"
    " account_type account make_default",
    "EndpointChanges": "url event_types status",
    "EndpointInput": "url event_types",
    "EventRedeliveryInput": "webhook_endpoint",
    "EvidenceFileInput": "field filename content",
    "EvidenceInput": "texts files submit",
    "EvidenceTextsInput": "access_activity_log billing_address cancellation_policy_disclosure"
    " cancellation_rebuttal customer_email_address customer_name customer_purchase_ip"
    " duplicate_charge_explanation explanation product_description refund_policy_disclosure"
    " refund_refusal_explanation service_date shipping_address shipping_carrier shipping_date"
    " shipping_tracking_number",
    "FixedCommissionInput": "amount currency",
    "FulfillmentInput": "fulfilled_at",
    "OrderInput": "seller_account amount currency payment_order_id",
    "PayoutCancellationInput": "",
    "PayoutInput": "seller_account amount currency destination metadata",
    "PayoutScheduleInput": "interval weekday day amount currency",
    "RangeInput": "created_gte created_lt status cursor",
    "RefundInput": "payment_order_id amount currency destination reason metadata",
    "RotationInput": "overlap_seconds",
    "RollingReserveInput": "bps days",
    "SellerChanges": "name country commission_bps commission_fixed tax_bps settlement_delay_days"
    " rolling_reserve payout_schedule",
    "SellerInput": "seller_account name country commission_bps commission_fixed tax_bps settlement_delay_days"
    " rolling_reserve payout_schedule",
    "TopUpInput": "amount currency credit_card_info payment_method return_url",
    "WalletInput": "buyer_account currency",
}

# An order or a payout that is asked for alone has one field more, and so have an endpoint with a new secret
# and a payout in the event that it was paid.
_MORE = {
    "payment_order": ("timeline",),
    "payout": ("timeline", "remittance"),
    "webhook_endpoint": ("secret",),
}
# The store's own words, whatever they are.
_FREE = ("metadata",)


def undocumented(value: Any, name: str = "", *, is_kept: bool = False) -> list[str]:
    """Return what is wrong in an answer: fields too many, too few or in another order, by object or part.

    What `is_kept` inside of an event has no order: the database does not keep it.
    """
    if isinstance(value, list):
        return [found for item in value for found in undocumented(item, name, is_kept=is_kept)]
    if not isinstance(value, dict) or name in _FREE:
        return []
    kind = value.get("object")
    allowed = _allowed(kind) if isinstance(kind, str) else PARTS.get(name, [])
    fields, forms = list(value), [form.split() for form in allowed]
    if is_kept:
        fields, forms = sorted(fields), [sorted(form) for form in forms]
    found = [] if fields in forms else [f"{kind if isinstance(kind, str) else name}: {' '.join(value)}"]
    inside = is_kept or kind == "event"
    return found + [
        each for key, item in value.items() for each in undocumented(item, str(key), is_kept=inside)
    ]


def _allowed(kind: str) -> list[str]:
    whole = OBJECTS.get(kind, "")
    return [whole, *(f"{whole} {more}" for more in _MORE.get(kind, ()))]
