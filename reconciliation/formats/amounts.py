"""Amounts as files write them, to minor units, exactly: by a declared grammar, never by guessing."""

from re import ASCII
from re import compile as pattern

from core.money import InvalidCurrency, exponent
from reconciliation.formats.contract import Refused

__all__ = ["Grammar", "currency_exponent", "minor_units"]


# A column holds nine times as much: sums of a file have room.
_LARGEST = 10**18


class Grammar:
    """How a format writes numbers: its decimal mark, and a mark between thousands, if it has one.

    `read(text, currency, line_no)` returns minor units. Digits beyond the currency's own must be zeros. It
    raises Refused with `amount_invalid` for anything else: exponents, other marks, an empty text.
    """

    __slots__ = ("_exponents", "_match", "_thousands", "decimal")

    def __init__(self, *, decimal: str = ".", thousands: str = "", plus: bool = False) -> None:
        point = "\\" + decimal
        # Fourteen digits and the four decimals that a currency may have: no sum of them overflows a bigint.
        whole = r"\d{1,14}"
        if thousands:
            mark = rf"\{thousands}\d{{3}}"
            whole = rf"\d{{1,2}}(?:{mark}){{4}}|\d{{1,3}}(?:{mark}){{0,3}}|{whole}"
        sign = "[+-]?" if plus else "-?"
        self._match = pattern(rf"({sign})({whole})(?:{point}(\d{{0,12}}))?", ASCII).fullmatch
        self.decimal, self._thousands = decimal, thousands
        self._exponents: dict[str, int] = {}

    def read(self, text: str, currency: str, line_no: int | None = None) -> int:
        """Return the minor units that a text means in a currency. Raises Refused."""
        places = self._exponents.get(currency)
        if places is None:
            places = self._exponents[currency] = currency_exponent(currency, line_no)
        found = self._match(text)
        if found is None:
            raise Refused("amount_invalid", f"{text[:40]!r} is no amount", line_no)
        sign, whole, fraction = found.groups()
        fraction = fraction or ""
        if len(fraction) != places:
            if fraction[places:].strip("0"):
                raise Refused(
                    "amount_invalid", f"{text[:40]!r} has parts of a minor unit of {currency}", line_no
                )
            fraction = fraction[:places].ljust(places, "0")
        if self._thousands:
            whole = whole.replace(self._thousands, "")
        value = int(whole + fraction)
        if value > _LARGEST:
            raise Refused("amount_invalid", f"{text[:40]!r} is more than can be kept", line_no)
        return -value if sign == "-" else value


def currency_exponent(currency: str, line_no: int | None = None) -> int:
    """Return how many decimals a currency has. Raises Refused with `currency_unknown`."""
    try:
        return exponent(currency)
    except InvalidCurrency as error:
        raise Refused("currency_unknown", f"{currency[:10]!r} is no currency", line_no) from error


_PLAIN = Grammar()


def minor_units(text: str, currency: str, line_no: int | None = None) -> int:
    """Return the minor units of a plain amount: digits, a point, a minus. Raises Refused."""
    return _PLAIN.read(text, currency, line_no)
