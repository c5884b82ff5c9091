"""Fees and rates held against what was agreed with the provider, for matched lines, by the database."""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from core.currencies import ISO_EXPONENTS
from core.money import format_minor
from core.transactions import requires_transaction
from reconciliation.breaks import BreakClass
from reconciliation.matching.findings import line_finding
from reconciliation.matching.open_lines import lines_by_id
from reconciliation.matching.policy import FEE_TERMS, FX_TERMS, setting_of
from reconciliation.matching.sql import rows, whole_files
from reconciliation.matching.types import Finding
from reconciliation.models import ReconciliationRun

__all__ = ["fee_findings", "fx_findings"]

_MILLION = 1_000_000
# Of the pairs that were matched; a dispute's fee is no price, and a refund has none in these terms.
_MATCHED_CHARGES = """
    FROM reconciliation_pair AS pair
    JOIN reconciliation_match AS found ON found.line_id = pair.line_id AND found.side = 'psp' AND found.live
        AND found.run_id = %(run)s AND found.difference_minor = 0
    WHERE pair.kind = 'charge' AND pair.gross_minor > 0
"""
_EXCHANGED = f"""
    SELECT DISTINCT pair.line_id, pair.original_currency, pair.line_currency, pair.original_minor,
        pair.gross_minor
    {_MATCHED_CHARGES}
    AND pair.original_currency NOT IN ('', pair.line_currency) AND pair.original_minor > 0
    ORDER BY pair.line_id
"""


@requires_transaction
def fee_findings(run: ReconciliationRun, *, most: int, but: Collection[int] = ()) -> list[Finding]:
    """Return the charges whose fee is not what the terms say, `but` those lines; none without terms.

    The expected fee is bps of the gross, half up, and the fixed part, at least the minimum. Where the gross
    itself is in question, so is every fee of it: that has its break already.
    """
    terms = setting_of(run.source, FEE_TERMS) or {}
    if not terms.get("prices"):
        return []
    expected, params = _expected(terms["prices"])
    sql = f"""
        SELECT DISTINCT line_id, fee_minor, expected FROM (
            SELECT pair.line_id, pair.fee_minor, {expected} AS expected {_MATCHED_CHARGES}
        ) AS priced
        WHERE abs(fee_minor - expected) > %(tolerance)s
            AND line_id <> ALL(%(but)s) ORDER BY line_id LIMIT %(most)s
    """  # noqa: S608 - fragments of ours
    asked = {**params, "run": run.id, "most": most, "but": list(but)}
    asked["tolerance"] = terms.get("tolerance_minor", 0)
    with whole_files():
        differing = {row[0]: (row[1], row[2]) for row in rows(sql, asked)}
    return list(_fees(differing))


def _fees(differing: Mapping[int, tuple[int, int]]) -> Iterator[Finding]:
    for line in lines_by_id(differing).values():
        fee, expected = differing[line.id]
        says = f": {format_minor(fee, line.currency)}, not {format_minor(expected, line.currency)}"
        step = {"step": "fee", "line_minor": str(fee), "expected_minor": str(expected)}
        yield line_finding(
            BreakClass.FEE_DIFFERENCE, line, [step], None, amount_minor=abs(fee - expected), extra=says
        )


def _expected(prices: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Return the fee of a pair in SQL: that of the first price that fits, NULL where none does."""
    cases, params = [], {}
    for number, price in enumerate(prices):
        fits = []
        for name, column in (("method", "pair.payment_method"), ("currency", "pair.line_currency")):
            if price.get(name, "*") != "*":
                fits.append(f"{column} = %({name}_{number})s")
                params[f"{name}_{number}"] = price[name]
        for part in ("bps", "fixed_minor", "min_minor"):
            params[f"{part}_{number}"] = price.get(part, 0)
        cases.append(
            f"WHEN {' AND '.join(fits) or 'true'} THEN greatest(%(min_minor_{number})s::bigint,"
            f" (pair.gross_minor * %(bps_{number})s::bigint + 5000) / 10000"
            f" + %(fixed_minor_{number})s::bigint)"
        )
    return f"CASE {' '.join(cases)} END", params


@requires_transaction
def fx_findings(run: ReconciliationRun, *, most: int) -> list[Finding]:
    """Return the exchanged charges whose rate is further from the terms than agreed; none without terms."""
    terms = setting_of(run.source, FX_TERMS) or {}
    rates = terms.get("rates") or {}
    if not rates:
        return []
    tolerance = Decimal(terms.get("tolerance_bps", 0)) / 10_000
    with whole_files():
        found = rows(_EXCHANGED, {"run": run.id})
    far: dict[int, tuple[int, Decimal]] = {}
    for line_id, original, currency, original_minor, gross in found:
        agreed = rates.get(f"{original}/{currency}")
        if agreed is not None:
            places = ISO_EXPONENTS[currency] - ISO_EXPONENTS[original]
            due = (Decimal(original_minor) * agreed / _MILLION).scaleb(places)
            if abs(gross - due) > max(due * tolerance, Decimal(1)) and len(far) < most:
                far[line_id] = (gross, due)
    return list(_exchanged(far))


def _exchanged(far: Mapping[int, tuple[int, Decimal]]) -> Iterator[Finding]:
    for line in lines_by_id(far).values():
        gross, due = far[line.id]
        step = {"step": "rate", "line_minor": str(gross), "expected_minor": f"{due:.0f}"}
        yield line_finding(BreakClass.FX_DIFFERENCE, line, [step], None, amount_minor=round(abs(gross - due)))
