"""The account that a bank channel pays from."""

import re
from collections.abc import Mapping

from channels.errors import InvalidChannel
from core.iban import has_good_check_digits

__all__ = ["checked_debtor"]

_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
_LONGEST_NAME = 70  # ISO 20022 takes 140 characters, SEPA 70.


def checked_debtor(debtor: Mapping[str, str] | None) -> dict[str, str]:
    """Return name, IBAN and BIC of the account as they are kept. Raises InvalidChannel."""
    given = {key: str(value).strip() for key, value in (debtor or {}).items()}
    if set(given) != {"name", "iban", "bic"}:
        raise InvalidChannel("A bank pays from an account with name, iban and bic.", param="debtor")
    iban = given["iban"].replace(" ", "").upper()
    if not has_good_check_digits(iban):
        raise InvalidChannel("This is no IBAN: its check digits are wrong.", param="debtor.iban")
    if _BIC.fullmatch(given["bic"]) is None:
        raise InvalidChannel("A BIC has 8 or 11 capital letters and digits.", param="debtor.bic")
    if not 1 <= len(given["name"]) <= _LONGEST_NAME:
        raise InvalidChannel(f"A name has 1 to {_LONGEST_NAME} characters.", param="debtor.name")
    return {"name": given["name"], "iban": iban, "bic": given["bic"]}
