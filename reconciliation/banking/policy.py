"""What people may set about bank statements, and what they are told of them."""

import re
from datetime import timedelta
from typing import Any

from core.alerts import Alert
from core.settings_store import Declared, get_setting
from reconciliation.matching.policy import setting_of
from reconciliation.models import SettlementSource

__all__ = [
    "ALERTS",
    "SETTINGS",
    "UNKNOWN_PAYOUT",
    "banked_within",
    "charge_codes",
    "fee_tolerance",
    "parts_within",
    "patterns_of",
]

UNKNOWN_PAYOUT = "unknown_payout"
_PATTERNS, _CODES = "reconciliation.batch_patterns", "reconciliation.bank_charge_codes"
_TOLERANCE, _WITHIN = "reconciliation.bank_fee_tolerance", "reconciliation.banked_within"
_PARTS = "reconciliation.deposit_parts_within"
_OTHERS = "*"
_LONGEST = 200

ALERTS = (
    Alert(
        UNKNOWN_PAYOUT,
        "The bank shows a payout that we never sent",
        "Somebody else may be paying out of the account, in our name: all payouts of the merchant are stopped"
        " until a person lets them go on.",
        timedelta(hours=1),
        severity="critical",
    ),
)


def _check_patterns(value: dict[str, Any]) -> None:
    for provider, patterns in value.items():
        if not isinstance(patterns, list):
            raise ValueError(f"{provider}: a list of patterns")
        for pattern in patterns:
            if not isinstance(pattern, str) or len(pattern) > _LONGEST:
                raise ValueError(f"{provider}: a pattern is a text of at most {_LONGEST} characters")
            try:
                groups = re.compile(pattern).groups
            except re.error as error:
                raise ValueError(f"{provider}: {pattern} is no pattern: {error}") from error
            if groups != 1:
                raise ValueError(f"{provider}: {pattern} has one group, which is the batch")


def _check_codes(value: list[Any]) -> None:
    if not all(isinstance(code, str) and code.isalnum() for code in value):
        raise ValueError("codes are letters and digits")


def _check_counts(value: dict[str, Any]) -> None:
    if _OTHERS not in value:
        raise ValueError(f"{_OTHERS} says what holds for every other source")
    for name, count in value.items():
        if type(count) is not int or not 0 <= count <= 10**9:
            raise ValueError(f"{name}: a whole number, zero or more")


def _check_days(value: dict[str, Any]) -> None:
    _check_counts(value)
    if any(count > 90 for count in value.values()):
        raise ValueError("at most 90 business days")


SETTINGS = (
    Declared(
        _PATTERNS,
        "How a provider names its batch in the text of the bank: by provider, regular expressions with one"
        " group. Names of at least eight characters of batches that are in transit are found without one.",
        dict,
        {
            "stripe": [r"(?i)\b(po_[a-z0-9]{8,})"],
            "adyen": [r"(?i)\bbatch\s+(?:no\.?\s*)?([0-9]{1,9})\b"],
        },
        _check_patterns,
    ),
    Declared(
        _CODES,
        "The last parts of bank codes of what the bank takes for itself (ISO 20022 sub-families, or SWIFT's"
        " four letters).",
        list,
        ["CHRG", "FEES", "COMM", "COMI", "COME", "COMT", "NCHG", "NCOM", "FCHG", "FCOM"],
        _check_codes,
    ),
    Declared(
        _TOLERANCE,
        "How many minor units a bank may keep of one deposit, or take for one payout, as its fee; by the name"
        " of the source, * for every other one. The scope is a mer_….",
        dict,
        {_OTHERS: 100},
        _check_counts,
    ),
    Declared(
        _WITHIN,
        "Within how many business days the bank shows a batch that was reported or a payout that was sent; by"
        " the name of the provider's or the bank's source, * for every other one. The scope is a mer_….",
        dict,
        {_OTHERS: 3},
        _check_days,
    ),
    Declared(
        _PARTS,
        "For how many business days a batch of which the bank showed a part waits for the rest; by the name"
        " of the provider's source, * for every other one. The scope is a mer_….",
        dict,
        {_OTHERS: 1},
        _check_days,
    ),
)


def patterns_of(provider: str) -> list[re.Pattern[str]]:
    """Return the patterns by which a provider's batch is found in a text."""
    return [re.compile(each) for each in get_setting(name=_PATTERNS).get(provider, ())]


def charge_codes() -> frozenset[str]:
    """Return the last parts of codes of what the bank takes for itself."""
    return frozenset(get_setting(name=_CODES))


def fee_tolerance(source: SettlementSource) -> int:
    """Return the most that the bank keeps of one booking, in minor units."""
    return int(setting_of(source, _TOLERANCE))


def banked_within(source: SettlementSource) -> int:
    """Return in how many business days the bank must show something."""
    return int(setting_of(source, _WITHIN))


def parts_within(source: SettlementSource) -> int:
    """Return for how many business days a part waits for the rest."""
    return int(setting_of(source, _PARTS))
