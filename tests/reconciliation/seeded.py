"""A made-up month as it would be in the database: our own events as rows, the provider's files taken in.

Rows are written by COPY as the owner, past the guards: a month of payments by the API takes hours. What
stands there is what payments leave behind as far as matching reads it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from channels.services import create_channel
from channels.types import ChannelData
from core import clock
from core.drain import get_drain
from core.ids import public_id
from core.settings_store import put_setting
from reconciliation.ingest.receive import DRAIN as FILES
from reconciliation.matching.runs import DRAIN as RUNS
from reconciliation.models import Discrepancy, SettlementFile, SettlementLine, SettlementSource
from reconciliation.services import look_again, receive_file
from tests.database import owner_connection
from tests.months import Capture, Chargeback, ChargebackReversal, Decline, Month, Refund, RefundFailure
from tests.store import open_store

__all__ = ["Played", "at_day", "play"]

_CHARGE = (
    "id, merchant_id, checkout_id, channel_id, payment_method, psp_reference, amount, amount_currency,"
    " amount_minor, authorized_minor, captured_minor, voided_minor, refunded_minor, status, redirect_url,"
    " created_at, updated_at"
)
_REFUND = (
    "id, merchant_id, charge_id, destination, amount, amount_currency, amount_minor, returns_commission,"
    " reason, metadata, origin, psp_reference, status, succeeded_at, created_at, updated_at, event_sequence"
)
_DISPUTE = (
    "id, merchant_id, charge_id, channel_id, psp_reference, amount, amount_currency, amount_minor, status,"
    " reason, network_reason_code, submissions, seen_rank, verdict, round, is_held, borne_by, taken_minor,"
    " fee_minor, opened_at, created_at, updated_at, event_sequence"
)
_MOVED = (
    "id, merchant_id, dispute_id, channel_id, psp_reference, number, kind, amount_minor, fee_minor, moved_at,"
    " recorded_at"
)
_TABLES = ("payments_charge", "payments_refund", "payments_dispute", "payments_disputemovement")


def at_day(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    """Let it be this day where sources are."""
    from reconciliation.ingest import confirm, stage
    from reconciliation.matching import expected

    for module in (confirm, stage, expected):
        monkeypatch.setattr(module, "today_of", lambda source: day)


class _Keys:
    """UUIDv7 keys of moments, in order."""

    def __init__(self) -> None:
        # Apart from those of other months in the same tables.
        self._number = uuid4().int >> 84 << 18

    def __call__(self, at: datetime) -> UUID:
        self._number += 1
        return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | self._number)


@dataclass
class Played:
    """A merchant with a month in its tables and a source that its files come over."""

    month: Month
    merchant_id: UUID
    channel_id: UUID
    source: SettlementSource
    files: dict[UUID, str] = field(default_factory=dict)

    def take(self, name: str, body: bytes) -> SettlementFile:
        """Take a file in, as far as it goes, and match it."""
        received = receive_file(
            source_id=self.source.id, name=name, body=BytesIO(body), origin="upload", by="user:mia"
        )
        self.files[received.file_id] = name
        get_drain(FILES).run()
        get_drain(RUNS).run()
        file = SettlementFile.objects.get(pk=received.file_id)
        assert file.status == "PUBLISHED", (file.status, file.refusal)
        return file

    def take_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the files of the month in, each on the day after its own, and look again every day."""
        for file in self.month.psp_files():
            at_day(monkeypatch, file.day + timedelta(days=1))
            body = BytesIO()
            file.write(body)
            self.take(file.name, body.getvalue())
            look_again(source_id=self.source.id)
        # What was still expected at the end of the month is missed by now.
        at_day(monkeypatch, file.day + timedelta(days=21))
        look_again(source_id=self.source.id)

    def breaks(self) -> list[tuple[str, str, str]]:
        """Every break that was found: its class, the reference of its line or payment, and its state."""
        rows = list(Discrepancy.objects.filter(merchant_id=self.merchant_id).order_by("pk"))
        lines = SettlementLine.objects.in_bulk([row.line_id for row in rows if row.line_id])
        names = _references([row.subject_id for row in rows if row.line_id is None and row.subject_id])
        return [
            (
                row.break_class,
                lines[row.line_id].reference if row.line_id else names[row.subject_id or uuid4()],
                row.status,
            )
            for row in rows
        ]

    def matches(self) -> list[tuple[Any, ...]]:
        """What holds now, in the words of the provider: the same however rows and files were ordered."""
        from reconciliation.models import Match

        rows = list(Match.objects.filter(merchant_id=self.merchant_id, live=True))
        lines = SettlementLine.objects.in_bulk([row.line_id for row in rows if row.line_id])
        names = _references([row.subject_id for row in rows])
        return sorted(
            (
                lines[row.line_id].reference if row.line_id else "",
                row.subject_kind,
                names[row.subject_id],
                row.how,
                row.rule,
                row.amount_minor,
                row.difference_minor,
            )
            for row in rows
        )


def play(month: Month, *, fees: bool = True, merchant_id: UUID | None = None) -> Played:
    """Give a merchant, a new one unless told, the events of a month, and a source with the month's prices."""
    merchant_id = merchant_id or open_store().merchant_id
    with transaction.atomic():
        channel = create_channel(
            merchant_id=merchant_id,
            name=f"stripe-{uuid4().hex[:8]}",
            provider="stripe",
            secret_key="sk_test_months",
        )
    played = Played(month, merchant_id, channel.id, _source(merchant_id, channel, month))
    with transaction.atomic():
        scope = public_id("mer", merchant_id)
        for name, value in (
            ("reconciliation.fee_terms", {"months": _terms(month)} if fees else {}),
            ("reconciliation.fx_terms", {"months": {"rates": {"USD/EUR": 922_000}, "tolerance_bps": 150}}),
            ("reconciliation.clear_within", {"*": 2}),
        ):
            put_setting(name=name, value=value, actor="user:test", reason="test", scope=scope)
    _write(played, month.events())
    return played


def _source(merchant_id: UUID, channel: ChannelData, month: Month) -> SettlementSource:
    now = clock.now()
    return SettlementSource.objects.create(
        merchant_id=merchant_id,
        name="months",
        kind="psp",
        provider="stripe",
        channel_id=channel.id,
        books=channel.name,
        format="stripe.payout_reconciliation",
        encoding="utf-8",
        time_zone=month.options.zone,
        fetcher="upload",
        calendar="TARGET2",
        expected_by="06:00",
        begins_on=date.fromisoformat(f"{month.options.month}-01"),
        created_at=now,
        updated_at=now,
    )


def _terms(month: Month) -> dict[str, Any]:
    prices = [
        {
            "method": row.method,
            "bps": row.millionths // 100,
            "fixed_minor": month.price_table.minor(row.fixed),
        }
        for row in month.price_table.rows
    ]
    return {"prices": prices, "tolerance_minor": 1}


def _intent(charge: str) -> str:
    return "pi_" + charge.removeprefix("ch_")


def _write(played: Played, events: Iterable[Any]) -> None:
    seeds = _Seeds(played)
    with owner_connection() as owner, owner.cursor() as cursor:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        checkout = uuid4()
        cursor.execute(
            "INSERT INTO payments_paymentevent (id, merchant_id, checkout_id, buyer_account, buyer_info,"
            " payment_method, token, customer_reference, save_method, capture, multi_order_policy,"
            " return_url, metadata, risk_decision, is_payment_done, created_at, expires_at, updated_at,"
            " event_sequence)"
            " VALUES (%s, %s, 'months', '', '', 'card', '', '', false, 'automatic', 'all', '', '{}', 'allow',"
            " true, now(), now(), now(), 0)",
            [checkout, played.merchant_id],
        )
        with cursor.copy(f"COPY payments_charge ({_CHARGE}) FROM STDIN") as copy:
            for row in seeds.charges(events, checkout):
                copy.write_row(row)
        for table, columns, rows in (
            ("payments_refund", _REFUND, seeds.refunds.values()),
            ("payments_dispute", _DISPUTE, seeds.disputes.values()),
            ("payments_disputemovement", _MOVED, seeds.moved),
        ):
            with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    with owner_connection() as owner:
        owner.autocommit = True
        for table in _TABLES:
            owner.execute(f"ANALYZE {table}")


class _Seeds:
    """Rows of the events: charges as a stream, and the few others of which they are the charges."""

    def __init__(self, played: Played) -> None:
        self._played, self._keys = played, _Keys()
        self._charges: dict[str, UUID] = {}
        self.refunds: dict[str, list[Any]] = {}
        self.disputes: dict[str, list[Any]] = {}
        self.moved: list[list[Any]] = []

    def charges(self, events: Iterable[Any], checkout: UUID) -> Iterator[list[Any]]:
        """Yield the charges; two captures of one charge are one row, as they are with us."""
        waiting: list[Any] | None = None
        for event in events:
            if isinstance(event, Capture | Decline):
                reference = _intent(event.reference)
                if waiting is not None and waiting[5] == reference and waiting[13] == "CAPTURED":
                    for place in (6, 8, 9, 10):
                        waiting[place] += event.amount_minor
                    continue
                if waiting is not None:
                    yield waiting
                waiting = self._charge(event, reference, checkout)
            elif isinstance(event, Refund):
                self._refund(event)
            elif isinstance(event, RefundFailure):
                failed = self.refunds[event.refund]
                failed[12], failed[15] = "FAILED", event.at
            elif isinstance(event, Chargeback | ChargebackReversal):
                self._dispute(event)
        if waiting is not None:
            yield waiting

    def _charge(self, event: Any, reference: str, checkout: UUID) -> list[Any]:
        captured = event.amount_minor if isinstance(event, Capture) else 0
        key = self._keys(event.at)
        if captured:
            self._charges[reference] = key
        played = self._played
        return [
            key, played.merchant_id, checkout, played.channel_id, event.method, reference, event.amount_minor,
            event.currency, event.amount_minor, captured, captured, 0, 0,
            "CAPTURED" if captured else "DECLINED", "", event.at, event.at,
        ]  # fmt: skip

    def _refund(self, event: Refund) -> None:
        self.refunds[event.reference] = [
            self._keys(event.at), self._played.merchant_id, self._charges[_intent(event.payment)],
            "instrument", event.amount_minor, event.currency, event.amount_minor, True, "", "{}", "api",
            event.reference, "SUCCESS", event.at, event.at, event.at, 0,
        ]  # fmt: skip

    def _dispute(self, event: Any) -> None:
        is_out = isinstance(event, Chargeback)
        # What the provider takes for it in another currency than the dispute's is not in its movement.
        fee = event.fee_minor if is_out and event.currency == self._played.month.options.currency else 0
        key, played = self._keys(event.at), self._played
        self.disputes[event.reference] = [
            key, played.merchant_id, self._charges[_intent(event.payment)], played.channel_id,
            event.reference, event.amount_minor, event.currency, event.amount_minor, "LOST", "", "", 0, 0, "",
            0, False, "", 0, 0,
            event.at, event.at, event.at, 0,
        ]  # fmt: skip
        self.moved.append(
            [
                self._keys(event.at), played.merchant_id, key, played.channel_id, event.transaction, 1,
                "withdrawn" if is_out else "reinstated", event.amount_minor, fee, event.at, event.at,
            ]
        )  # fmt: skip


def _references(subjects: list[UUID]) -> dict[UUID, str]:
    """The provider's references of movements that have no line."""
    with owner_connection() as owner:
        rows = owner.execute(
            "SELECT DISTINCT subject_id, coalesce(reference, '') FROM payments_movement"
            " WHERE subject_id = ANY(%s)",
            [subjects],
        ).fetchall()
    return {key: "ch_" + name.removeprefix("pi_") if name.startswith("pi_") else name for key, name in rows}


def tally(breaks: Iterable[tuple[str, str, str]]) -> Counter[str]:
    """How many breaks there are of each class."""
    return Counter(each[0] for each in breaks)
