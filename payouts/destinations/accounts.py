"""What an account must look like, by kind: the check digits are right before anybody asks a bank."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from stdnum import bic as bics
from stdnum.us import rtn

from core.ibans import compact_iban
from payouts.destinations.areas import iban_country, takes
from payouts.destinations.names import holder_name
from payouts.errors import DestinationInvalid, DestinationUnsupported

__all__ = ["FIELDS", "KINDS", "Account", "checked_account"]

# What an account of each kind is made of; the names behind the mark may be left out.
FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "iban": (("holder_name", "iban"), ("bic",)),
    "us_account": (("holder_name", "routing_number", "account_number", "account_type"), ()),
    "stripe_account": (("account",), ()),
}
KINDS = tuple(FIELDS)
_ROUTING = re.compile(r"[0-9]{9}")
_US_ACCOUNT = re.compile(r"[0-9]{4,17}")
_STRIPE_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{8,60}")
# The first two digits that the Federal Reserve gave to banks and thrifts; the others are the government's and
# those of cheques.
_ROUTED = frozenset([*range(1, 13), *range(21, 33), *range(61, 73)])


@dataclass(frozen=True, repr=False)
class Account:
    """A checked account: `details` as the providers want them, and what people recognise it by."""

    details: Mapping[str, str]
    last4: str
    bank: str

    @property
    def holder_name(self) -> str:
        """Whose account it is; empty where only the provider knows."""
        return self.details.get("holder_name", "")


def checked_account(*, kind: str, country: str, currency: str, details: Mapping[str, str]) -> Account:
    """Return the account in its one spelling.

    Raises DestinationInvalid, naming the field, and DestinationUnsupported for a currency that such an
    account does not take there.
    """
    needed, optional = FIELDS[kind]
    for name in needed:
        if not details.get(name):
            raise DestinationInvalid(f"An account of kind {kind} has a {name}.", param=name)
    for name in details.keys() - {*needed, *optional}:
        raise DestinationInvalid(f"An account of kind {kind} has no {name}.", param=name)
    if not takes(kind, country, currency):
        raise DestinationUnsupported(param="currency")
    if kind == "iban":
        return _iban(country, details)
    return _us_account(details) if kind == "us_account" else _stripe_account(details)


def _iban(country: str, details: Mapping[str, str]) -> Account:
    number = compact_iban(details["iban"])
    if number is None:
        raise DestinationInvalid("This is no IBAN: look at its digits again.", param="iban")
    if number[:2] != iban_country(country):
        raise DestinationInvalid(f"This IBAN is not of {country}.", param="iban")
    checked = {"holder_name": holder_name(details["holder_name"]), "iban": number}
    if "bic" in details:
        checked["bic"] = _bic(details["bic"], {country, number[:2]})
    return Account(checked, number[-4:], checked.get("bic", ""))


def _bic(text: str, countries: set[str]) -> str:
    code = text.replace(" ", "").upper()
    if not text.isascii() or not code.isalnum() or not bics.is_valid(code):
        raise DestinationInvalid("A BIC has 8 or 11 letters and digits (ISO 9362).", param="bic")
    if code[7] == "0":
        raise DestinationInvalid("This BIC is one for tests.", param="bic")
    if code[4:6] not in countries:
        raise DestinationInvalid("BIC and IBAN are of different countries.", param="bic")
    return code


def _us_account(details: Mapping[str, str]) -> Account:
    routing, number = details["routing_number"], details["account_number"]
    if not _ROUTING.fullmatch(routing) or not rtn.is_valid(routing) or int(routing[:2]) not in _ROUTED:
        raise DestinationInvalid("This is no ABA routing number.", param="routing_number")
    if not _US_ACCOUNT.fullmatch(number):
        raise DestinationInvalid("An account number has 4 to 17 digits.", param="account_number")
    if details["account_type"] not in ("checking", "savings"):
        raise DestinationInvalid("An account is for checking or savings.", param="account_type")
    checked = {
        "holder_name": holder_name(details["holder_name"]),
        "routing_number": routing,
        "account_number": number,
        "account_type": details["account_type"],
    }
    return Account(checked, number[-4:], routing)


def _stripe_account(details: Mapping[str, str]) -> Account:
    account = details["account"]
    if not _STRIPE_ACCOUNT.fullmatch(account):
        raise DestinationInvalid("A Stripe account is an acct_ and letters and digits.", param="account")
    return Account({"account": account}, account[-4:], "Stripe")
