"""Amounts as the bank writes them: decimal texts with the places of ISO 4217, minor units inside."""

from __future__ import annotations

import re

_NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE = "BHD IQD JOD KWD LYD OMR TND"
_TWO = (
    "AED ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CNY"
    " COP CRC CVE CZK DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS"
    " INR JMD KES KGS KHR KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR"
    " MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD SAR SBD SCR SEK SGD SHP SLE SRD STN"
    " SZL THB TJS TOP TRY TTD TWD TZS UAH USD UYU UZS WST XCD YER ZAR ZMW"
)

NO_PLACES, THREE_PLACES = frozenset(_NONE.split()), frozenset(_THREE.split())
CURRENCIES = NO_PLACES | THREE_PLACES | frozenset(_TWO.split())

AMOUNT = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,5}))?")


def places(currency: str) -> int:
    """How many decimals the currency has."""
    return 0 if currency in NO_PLACES else 3 if currency in THREE_PLACES else 2


def minor(text: str, currency: str, *, exact: bool = True) -> int | None:
    """Minor units of a decimal text, ``None`` when it is no amount of the currency.

    ``exact``: with all the decimals of the currency, as the payables API wants it; files may write fewer.
    """
    match = AMOUNT.fullmatch(text)
    if match is None:
        return None
    decimals = match[2] or ""
    wanted = places(currency)
    if len(decimals) > wanted or (exact and len(decimals) != wanted):
        return None
    return int(match[1] + decimals.ljust(wanted, "0"))


def decimal(amount: int, currency: str) -> str:
    """The decimal text of minor units, with a sign when negative."""
    wanted = places(currency)
    digits = f"{abs(amount):0{wanted + 1}d}"
    text = f"{digits[:-wanted]}.{digits[-wanted:]}" if wanted else digits
    return f"-{text}" if amount < 0 else text
