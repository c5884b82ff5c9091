"""What a bank tells of an entry in `:86:`: German sub-fields, Dutch slashes, or free text.

Nothing here moves money: what is not understood is text.
"""

from re import compile as pattern
from typing import NamedTuple

__all__ = ["Details", "details_of", "plain", "reference_of"]

_NO_REFERENCE = frozenset({"NONREF", "NOTPROVIDED", "NOT PROVIDED", "EREF", "KREF", "MREF", "PREF", "UNREF"})
_CONTROLS = dict.fromkeys((*range(32), 127), " ")

# Deutsche Kreditwirtschaft, DFÜ agreement, annex 3: transaction code, then ?00 to ?63.
_GERMAN = pattern(r"\s?(\d{3})\s?\?\d\d").match
_sub_fields = pattern(r"\?(\d\d)").split
_REMITTANCE = (*map(str, range(20, 30)), *map(str, range(60, 64)))
_key_of = pattern(r"(EREF|KREF|MREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|PURP|IBAN|BIC|MTLG)[+:]").match
_RETURNS = frozenset({"108", "109", "159"})  # a direct debit or a transfer came back

# Dutch banks, and SWIFT's own code words.
_slashes = pattern(
    r"/(EREF|PREF|IREF|TRTP|MARF|CSID|CNTP|REMI|RTRN|PURP|ULTB|ULTC|ULTD|BENM|ORDP|NAME|ADDR|ISDT|IBAN|BIC"
    r"|SVCL|CHGS|CHGT|EXCH|OCMT|TRCD|SUM|ID)/"
).split


class Details(NamedTuple):
    """What an entry is about. `code` is the German transaction code (Geschäftsvorfall)."""

    text: str = ""
    code: str = ""
    end_to_end: str = ""
    batch_reference: str = ""
    return_reason: str = ""
    counterparty: str = ""
    counterparty_account: str = ""


def details_of(lines: tuple[str, ...]) -> Details:
    """Return what `:86:` tells."""
    joined = "".join(lines)
    if _GERMAN(joined):
        return _german(joined)
    parts = _slashes(joined)
    if len(parts) > 1 and not parts[0].strip(" /"):
        return _dutch(parts, joined)
    return Details(text=plain(" ".join(line.strip() for line in lines if line.strip())))


def _german(joined: str) -> Details:
    code, *parts = _sub_fields(joined)
    code = code.strip()
    found: dict[str, str] = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        found[name] = found.get(name, "") + value
    keys, key = {"SVWZ": ""}, "SVWZ"
    for name in _REMITTANCE:
        value = found.get(name, "")
        if name == "60" and "29" not in found:
            key = "SVWZ"  # it goes on from ?29, and from nothing else
        begins = _key_of(value)
        if begins:
            key, value = begins[1], value[begins.end() :]
        keys[key] = keys.get(key, "") + value
    rest = (keys["SVWZ"], keys.get("MTLG", ""), found.get("00", ""))  # MTLG: a note of the bank's
    return Details(
        text=plain(" ".join(text.strip() for text in rest if text.strip())),
        code=code,
        end_to_end=reference_of(keys.get("EREF", "")),
        batch_reference=reference_of(keys.get("KREF", "")),
        return_reason=plain(found.get("34", ""), 16) if code in _RETURNS else "",
        counterparty=plain(found.get("32", "") + found.get("33", ""), 140),
        counterparty_account=plain(found.get("31", "") or keys.get("IBAN", ""), 64).replace(" ", ""),
    )


def _dutch(parts: list[str], joined: str) -> Details:
    found: dict[str, str] = {}
    for name, value in zip(parts[1::2], parts[2::2], strict=True):
        found.setdefault(name, value.strip("/ "))
    account, _, others = found.get("CNTP", "").partition("/")
    name = found.get("NAME", "") or others.partition("/")[2].split("/")[0]
    remittance = found.get("REMI", "")
    for word in ("USTD//", "STRD/CUR/", "STRD/ISO/"):
        remittance = remittance.removeprefix(word)
    return Details(
        text=plain(remittance or joined),
        end_to_end=reference_of(found.get("EREF", "")),
        batch_reference=reference_of(found.get("PREF", "")),
        return_reason=plain(found.get("RTRN", ""), 16),
        counterparty=plain(name, 140),
        counterparty_account=plain(account or found.get("IBAN", ""), 64),
    )


def reference_of(text: str) -> str:
    """Return a reference; empty for a word that says that there is none, or that it stands elsewhere."""
    reference = plain(text, 64)
    return "" if reference in _NO_REFERENCE else reference


def plain(text: str, longest: int = 1000) -> str:
    """Return a text without control characters, cut to what is kept of it."""
    return text.translate(_CONTROLS).strip()[:longest]
