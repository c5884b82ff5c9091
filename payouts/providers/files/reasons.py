"""Why a bank did not pay, or gave back: ISO 20022 reasons in our words."""

from payouts.providers.contract import PayoutFailure

__all__ = ["failure_of"]

# Our code, words fit for a seller, and whether the account itself is bad.
_REASONS: dict[str, tuple[str, str, bool]] = {
    "AC01": ("destination_invalid", "The account number is wrong.", True),
    "AC04": ("destination_closed", "The account is closed.", True),
    "AC06": ("destination_blocked", "The account is blocked.", True),
    "AM04": ("provider_funds_insufficient", "The payment could not be made now.", False),
    "BE04": ("destination_incomplete", "The bank needs the holder's address.", True),
    "DT01": ("instruction_invalid", "The payment's date was not accepted.", False),
    "FF01": ("instruction_invalid", "The payment was not accepted in its form.", False),
    "RC01": ("destination_invalid", "The bank's code is wrong.", True),
    "RR04": ("regulatory", "The bank may not make this payment.", False),
    "MS03": ("refused_by_bank", "The bank gave no reason.", False),
}
_UNKNOWN = ("refused_by_bank", "The bank refused the payment.", False)


def failure_of(reasons: tuple[str, ...]) -> PayoutFailure:
    """Return the failure for a bank's reasons, of which the first one counts; none at all is one too."""
    code = reasons[0] if reasons else ""
    public, message, is_of_destination = _REASONS.get(code, _UNKNOWN)
    return PayoutFailure(public, message, code, is_of_destination)
