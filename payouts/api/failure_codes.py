"""The codes of failures that providers of payouts give, and what they mean to the store."""

from collections.abc import Mapping

from core.api.schemas import FailureCode

__all__ = ["PROVIDER_FAILURES"]

_GONE = "Of a payout: nothing more is sent to this account; the seller adds another one."

PROVIDER_FAILURES: Mapping[str, FailureCode] = {
    "amount_unsupported": FailureCode("Of a payout: the bank does not take payments of this amount.", False),
    "currency_unsupported": FailureCode("Of a payout: the bank does not pay in this currency.", False),
    "destination_blocked": FailureCode(f"{_GONE} The bank has blocked the account.", False),
    "destination_closed": FailureCode(f"{_GONE} The account is closed.", False),
    "destination_incomplete": FailureCode(f"{_GONE} The bank needs the holder's address.", False),
    "destination_invalid": FailureCode(
        f"{_GONE} The account, the bank or the holder's name is wrong or cannot be written.", False
    ),
    "destination_unsupported": FailureCode("Of a payout: the bank cannot pay such an account.", False),
    "instruction_invalid": FailureCode("Of a payout: the bank did not accept how it was written.", False),
    "provider_funds_insufficient": FailureCode(
        "Of a payout: the account that pays was short. It can be asked for again.", True
    ),
    "refused_by_bank": FailureCode(
        "Of a payout: the bank refused it and gave no reason, or one without a code of its own.", True
    ),
    "refused_by_provider": FailureCode("Of a payout: the provider refused it for another reason.", True),
    "regulatory": FailureCode("Of a payout: the bank may not make this payment.", False),
}
