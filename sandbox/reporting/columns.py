"""What a report writes into a column of a line: major units, moments as texts, ids."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from sandbox.psp.currencies import NO_DECIMAL, THREE_DECIMAL
from sandbox.reporting.lines import Line, Row


def major(amount: int, currency: str) -> str:
    """Minor units as a decimal text in major units, with the provider's decimals of the currency."""
    places = 0 if currency in NO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    digits = f"{abs(amount):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{text}" if amount < 0 else text


def moment(seconds: int | None, zone: tzinfo = UTC) -> str:
    """A moment as reports write it, ``2026-12-01 10:30:00``; empty when there is none."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def csv_text(rows: Iterable[Iterable[str]]) -> str:
    """Lines of CSV (RFC 4180 but for the line feed): quoted where a field needs it."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def written(line: Line, columns: Iterable[str], zone: tzinfo) -> list[str]:
    """The fields of one line."""
    known = _fields(line)
    return [_field(line, known, name, zone) for name in columns]


def _field(line: Line, known: Row, name: str, zone: tzinfo) -> str:
    stem, bracket, key = name.partition("[")
    if bracket:
        return _metadata(line, stem).get(key.removesuffix("]"), "")
    if name in _MOMENTS:
        return moment(known[name], zone)
    if name.endswith("_utc"):
        return moment(known[name.removesuffix("_utc")])
    value = known[name]
    return "" if value is None else str(value)


def _metadata(line: Line, stem: str) -> dict[str, str]:
    owners = {
        "payment_metadata": line.charge,
        "refund_metadata": line.origin if line.origin.get("object") == "refund" else {},
        "transfer_metadata": line.origin if line.origin.get("object") == "transfer" else {},
    }
    found: dict[str, str] = owners[stem].get("metadata", {})
    return found


_MOMENTS = frozenset(
    {"created", "available_on", "automatic_payout_effective_at", "charge_created", "effective_at",
     "payout_expected_arrival_date"}
)  # fmt: skip


def _fields(line: Line) -> Row:
    """Everything a report can say about a line; moments still as seconds."""
    origin, charge, payout = line.origin, line.charge, line.payout
    card = charge.get("payment_method_details", {}).get("card", {})
    is_facing = bool(charge)
    mine = origin if origin.get("object") == "payout" else {}
    trace = (payout or mine).get("trace_id", {})
    return {
        "balance_transaction_id": line.id,
        "created": line.created,
        "available_on": line.available,
        "currency": line.currency,
        "gross": major(line.gross, line.exponent),
        "fee": major(line.fee, line.exponent),
        "net": major(line.net, line.exponent),
        "reporting_category": line.category,
        "source_id": line.source,
        "description": origin.get("description"),
        "customer_facing_amount": major(line.gross, line.exponent) if is_facing else None,
        "customer_facing_currency": line.currency if is_facing else None,
        "automatic_payout_id": payout.get("id"),
        "automatic_payout_effective_at": payout.get("arrival_date"),
        "customer_id": charge.get("customer"),
        "charge_id": charge.get("id"),
        "payment_intent_id": charge.get("payment_intent"),
        "charge_created": charge.get("created"),
        "payment_method_type": charge.get("payment_method_details", {}).get("type"),
        "card_brand": card.get("brand"),
        "card_funding": card.get("funding"),
        "card_country": card.get("country"),
        "statement_descriptor": charge.get("statement_descriptor"),
        "dispute_reason": origin.get("reason") if origin.get("object") == "dispute" else None,
        "trace_id": trace.get("value"),
        "trace_id_status": trace.get("status"),
        "payout_id": mine.get("id"),
        "effective_at": mine.get("arrival_date") if mine.get("automatic") else mine.get("created"),
        "payout_expected_arrival_date": mine.get("arrival_date"),
        "payout_status": mine.get("status"),
        "payout_type": mine.get("type"),
        "payout_description": mine.get("description"),
        "payout_destination_id": mine.get("destination"),
    }
