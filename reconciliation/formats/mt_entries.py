"""A `:61:` and its `:86:` as an Entry, and the account that they are of."""

from datetime import date
from re import compile as pattern

from reconciliation.formats.contract import Entry, Refused
from reconciliation.formats.mt_details import details_of, plain, reference_of
from reconciliation.formats.mt_fields import Field
from reconciliation.formats.mt_values import movement_of

__all__ = ["account_of", "entry_of"]

_ACCOUNT_LONGEST = 64
_iban_with_currency = pattern(r"([A-Z]{2}\d\d[A-Z0-9]{11,30}?)([A-Z]{3})").fullmatch


def entry_of(field: Field, details: tuple[str, ...], currency: str, near: date | None) -> Entry | None:
    """Return an entry, None for one that is only expected. Its `line_no` is the line in the file.

    The customer's reference of `:61:` is taken for the batch's where `:86:` names none: it is what the order
    that caused the entry was called. Raises Refused.
    """
    movement = movement_of(field, currency, near)
    if not movement.is_booked:
        return None
    told = details_of(details)
    return Entry(
        line_no=field.line,
        amount_minor=movement.amount_minor,
        currency=currency,
        booked_on=movement.booked_on,
        value_on=movement.value_on,
        bank_reference=reference_of(movement.bank_reference),
        end_to_end=told.end_to_end,
        batch_reference=told.batch_reference or reference_of(movement.reference),
        code=movement.code + (f"+{told.code}" if told.code else ""),
        is_reversal=movement.is_reversal,
        return_reason=told.return_reason,
        counterparty=told.counterparty,
        counterparty_account=told.counterparty_account,
        text=told.text,
    )


def account_of(field: Field, currency: str) -> str:
    """Return the account in `:25:` without spaces, and without the currency that some add to an IBAN."""
    account = plain("".join(field.lines), _ACCOUNT_LONGEST + 1).replace(" ", "")
    found = _iban_with_currency(account)
    if found and found[2] == currency:
        account = found[1]
    if not account or len(account) > _ACCOUNT_LONGEST:
        raise Refused("account_missing", "the message does not say whose it is", field.line)
    return account
