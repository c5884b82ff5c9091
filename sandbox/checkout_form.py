"""What the buyer typed into the hosted page: checked, and turned into a test card's token."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sandbox.psp.cards import CARDS
from sandbox.psp.numbers import NUMBER_OF, NUMBERS, brand_of, least_digits, passes_luhn
from sandbox.psp.payment_methods import NO_ADDRESS

MAX_FIELDS = 40
EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s]+\.[^@\s]{2,}$")
EXPIRY = re.compile(r"^\s*(\d{1,2})\s*/?\s*(\d{2}|\d{4})\s*$")
US_POSTAL = re.compile(r"^\d{5}(-\d{4})?$")
LIMIT = 200

COUNTRIES = {
    "AE": "United Arab Emirates", "AU": "Australia", "BR": "Brazil", "CA": "Canada", "CH": "Switzerland",
    "CN": "China", "DE": "Germany", "ES": "Spain", "FR": "France", "GB": "United Kingdom",
    "HK": "Hong Kong", "IE": "Ireland", "IN": "India", "IT": "Italy", "JP": "Japan", "KW": "Kuwait",
    "MX": "Mexico", "NL": "Netherlands", "PL": "Poland", "SE": "Sweden", "SG": "Singapore",
    "US": "United States",
}  # fmt: skip

NO_NUMBER = "Enter your card number."
SHORT_NUMBER = "Your card number is incomplete."
BAD_NUMBER = "Your card number is not valid. Check the digits."
NOT_OURS = (
    "This is a sandbox, and it takes only its test cards. Pick one from the list below, and never type a real"
    " card here."
)


@dataclass(slots=True)
class Form:
    """One submission. ``token`` is all that is kept of the card number; the security code is not kept."""

    fields: dict[str, str] = field(default_factory=dict)
    token: str | None = None
    expiry: tuple[int, int] | None = None
    errors: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """What to show in a field again; of a card number only a public test number comes back."""
        if name == "number":
            return NUMBER_OF.get(self.token or "", "")
        return self.fields.get(name, "")

    @property
    def buyer(self) -> dict[str, Any]:
        """Who pays, as the session and the charge tell it."""
        given = {name: self.fields.get(name) or None for name in ("country", "line1", "city")}
        return {
            "address": {**NO_ADDRESS, **given, "postal_code": self.fields.get("postal_code") or None},
            "email": self.fields.get("email") or None,
            "name": self.fields.get("name") or None,
        }


def read_fields(body: bytes) -> dict[str, str]:
    """The form's fields, stripped; what cannot be decoded is replaced. Too many fields: ValueError."""
    text = body.decode("utf-8", "replace")
    return {
        name: value.strip()[:LIMIT]
        for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    }


def filled(token: str) -> Form:
    """A form that holds a test card, as if the buyer had typed it."""
    code = "1234" if CARDS[token].brand == "amex" else "123"
    fields = {
        "email": "buyer@example.com", "expiry": "12 / 34", "cvc": code, "name": "Test Buyer", "country": "US",
        "postal_code": "94103", "line1": "1 Market Street", "city": "San Francisco",
    }  # fmt: skip
    return Form(fields=fields, token=token)


def check(fields: dict[str, str], *, email: str | None, full_address: bool, now: float) -> Form:
    """Read a submission: ``errors`` is empty when it can be paid. ``email`` is known already when given."""
    fields = dict(fields)
    number = re.sub(r"[\s-]", "", fields.pop("number", ""))
    code = fields.pop("cvc", "")
    form = Form(fields=fields)
    if email is not None:
        fields["email"] = email
    if not EMAIL.match(fields.get("email", "")):
        form.errors["email"] = "Enter an email address such as name@example.com."
    form.token, problem = _token(number)
    if problem is not None:
        form.errors["number"] = problem
    form.expiry, problem = _expiry(fields.get("expiry", ""), now)
    if problem is not None:
        form.errors["expiry"] = problem
    digits = 4 if brand_of(number) == "amex" else 3
    if not re.fullmatch(rf"\d{{{digits}}}", code):
        form.errors["cvc"] = f"Enter the {digits} digits of the security code."
    if not fields.get("name"):
        form.errors["name"] = "Enter the name on the card."
    _check_address(form, full_address)
    return form


def _token(number: str) -> tuple[str | None, str | None]:
    if not number:
        return None, NO_NUMBER
    if number.isdecimal() and len(number) < least_digits(number):
        return None, SHORT_NUMBER
    if not re.fullmatch(r"[0-9]{12,19}", number) or not passes_luhn(number):
        return None, BAD_NUMBER
    token = NUMBERS.get(number)
    return token, None if token else NOT_OURS


def _expiry(text: str, now: float) -> tuple[tuple[int, int] | None, str | None]:
    match = EXPIRY.match(text)
    if match is None:
        return None, "Enter the expiry date as MM / YY."
    month, year = int(match[1]), int(match[2])
    year += 2000 if year < 100 else 0
    if not 1 <= month <= 12:
        return None, "The month of the expiry date is 01 to 12."
    today = time.gmtime(now)
    if (year, month) < (today.tm_year, today.tm_mon):
        return None, "This card has expired."
    if year > today.tm_year + 50:
        return None, "The year of the expiry date is too far away."
    return (month, year), None


def _check_address(form: Form, full: bool) -> None:
    fields, errors = form.fields, form.errors
    if fields.get("country") not in COUNTRIES:
        errors["country"] = "Choose a country."
    if fields.get("country") == "US" and not US_POSTAL.match(fields.get("postal_code", "")):
        errors["postal_code"] = "Enter a ZIP code of 5 digits."
    elif full and not fields.get("postal_code"):
        errors["postal_code"] = "Enter a postal code."
    if full:
        for name, what in (("line1", "an address line"), ("city", "a city")):
            if not fields.get(name):
                errors[name] = f"Enter {what}."
