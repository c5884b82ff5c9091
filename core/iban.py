"""The check digits of an IBAN (ISO 13616-1): whether it can be one at all, not whether the account exists."""

import re

__all__ = ["has_good_check_digits"]

# Country, two check digits, and 11 to 30 characters of the country's own account number.
_FORM = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


def has_good_check_digits(iban: str) -> bool:
    """Say whether an IBAN without spaces is well formed and its check digits agree (ISO 7064, MOD 97-10)."""
    if _FORM.fullmatch(iban) is None:
        return False
    digits = "".join(str(int(char, 36)) for char in iban[4:] + iban[:4])
    # 00, 01 and 99 leave the same remainders as 97, 98 and 02, and are never given.
    return int(digits) % 97 == 1 and 2 <= int(iban[2:4]) <= 98
