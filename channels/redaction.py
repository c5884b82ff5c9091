"""What is taken out of a provider's answer before it is kept: personal data, secrets, cards and accounts.

It works on raw bytes, so that a broken answer is redacted like a good one.
"""

import re

from core.iban import has_good_check_digits

__all__ = ["MAX_EVIDENCE_BYTES", "redact", "redact_text"]

MAX_EVIDENCE_BYTES = 16 * 1024
_MOST_READ = 4 * MAX_EVIDENCE_BYTES

_PRIVATE = (
    "client_secret|secret|api_key|access_token|refresh_token|email|receipt_email|name|phone|line1|line2|city"
    "|postal_code|ip|ip_address|fingerprint|iin|account_number|routing_number|iban|number|cvc|tax_id|dob"
)
# The end of a string may be missing, because an answer may be cut off anywhere.
_FIELD = re.compile(rb'("(?:' + _PRIVATE.encode() + rb')"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\\?$)')
# Keys; and what a buyer's kept payment method is charged by and a seller's account paid by, because both are
# encrypted everywhere else.
_KEY = re.compile(rb"\b(?:sk|rk|whsec|pm|cus|acct)_[A-Za-z0-9_]{4,}")
# Names, addresses and accounts in messages of ISO 20022, also where such a message stands inside JSON.
_ISO20022 = re.compile(rb"(<(?:\w+:)?(?:IBAN|Nm|AdrLine|StrtNm|PstCd|TwnNm|EmailAdr|PhneNb|MobNb)>)[^<]*")
_IBAN = re.compile(rb"(?<![0-9A-Za-z])[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}(?![0-9A-Za-z])")
_DIGITS = re.compile(rb"(?<![0-9A-Za-z_.])[0-9](?:[ -]?[0-9]){12,18}(?![0-9A-Za-z_.])")


def redact(raw: bytes) -> bytes:
    """Return at most 16 KB of the bytes, without what must not be kept."""
    text = raw[:_MOST_READ]
    text = _FIELD.sub(rb'\1"[redacted]"', text)
    text = _KEY.sub(b"[redacted]", text)
    text = _ISO20022.sub(rb"\1[redacted]", text)
    text = _IBAN.sub(_account, text)
    return _DIGITS.sub(_card, text)[:MAX_EVIDENCE_BYTES]


def redact_text(text: str) -> str:
    """Return at most 500 characters of an error's text, without what must not be kept."""
    return redact(text.encode("utf-8", "replace")).decode("utf-8", "replace").replace("\x00", "�")[:500]


def _account(found: re.Match[bytes]) -> bytes:
    return b"[redacted]" if has_good_check_digits(found.group().decode()) else found.group()


def _card(found: re.Match[bytes]) -> bytes:
    digits = [int(char) for char in found.group().decode() if char.isdigit()]
    doubled = [digit if index % 2 == 0 else digit * 2 for index, digit in enumerate(reversed(digits))]
    luhn = sum(digit if digit < 10 else digit - 9 for digit in doubled) % 10 == 0
    return b"[redacted]" if luhn else found.group()
