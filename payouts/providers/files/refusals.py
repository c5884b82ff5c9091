"""What SEPA cannot carry: found before the file is written, so that one bad payout does not stop the rest."""

import re

from core.iban import has_good_check_digits
from payouts.providers.contract import Instruction, PayoutFailure
from payouts.providers.files.pain001 import payee_name
from payouts.providers.files.sepa_text import is_sepa_text

__all__ = ["refusal_of"]

_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
# EPC rulebook of the SEPA credit transfer: 0.01 to 999,999,999.99 euro.
_MOST_MINOR = 99_999_999_999


def refusal_of(instruction: Instruction) -> PayoutFailure | None:
    """Return why this payout can never leave in a SEPA file as it is; None when it can."""
    if instruction.kind != "iban":
        return PayoutFailure("destination_unsupported", "A bank file pays to an IBAN.")
    if instruction.currency != "EUR":
        return PayoutFailure("currency_unsupported", "A SEPA payment is in euro.")
    if not 0 < instruction.amount_minor <= _MOST_MINOR:
        return PayoutFailure("amount_unsupported", "A SEPA payment is between 0.01 and 999999999.99 euro.")
    if not has_good_check_digits(instruction.details.get("iban", "")):
        return _bad_account("AC01", "The IBAN is wrong.")
    bic = instruction.details.get("bic", "")
    if bic and _BIC.fullmatch(bic) is None:
        return _bad_account("RC01", "The BIC is wrong.")
    if not payee_name(instruction):
        return _bad_account("BE05", "The holder's name cannot be written in the letters that banks take.")
    if not (0 < len(instruction.reference) <= 35 and is_sepa_text(instruction.reference)):
        return PayoutFailure("instruction_invalid", "The payment's reference cannot be sent.")
    return None


def _bad_account(provider_code: str, message: str) -> PayoutFailure:
    return PayoutFailure("destination_invalid", message, provider_code, is_of_destination=True)
