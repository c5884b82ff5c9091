"""What people may set about matching, and what they are told of it."""

from datetime import timedelta
from typing import Any

from core.alerts import Alert
from core.ids import public_id
from core.settings_store import Declared, get_setting
from reconciliation.models import SettlementSource

__all__ = [
    "ALERTS",
    "ASKS_FOR",
    "CLEAR_WITHIN",
    "FEE_TERMS",
    "FX_TERMS",
    "LAG",
    "MOST_BREAKS",
    "RUN_FAILED",
    "SETTINGS",
    "setting_of",
]

RUN_FAILED = "reconciliation_run_failed"
LAG, CLEAR_WITHIN = "reconciliation.settlement_lag", "reconciliation.clear_within"
FEE_TERMS, FX_TERMS = "reconciliation.fee_terms", "reconciliation.fx_terms"
MOST_BREAKS = "reconciliation.most_breaks"
ASKS_FOR = "reconciliation.ask_provider_minutes"
_OTHERS = "*"
_MOST_BPS = 10_000

ALERTS = (
    Alert(
        RUN_FAILED,
        "A settlement file could not be matched",
        "Nothing of it is in the books, and later files of its source wait for nobody. What stopped it is"
        " written at the run.",
        timedelta(hours=8),
        page="console:runs",
        query="?status=FAILED",
    ),
)


def _check_days(value: dict[str, Any]) -> None:
    if _OTHERS not in value:
        raise ValueError(f"{_OTHERS} says what holds for every other source")
    for name, days in value.items():
        if type(days) is not int or not 0 <= days <= 90:
            raise ValueError(f"{name}: a number of business days up to 90")


def _check_most(value: int) -> None:
    if not 1 <= value <= 1_000_000:
        raise ValueError("between one and a million")


def _check_minutes(value: int) -> None:
    if not 0 <= value <= 24 * 60:
        raise ValueError("between zero and the minutes of a day")


def _check_fee_terms(value: dict[str, Any]) -> None:
    for name, terms in value.items():
        if not isinstance(terms, dict) or set(terms) - {"tolerance_minor", "prices"}:
            raise ValueError(f"{name}: an object with prices and, if wanted, tolerance_minor")
        _whole(f"{name}.tolerance_minor", terms.get("tolerance_minor", 0))
        for price in terms.get("prices", []):
            if not isinstance(price, dict) or set(price) - {
                "method", "currency", "bps", "fixed_minor", "min_minor",
            }:  # fmt: skip
                raise ValueError(f"{name}: a price has method, currency, bps, fixed_minor and min_minor")
            for part in ("bps", "fixed_minor", "min_minor"):
                _whole(f"{name}.{part}", price.get(part, 0))
            if price.get("bps", 0) > _MOST_BPS:
                raise ValueError(f"{name}.bps: at most {_MOST_BPS}")


def _check_fx_terms(value: dict[str, Any]) -> None:
    for name, terms in value.items():
        if not isinstance(terms, dict) or set(terms) - {"tolerance_bps", "rates"}:
            raise ValueError(f"{name}: an object with rates and tolerance_bps")
        _whole(f"{name}.tolerance_bps", terms.get("tolerance_bps", 0))
        for pair, millionths in terms.get("rates", {}).items():
            if len(pair) != 7 or pair[3] != "/":
                raise ValueError(f"{pair}: two currencies, as in USD/EUR")
            _whole(f"{name}.{pair}", millionths)


def _whole(name: str, value: object) -> None:
    if type(value) is not int or not 0 <= value <= 10**15:
        raise ValueError(f"{name}: a whole number, zero or more")


SETTINGS = (
    Declared(
        LAG,
        "After how many business days a movement is in its provider's file, by the name of the source, * for"
        " every other one. The scope is a mer_….",
        dict,
        {_OTHERS: 2},
        _check_days,
    ),
    Declared(
        CLEAR_WITHIN,
        "How many more business days a movement may be absent from the files before that is a break, by the"
        " name of the source, * for every other one. The scope is a mer_….",
        dict,
        {_OTHERS: 3},
        _check_days,
    ),
    Declared(
        FEE_TERMS,
        "What the provider charges, by the name of the source: prices, of which the first that fits a"
        " payment's method and the line's currency holds (bps of the gross, half up, and fixed_minor, at"
        " least min_minor), and tolerance_minor. Without prices no fee is checked. The scope is a mer_….",
        dict,
        {},
        _check_fee_terms,
    ),
    Declared(
        FX_TERMS,
        "At which rates the provider exchanges, by the name of the source: rates in millionths by pair"
        " (USD/EUR), and tolerance_bps. Without rates none is checked. The scope is a mer_….",
        dict,
        {},
        _check_fx_terms,
    ),
    Declared(
        MOST_BREAKS,
        "A file with more lines than this that nothing explains is not worked on: it is likely another"
        " account's. A person may raise this and let it try again.",
        int,
        20_000,
        _check_most,
    ),
    Declared(
        ASKS_FOR,
        "For how many minutes a file with lines that are nothing we know waits for the provider to say what"
        " they are, before it is posted. 0: the provider is not asked.",
        int,
        10,
        _check_minutes,
    ),
)


def setting_of(source: SettlementSource, name: str) -> Any:
    """Return what was set for a source, or for every other one; None where nothing was."""
    value = get_setting(name=name, scope=public_id("mer", source.merchant_id))
    return value.get(source.name, value.get(_OTHERS))
